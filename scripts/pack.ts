/**
 * `npm run pack` makes what `npm install -g` takes on a machine without a clone, and prints its path: the built app, and
 * the command with all that it starts. Those are plain JavaScript there, for Node strips no types under node_modules, and
 * find each other by relative paths, for there are no workspaces.
 */

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, posix } from "node:path";
import { type Expression, parseSync, type StringLiteral, Visitor } from "oxc-parser";
import { NEEDED_MAJOR } from "./launch/node.mjs";
import { npm } from "./launch/npm.mjs";
import { LaunchFault, say } from "./launch/say.mjs";
import { BuildFault, buildWeb } from "./web.ts";

const ROOT = join(import.meta.dirname, "..");
const OWN_SCOPE = "@flybridge/";
const COMMAND = "cli/main.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Resolves with the path of the tarball in `into`; beside it lies what is in it. Throws `BuildFault` or `LaunchFault`. */
export async function pack(into: string): Promise<string> {
  await buildWeb(ROOT);
  const folder = join(into, "package");
  rmSync(folder, { recursive: true, force: true });
  const workspaces = writeModules(folder);
  for (const path of ["README.md", "LICENSE", "web/dist", ...workspaces.map((name) => `${name}/package.json`)])
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  const { name, version, description, license } = manifestOf(".");
  const manifest = {
    name,
    version,
    description,
    license,
    type: "module",
    bin: { flybridge: "flybridge.mjs" },
    engines: { node: `>=${NEEDED_MAJOR}` },
    dependencies: foreignDependencies(workspaces),
  };
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  writeFileSync(join(folder, "flybridge.mjs"), BIN);
  await npm(["pack", "--pack-destination", into], { cwd: folder, what: "pack Flybridge" });
  return join(into, `${name}-${version}.tgz`);
}

/** Every module that the command reaches, by whatever way; the workspaces that they are of. */
function writeModules(folder: string): string[] {
  const reached = new Set([COMMAND]);
  // What is added meanwhile is walked too.
  for (const path of reached) {
    const source = readFileSync(join(ROOT, path), "utf8");
    // What is no module, as the SQL of a relay, goes along as it is.
    const { code, targets } = /\.m?[jt]s$/.test(path) ? plainModule(path, source) : { code: source, targets: [] };
    for (const target of targets) reached.add(target);
    const place = join(folder, plainName(path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, code);
  }
  return [...new Set([...reached].map((path) => path.slice(0, path.indexOf("/"))))].sort();
}

/** The module at `path`, from the root, as JavaScript, and the paths of ours that it names. */
function plainModule(path: string, source: string): { readonly code: string; readonly targets: readonly string[] } {
  let code = stripTypeScriptTypes(source);
  const targets: string[] = [];
  // From the end, so that the places of those before stay right.
  for (const { value, start, end } of specifiersIn(path, code).toSorted((one, other) => other.start - one.start)) {
    const target = ownTarget(path, value);
    if (target === undefined) continue;
    targets.push(target);
    const way = posix.relative(posix.dirname(path), plainName(target));
    code = code.slice(0, start) + JSON.stringify(way.startsWith(".") ? way : `./${way}`) + code.slice(end);
  }
  return { code, targets };
}

/** Of imports, and of `import.meta.resolve`, by which programs that are started are found. */
function specifiersIn(path: string, code: string): StringLiteral[] {
  const found: StringLiteral[] = [];
  const take = (node: Expression | null): void => {
    if (node?.type === "Literal" && typeof node.value === "string") found.push(node as StringLiteral);
  };
  new Visitor({
    ImportDeclaration: ({ source }) => take(source),
    ExportNamedDeclaration: ({ source }) => take(source),
    ExportAllDeclaration: ({ source }) => take(source),
    ImportExpression: ({ source }) => take(source),
    CallExpression({ callee, arguments: [first] }) {
      if (callee.type !== "MemberExpression" || callee.object.type !== "MetaProperty") return;
      if (first && first.type !== "SpreadElement") take(first);
    },
  }).visit(parseSync(path, code).program);
  return found;
}

function ownTarget(path: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(path), specifier);
  return specifier.startsWith(OWN_SCOPE) ? specifier.slice(OWN_SCOPE.length) : undefined;
}

function plainName(path: string): string {
  return path.replace(/\.ts$/, ".js");
}

function foreignDependencies(workspaces: readonly string[]): Record<string, string> {
  const all: Record<string, string> = Object.assign({}, ...workspaces.map((name) => manifestOf(name).dependencies));
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith(OWN_SCOPE)));
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}

/** As scripts/launch.mjs, it runs on any Node that knows modules, so that an old one gets a sentence. */
const BIN = `#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) < ${NEEDED_MAJOR}) {
  process.stderr.write(
    "Flybridge needs Node ${NEEDED_MAJOR} or newer; this is " + process.version + ".\\n" +
      "Install a current Node (https://nodejs.org, or your package manager), then run the same command again.\\n",
  );
  process.exitCode = 1;
} else {
  void import("./cli/main.js");
}
`;

if (process.argv[1] === import.meta.filename) {
  try {
    console.log(await pack(join(ROOT, ".cache", "pack")));
  } catch (fault) {
    if (!(fault instanceof BuildFault || fault instanceof LaunchFault)) throw fault;
    say(fault.message);
    process.exitCode = 1;
  }
}
