/**
 * The program that agents run as their hook: a shell script and its JavaScript in the state folder, so that what stands
 * in their settings stays right while Node and the host's own files move from version to version. The host writes both
 * anew at its start.
 */
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writePrivate } from "../machine/files.ts";

const OWNER_RUNS = 0o700;
const SOURCE = fileURLToPath(import.meta.resolve("../../cli/hook.mjs"));

/** `program` is the script's path; its JavaScript lies beside it. */
export interface HookProgram {
  readonly program: string;
  readonly socket: string;
}

export function writeHookProgram({ program, socket }: HookProgram): void {
  const script = `${program}.mjs`;
  writePrivate(script, readFileSync(SOURCE, "utf8"));
  writePrivate(program, programFor(script, socket));
  chmodSync(program, OWNER_RUNS);
}

/** Where it may be in somebody's settings, it is there. */
export function renewHookProgram(at: HookProgram): void {
  if (existsSync(at.program)) writeHookProgram(at);
}

/** Without a host it says nothing, and the agent asks as it always does. */
function programFor(script: string, socket: string): string {
  const [node, code, path] = [process.execPath, script, socket].map(quoted);
  return `#!/bin/sh
# Tells Flybridge what an agent asks. Written by the host at its start; see docs/hooks.md.
[ -z "$FLYBRIDGE_DRIVEN" ] && [ -S ${path} ] && [ -x ${node} ] && [ -f ${code} ] || exit 0
exec ${node} ${code} "$1" ${path} 2>/dev/null
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
