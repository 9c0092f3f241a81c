/**
 * Executes the layer tables of ARCHITECTURE.md against the real imports: `node scripts/layers.ts`.
 *
 * A row says what an area may import directly; a never says what it may not reach by any path. Type-only imports count:
 * a type from another layer is knowledge of that layer. Type checking and bundling cannot say either, and the tools that
 * can read their rules from a file of their own, which nobody reads.
 */

import { existsSync, globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync, Visitor } from "oxc-parser";

export interface Row {
  /** A folder, or a module without its extension: `host/core`, `transport/secure`. The longest that fits a file rules it. */
  readonly area: string;
  /** Areas that may be imported besides its own; `*` is any. */
  readonly may: readonly string[];
}

export interface Never {
  readonly area: string;
  readonly targets: readonly string[];
  readonly reason: string;
}

export interface Layers {
  readonly rows: readonly Row[];
  readonly nevers: readonly Never[];
}

export interface Import {
  /** Path from the root, `/` between names; a package of the registry is not listed. */
  readonly target: string;
  readonly line: number;
}

export interface Module {
  readonly path: string;
  readonly imports: readonly Import[];
  /** What could not be judged, or is wrong whatever the table says. */
  readonly faults: readonly Breach[];
}

export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly reason: string;
}

const OWN_SCOPE = "@flybridge/";
const SOURCE_FILES = ["**/*.ts", "**/*.tsx", "**/*.mts", "**/*.mjs"];
const SKIPPED_FOLDERS = new Set(["node_modules", "dist", ".cache", ".git", "screens"]);
/** Tests, their fixtures and contract suites may use anything that helps to show the thing; what ships may not. */
const TEST_FILE = /\.(test|contract|fixture)\.[cm]?tsx?$/;

export function checkLayers(root: string): Breach[] {
  const layers = parseLayers(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
  return [...findStaleAreas(root, layers), ...findBreaches(layers, readModules(root))];
}

/** Throws when a block is missing or a line cannot be read: a table that is not executed is worse than none. */
export function parseLayers(markdown: string): Layers {
  const rows = block(markdown, "layers").map(({ text }) => {
    const [area, may] = text.split("->").map((part) => part.trim());
    if (!area || may === undefined) throw new Error(`ARCHITECTURE.md: "${text}" is not "area -> areas".`);
    return { area, may: words(may) };
  });
  const nevers = block(markdown, "never").map(({ text, comment }) => {
    const [area, ...targets] = words(text);
    if (!area || targets.length === 0 || !comment) {
      throw new Error(`ARCHITECTURE.md: "${text}" is not "area targets # reason".`);
    }
    return { area, targets, reason: comment };
  });
  return { rows, nevers };
}

export function findBreaches(layers: Layers, modules: readonly Module[]): Breach[] {
  const faults = modules.flatMap((module) => module.faults);
  const direct = modules.filter((module) => !TEST_FILE.test(module.path)).flatMap((module) => judge(layers, module));
  const byPath = new Map(modules.map((module) => [module.path, module]));
  const reached = layers.nevers.flatMap((never) => modules.flatMap((module) => reach(never, module, byPath)));
  return [...faults, ...direct, ...reached];
}

export function readModules(root: string): Module[] {
  const files = globSync(SOURCE_FILES, { cwd: root, exclude: (name) => SKIPPED_FOLDERS.has(posix.basename(name)) });
  return files.sort().map((path) => readModule(path, readFileSync(join(root, path), "utf8")));
}

export function readModule(path: string, source: string): Module {
  const parsed = parseSync(path, source);
  const imports: Import[] = [];
  const faults: Breach[] = [];
  const add = (specifier: string, at: number): void => {
    const line = lineOf(source, at);
    const target = resolve(path, specifier);
    if (target === undefined) return;
    imports.push({ target, line });
    if (specifier.startsWith(".") && leavesWorkspace(path, target)) {
      faults.push({ path, line, reason: `"${specifier}" leaves the workspace; import ${OWN_SCOPE}${target}` });
    }
  };
  const { staticImports, staticExports } = parsed.module;
  for (const found of staticImports) add(found.moduleRequest.value, found.start);
  for (const { entries } of staticExports) {
    const from = entries.find((entry) => entry.moduleRequest)?.moduleRequest;
    if (from) add(from.value, from.start);
  }
  new Visitor({
    ImportExpression(node) {
      if (node.source.type === "Literal" && typeof node.source.value === "string") add(node.source.value, node.start);
      else
        faults.push({
          path,
          line: lineOf(source, node.start),
          reason: "imports a computed path, which no table can judge",
        });
    },
    TSImportType(node) {
      add(node.source.value, node.start);
    },
    NewExpression(node) {
      // `new Worker(new URL("./x.ts", import.meta.url))` puts x into the bundle as much as an import does.
      if (node.callee.type !== "Identifier" || !/^(Shared)?Worker$/.test(node.callee.name)) return;
      const [place] = node.arguments;
      const file = place?.type === "NewExpression" ? place.arguments[0] : undefined;
      if (file?.type === "Literal" && typeof file.value === "string") add(file.value, node.start);
    },
  }).visit(parsed.program);
  return { path, imports, faults };
}

function judge(layers: Layers, module: Module): Breach[] {
  const own = ruling(layers.rows, module.path);
  if (!own) return [{ path: module.path, line: 1, reason: "no row of the layer table covers this file" }];
  if (own.may.includes("*")) return [];
  return module.imports.flatMap(({ target, line }) => {
    if (ruling(layers.rows, target) === own || own.may.some((area) => covers(area, target))) return [];
    const allowed = own.may.length === 0 ? "nothing" : own.may.join(", ");
    return [{ path: module.path, line, reason: `${own.area} may import ${allowed}; this is ${target}` }];
  });
}

/** The shortest forbidden way out of `start`, or nothing. Ways that start in another module of the area are its own. */
function reach(never: Never, start: Module, byPath: ReadonlyMap<string, Module>): Breach[] {
  if (!covers(never.area, start.path)) return [];
  // A test brings a whole world into one process, so that only what it names itself can be held against it.
  const isTest = TEST_FILE.test(start.path);
  const seen = new Set([start.path]);
  let ways = start.imports.map(({ target, line }) => ({ line, way: [target] }));
  while (ways.length > 0) {
    const next: typeof ways = [];
    for (const { line, way } of ways) {
      const last = way.at(-1);
      if (last === undefined || seen.has(last) || covers(never.area, last)) continue;
      seen.add(last);
      if (never.targets.some((target) => covers(target, last))) {
        const reason = `${never.area} never reaches ${last} (${never.reason}): ${[start.path, ...way].join(" -> ")}`;
        return [{ path: start.path, line, reason }];
      }
      if (!isTest) for (const { target } of byPath.get(last)?.imports ?? []) next.push({ line, way: [...way, target] });
    }
    ways = next;
  }
  return [];
}

/** A row for something that is gone would go on looking like a rule. */
function findStaleAreas(root: string, layers: Layers): Breach[] {
  const named = [
    ...layers.rows.flatMap((row) => [row.area, ...row.may]),
    ...layers.nevers.flatMap((n) => [n.area, ...n.targets]),
  ];
  return [...new Set(named)]
    .filter(
      (area) => area !== "*" && !["", ".ts", ".tsx", ".mjs"].some((ending) => existsSync(join(root, area + ending))),
    )
    .map((area) => ({ path: "ARCHITECTURE.md", line: 1, reason: `the layer tables name ${area}, which is not there` }));
}

function ruling(rows: readonly Row[], path: string): Row | undefined {
  return rows
    .filter((row) => covers(row.area, path))
    .sort((a, b) => b.area.length - a.area.length)
    .at(0);
}

/** `transport/secure` covers secure.ts, secure.test.ts and secure/…, but not secured.ts. */
function covers(area: string, path: string): boolean {
  return path === area || path.startsWith(`${area}/`) || path.startsWith(`${area}.`);
}

function resolve(from: string, specifier: string): string | undefined {
  const path = specifier.replace(/[?#].*$/, "");
  if (path.startsWith(OWN_SCOPE)) return path.slice(OWN_SCOPE.length);
  if (path.startsWith(".")) return posix.normalize(posix.join(posix.dirname(from), path));
  return undefined;
}

/** scripts/ and deploy/ are no workspaces: nothing can import them by name, and they name others by path. */
function leavesWorkspace(from: string, target: string): boolean {
  const [folder = ""] = from.split("/");
  return !["scripts", "deploy"].includes(folder) && from.includes("/") && target.split("/")[0] !== folder;
}

function block(markdown: string, name: string): { text: string; comment: string }[] {
  const body = new RegExp(`^\`\`\`${name}\\n([\\s\\S]*?)^\`\`\``, "m").exec(markdown)?.[1];
  if (body === undefined) throw new Error(`ARCHITECTURE.md has no \`\`\`${name} block.`);
  return body.split("\n").flatMap((line) => {
    const [text = "", comment = ""] = line.split("#").map((part) => part.trim());
    return text === "" ? [] : [{ text, comment }];
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function lineOf(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}

if (process.argv[1] === import.meta.filename) {
  const breaches = checkLayers(join(import.meta.dirname, ".."));
  for (const { path, line, reason } of breaches) console.log(`${path}:${line} ${reason}`);
  process.exitCode = breaches.length === 0 ? 0 : 1;
}
