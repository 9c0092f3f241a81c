/** What is being typed at the caret: a file to mention after `@`, or a command of the agent's after a `/` at the start. */
import type { AgentCommand } from "@flybridge/protocol/agent.ts";

/** Commands offered at once; more letters narrow them. */
const MAX_COMMANDS_SHOWN = 50;

export interface Typed {
  readonly kind: "file" | "command";
  /** Where it begins, mark included; it ends at the caret. */
  readonly from: number;
  /** Without its mark and quotes. */
  readonly query: string;
}

/** Undefined where nothing of the kind is being typed. An address of a mail is none: a mark stands after a space. */
export function typedAt(text: string, caret: number): Typed | undefined {
  const before = text.slice(0, caret);
  const command = /^\s*\/([^\s/]*)$/u.exec(before);
  if (command) return { kind: "command", from: before.lastIndexOf("/"), query: command[1] ?? "" };
  const file = /(?:^|[\s([{])@(?:"([^"\n]*)|([^\s"@]*))$/u.exec(before);
  if (!file) return undefined;
  const query = file[1] ?? file[2] ?? "";
  return { kind: "file", from: before.lastIndexOf("@"), query };
}

/** As agents read it; a path with a space is quoted. A folder stays open for what is in it. */
export function mentionOf(path: string): string {
  const isFolder = path.endsWith("/");
  if (/\s/u.test(path)) return isFolder ? `@"${path}` : `@"${path}" `;
  return isFolder ? `@${path}` : `@${path} `;
}

/** Those that begin so first, then those that have it somewhere in the name. */
export function commandsLike(commands: readonly AgentCommand[], query: string): readonly AgentCommand[] {
  const wanted = query.toLowerCase();
  const begins = commands.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const has = commands.filter(
    ({ name }) => !begins.some((one) => one.name === name) && name.toLowerCase().includes(wanted),
  );
  return [...begins, ...has].slice(0, MAX_COMMANDS_SHOWN);
}
