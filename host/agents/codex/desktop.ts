/**
 * The Codex desktop app shows a conversation as it was when it read it. Where that app is, it is asked to open the one
 * that has gone on here; never anything else, so no conversation begins by it.
 */
import { execFile, spawn } from "node:child_process";
import { platform } from "node:os";
import type { Env } from "../program.ts";

/** Milliseconds for a program that says whether the app is there. */
const LOOK_MS = 5_000;
/** Bytes that it may say. */
const MAX_SAID_BYTES = 4 * 1024;

/** As Codex names conversations. What else stands behind `codex://` does other things. */
const CONVERSATION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

/** Resolves when it was asked, or there is nobody to ask. Never rejects. `FLYBRIDGE_CODEX_DESKTOP=off` turns it off. */
export async function nudge(conversation: string, env: Env, system: string = platform()): Promise<void> {
  if (env["FLYBRIDGE_CODEX_DESKTOP"] === "off" || !CONVERSATION.test(conversation)) return;
  const opener = await openerOf(system, env);
  if (opener) await open(env, ...opener, `codex://threads/${conversation}`);
}

/** What opens a link in the app, where that is there. */
async function openerOf(system: string, env: Env): Promise<readonly [string, ...string[]] | undefined> {
  if (system === "darwin") return (await said(env, "pgrep", "-x", "Codex")) === "" ? undefined : ["open", "-g"];
  // Without a screen there is nothing to open it on, and a browser of the terminal would be asked.
  if (system !== "linux" || (env["DISPLAY"] ?? env["WAYLAND_DISPLAY"] ?? "") === "") return undefined;
  return (await said(env, "xdg-mime", "query", "default", "x-scheme-handler/codex")) === "" ? undefined : ["xdg-open"];
}

/** Nothing where the program is missing or fails. */
function said(env: Env, program: string, ...args: string[]): Promise<string> {
  const options = { env: { ...env }, timeout: LOOK_MS, maxBuffer: MAX_SAID_BYTES };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, output) => resolve(error ? "" : output.trim()));
  });
}

/** In a group of its own: some openers become the app, which is nobody's to end. */
function open(env: Env, program: string, ...args: string[]): Promise<void> {
  const child = spawn(program, args, { env: { ...env }, detached: true, stdio: "ignore" });
  child.unref();
  return new Promise((resolve) => {
    child.once("error", () => resolve()).once("exit", () => resolve());
  });
}
