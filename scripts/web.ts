// Builds the web app when what is in web/dist is not made of these sources: `node scripts/web.ts`.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./launch/lock.mjs";
import { say } from "./launch/say.mjs";

const ROOT = join(import.meta.dirname, "..");

/** What vite reads; tests are not part of the app, and touching one must not cost a build. */
const SOURCES = ["web/**", "client/**", "transport/**", "crypto/**", "protocol/**", "package-lock.json"];

export class BuildFault extends Error {}

/** Does nothing in a tree without a web app. Throws `BuildFault` with vite's own words when the build fails. */
export async function buildWeb(root: string): Promise<void> {
  if (!existsSync(join(root, "web", "index.html")) || isFresh(root)) return;
  await alone(join(root, ".cache", "web.lock"), "building the web app", async () => {
    if (isFresh(root)) return;
    const hash = sourceHash(root);
    const start = Date.now();
    say("Building the web app …");
    const vite = join(root, "node_modules", "vite", "bin", "vite.js");
    const built = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], {
      cwd: join(root, "web"),
      encoding: "utf8",
      env: { ...process.env, NODE_ENV: "production" },
    });
    if (built.status !== 0) throw new BuildFault(`The web app could not be built.\n${built.stdout}${built.stderr}`);
    mkdirSync(join(root, ".cache"), { recursive: true });
    writeFileSync(stampPath(root), hash);
    say(`Web app built in ${((Date.now() - start) / 1000).toFixed(1)} s.`);
  });
}

function isFresh(root: string): boolean {
  if (!existsSync(join(root, "web", "dist", "index.html")) || !existsSync(stampPath(root))) return false;
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
    await buildWeb(ROOT);
  } catch (fault) {
    if (!(fault instanceof BuildFault)) throw fault;
    say(fault.message);
    process.exitCode = 1;
  }
}
