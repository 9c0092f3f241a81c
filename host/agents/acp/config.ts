/**
 * The person's own ACP agents: `agents.json` in the state folder, a list of {name, title?, command, env?, install?}.
 * What is wrong in it is an agent that says so where agents are listed; nothing in it can stop the host.
 */
import { readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { AgentName } from "@flybridge/protocol/ids.ts";
import { MAX_ARGUMENTS, MAX_LABEL_CHARS, MAX_PATH_CHARS } from "@flybridge/protocol/limits.ts";
import * as v from "valibot";
import type { Agent } from "../agent.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { acpAgent } from "./acp.ts";
import type { AcpEntry } from "./entry.ts";

export const CONFIG = "agents.json";
/** Bytes of the file, and agents in it. */
const MAX_FILE_BYTES = 256 * 1024;
const MAX_AGENTS = 64;
/** Characters of a value in an environment. */
const MAX_VALUE_CHARS = 32 * 1024;
/** Others may not write it: whoever does says what runs here. */
const WRITABLE_BY_OTHERS = 0o022;

const word = v.pipe(
  v.string(),
  v.maxLength(MAX_PATH_CHARS),
  v.check((text) => !text.includes("\0"), "has a zero character"),
);
const program = v.pipe(
  word,
  v.minLength(1, "is empty"),
  v.check(
    (text) => isAbsolute(text) || !/[/\\]/u.test(text),
    "must be an absolute path, or a name that is found on the PATH",
  ),
);
const command = v.pipe(v.tupleWithRest([program], word), v.maxLength(MAX_ARGUMENTS));
const Own = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^(?!agents-json)[a-z][a-z0-9-]{0,31}$/u, "must be small letters, digits and dashes, at most 32"),
  ),
  title: v.optional(v.pipe(v.string(), v.minLength(1, "is empty"), v.maxLength(MAX_LABEL_CHARS))),
  command,
  install: v.optional(command),
  env: v.optional(
    v.record(
      v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/u, "is no name of a variable")),
      v.pipe(
        v.string(),
        v.maxLength(MAX_VALUE_CHARS),
        v.check((text) => !text.includes("\0"), "has a zero character"),
      ),
    ),
  ),
});

/** Agents that the person added, and one for each thing that is wrong. `taken` are names that are given already. */
export function ownAgents(folder: string, taken: ReadonlySet<string>): readonly Agent[] {
  const path = join(folder, CONFIG);
  const read = readList(path);
  if (typeof read === "string") return read === "" ? [] : [brokenAgent(0, CONFIG, read)];
  const names = new Set(taken);
  const agents = read.slice(0, MAX_AGENTS).map((entry, place): Agent => {
    const number = place + 1;
    const title = labelOf(`${CONFIG}, agent ${number}`);
    const parsed = v.safeParse(Own, entry);
    if (!parsed.success) return brokenAgent(number, title, `${path}: agent ${number}: ${issuesIn(parsed.issues)}`);
    const { name, title: own = name, command: words, install, env } = parsed.output;
    if (names.has(name)) {
      return brokenAgent(
        number,
        title,
        `${path}: agent ${number} has the name "${name}", which another agent has. Give it another.`,
      );
    }
    names.add(name);
    const made: AcpEntry = {
      name,
      title: own,
      command: words as AcpEntry["command"],
      ...(install === undefined ? {} : { install: install as [string, ...string[]] }),
      ...(env === undefined ? {} : { env }),
    };
    return acpAgent(made);
  });
  if (read.length <= MAX_AGENTS) return agents;
  const more = `${path} has ${read.length} agents: those after the first ${MAX_AGENTS} are left out.`;
  return [...agents, brokenAgent(MAX_AGENTS + 1, CONFIG, more)];
}

/** The list, or what is wrong with it; empty words where there is no file. */
function readList(path: string): readonly unknown[] | string {
  let text: string;
  try {
    const { size, mode } = statSync(path);
    if (size > MAX_FILE_BYTES) return `${path} has ${size} bytes; ${MAX_FILE_BYTES} are the most that is read.`;
    if (process.platform !== "win32" && (mode & WRITABLE_BY_OTHERS) !== 0) {
      return `${path} can be written by others, who would then say what runs here. Run \`chmod 600\` on it.`;
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "" : `${path} cannot be read: ${(error as Error).message}`;
  }
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list)) return list;
    return `${path} must be a list of agents: [{ "name": "…", "command": ["…"] }].`;
  } catch (error) {
    return `${path} is not JSON: ${(error as Error).message}`;
  }
}

function issuesIn(issues: readonly v.BaseIssue<unknown>[]): string {
  const said = issues.slice(0, 5).map((issue) => `${v.getDotPath(issue) ?? "it"} ${issue.message}`);
  return `${said.join("; ")}. See docs/agents.md.`;
}

/** Stands where an agent would: it is listed with what is wrong, and does not start. */
function brokenAgent(number: number, title: string, why: string): Agent {
  const name = v.parse(AgentName, `agents-json-${number}`);
  const message = wordsOf(why);
  const info: AgentInfo = { agent: name, title, models: [], modes: [], problem: { code: "broken", message } };
  return {
    name,
    look: () => Promise.resolve(info),
    launch: () => Promise.reject(new CallError("agent_unavailable", message)),
    hear: () => ({ drafts: [], writes: [] }),
    act: () => [],
    explain: () => undefined,
  };
}
