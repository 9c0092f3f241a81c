/**
 * `node scripts/web.ts` builds the web app when what is in web/dist is not made of these sources;
 * `node scripts/web.ts gallery` does so with the gallery, and prints the folder it is in.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { alone } from "./launch/lock.mjs";
import { say } from "./launch/say.mjs";

const ROOT = join(import.meta.dirname, "..");

/** What vite reads; tests are not part of the app, and touching one must not cost a build. */
const SOURCES = ["web/**", "client/**", "transport/**", "crypto/**", "protocol/**", "package-lock.json"];

/** Beside the app's files; it names them all but itself. */
const INTEGRITY = "integrity.json";

/** Galleries that are kept. */
const MOST_GALLERIES = 4;

export class BuildFault extends Error {}

/** Does nothing in a tree without a web app. Throws `BuildFault` with vite's own words when the build fails. */
export async function buildWeb(root: string): Promise<void> {
  if (!existsSync(join(root, "web", "index.html")) || isFresh(root)) return;
  await alone(join(root, ".cache", "web.lock"), "building the web app", async () => {
    if (isFresh(root)) return;
    const hash = sourceHash(root);
    runVite(root, "the web app", []);
    writeIntegrity(join(root, "web", "dist"));
    mkdirSync(join(root, ".cache"), { recursive: true });
    writeFileSync(stampPath(root), hash);
  });
}

/**
 * The folder of the gallery, which tests and pictures look at: each state of the sources has one of its own, so that
 * none is built twice, nor taken from under a test by the next. Throws `BuildFault`.
 */
async function builtGallery(root: string): Promise<string> {
  const galleries = join(root, ".cache", "gallery");
  const folder = join(galleries, sourceHash(root).slice(0, 16));
  await alone(join(root, ".cache", "gallery.lock"), "building the gallery", async () => {
    if (existsSync(folder)) return;
    runVite(root, "the gallery", ["--mode", "gallery", "--outDir", `${folder}.new`]);
    renameSync(`${folder}.new`, folder);
    const newest = readdirSync(galleries)
      .map((name) => ({ path: join(galleries, name), made: statSync(join(galleries, name)).mtimeMs }))
      .toSorted((one, other) => other.made - one.made);
    for (const { path } of newest.slice(MOST_GALLERIES)) rmSync(path, { recursive: true, force: true });
  });
  return folder;
}

function runVite(root: string, title: string, words: readonly string[]): void {
  const start = Date.now();
  say(`Building ${title} …`);
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const ran = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn", ...words], {
    cwd: join(root, "web"),
    encoding: "utf8",
    env: { ...process.env, NODE_ENV: "production", NODE_TEST_CONTEXT: undefined },
  });
  if (ran.status !== 0) throw new BuildFault(`Could not build ${title}.\n${ran.stdout}${ran.stderr}`);
  say(`Built ${title} in ${((Date.now() - start) / 1000).toFixed(1)} s.`);
}

/** What `flybridge verify` holds what a relay serves against: each file of the app, and its hash (as of W3C SRI §3.5). */
function writeIntegrity(dist: string): void {
  const files = globSync("**/*", { cwd: dist, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== INTEGRITY)
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
  const hashes = files.map((file) => {
    const hash = createHash("sha384").update(readFileSync(join(dist, file)));
    return [file, `sha384-${hash.digest("base64")}`] as const;
  });
  writeFileSync(join(dist, INTEGRITY), `${JSON.stringify(Object.fromEntries(hashes), undefined, 2)}\n`);
}

function isFresh(root: string): boolean {
  const dist = join(root, "web", "dist");
  if (![join(dist, "index.html"), join(dist, INTEGRITY), stampPath(root)].every((path) => existsSync(path)))
    return false;
  return readFileSync(stampPath(root), "utf8") === sourceHash(root);
}

/** Content, not times: a checkout gives every file a new time and a deleted one none. */
function sourceHash(root: string): string {
  const hash = createHash("sha256");
  const files = globSync(SOURCES, { cwd: root, withFileTypes: true, exclude: isNoSource })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

function isNoSource(entry: { readonly name: string }): boolean {
  return ["node_modules", "dist"].includes(entry.name) || /\.(test|contract)\.tsx?$/.test(entry.name);
}

function stampPath(root: string): string {
  return join(root, ".cache", "web-build.sha256");
}

if (process.argv[1] === import.meta.filename) {
  try {
    if (process.argv[2] === "gallery") console.log(await builtGallery(ROOT));
    else await buildWeb(ROOT);
  } catch (fault) {
    if (!(fault instanceof BuildFault)) throw fault;
    say(fault.message);
    process.exitCode = 1;
  }
}
