/**
 * `npm run dev`: a host with a state folder of its own in `.cache/dev`, and the web app from its sources, with reload.
 *
 * The demo agent is always there, so that nothing needs to be installed; the person's own host and sessions are not touched.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildWeb } from "./web.ts";

const ROOT = join(import.meta.dirname, "..");
const HOME = process.env.FLYBRIDGE_HOME ?? join(ROOT, ".cache", "dev");

/** The host watches nothing: a change in it is seen by starting again, and its sessions live on in the keeper. */
function start(words: readonly string[], cwd: string): ChildProcess {
  const env = { ...process.env, FLYBRIDGE_HOME: HOME };
  return spawn(process.execPath, words, { cwd, env, stdio: "inherit" });
}

mkdirSync(HOME, { recursive: true, mode: 0o700 });
await buildWeb(ROOT);
const children = [
  start([join(ROOT, "cli", "main.ts"), "up", "--foreground", ...process.argv.slice(2)], ROOT),
  start([join(ROOT, "node_modules", "vite", "bin", "vite.js"), "--clearScreen", "false"], join(ROOT, "web")),
];

/** Either without the other is of no use: the first to end, or the first signal, ends both. */
function endAll(): void {
  for (const child of children) if (child.exitCode === null) child.kill("SIGTERM");
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, endAll);
const codes = await Promise.all(
  children.map(
    (child) =>
      new Promise<number>((resolve) => {
        child.once("exit", (code) => {
          endAll();
          resolve(code ?? 0);
        });
      }),
  ),
);
process.exitCode = Math.max(...codes);
