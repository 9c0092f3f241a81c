/** `flybridge logs`: what a session has done, or what the host has written down of itself. */
import { createReadStream, existsSync, readSync, openSync, closeSync, fstatSync, watch as watchFile } from "node:fs";
import type { OpenSession } from "@flybridge/client/replica.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { hasEnded, namer } from "./attach.ts";
import { command } from "./command.ts";
import { entriesAfter } from "./entries.ts";
import { Fault, usage } from "./fault.ts";
import { connectHost, type LocalHost } from "./local.ts";
import { sessionOf } from "./session.ts";
import { stateOf } from "./shell-file.ts";
import type { Style, Terminal } from "./terminal.ts";
import { makeTranscript } from "./transcript.ts";
import { until } from "./watch.ts";

const DEFAULT_LINES = 100;
const MAX_LINES = 100_000;
/** Bytes at the end of the host's log in which its last lines are looked for. */
const TAIL_BYTES = 4 * 1024 * 1024;

export default command({
  name: "logs",
  about: "Prints a session's transcript; without a session, the end of the host's own log (also when no host runs).",
  words: [{ name: "ID", about: "a session, or enough of its id" }],
  flags: {
    follow: { type: "boolean", short: "f", about: "go on as more comes" },
    lines: {
      type: "string",
      short: "n",
      value: "N",
      about: `at most so many rows or lines from the end; ${DEFAULT_LINES} if not given`,
    },
    all: { type: "boolean", about: "from the beginning" },
  },
  examples: [
    ["flybridge logs", "the end of the host's log"],
    ["flybridge logs 9f3c21ab --all > session.txt", "a whole session"],
    ["flybridge logs 9f3c21ab --json", "its journal, one entry per line"],
  ],
  async run([typed], flags, terminal) {
    const lines = flags.all === true ? Infinity : linesFrom(flags.lines);
    if (typed === undefined) return hostLog(stateOf(terminal.env).log, lines, flags.follow === true, terminal);
    using host = await connectHost(terminal.env);
    const { session, last } = await sessionOf(host, typed);
    const follow = flags.follow === true;
    if (terminal.json) {
      const isEnough = follow ? hasEnded : () => true;
      for await (const entry of entriesAfter(host, session, Math.max(0, last - lines), isEnough)) terminal.emit(entry);
      return;
    }
    const opened = host.replica.open(session);
    try {
      await transcript(host, opened, lines, follow, terminal);
    } finally {
      opened.close();
    }
  },
});

async function transcript(
  host: LocalHost,
  opened: OpenSession,
  lines: number,
  follow: boolean,
  terminal: Terminal,
): Promise<void> {
  const { view } = opened;
  await Promise.race([until(view, ({ live }) => live || undefined), host.lost]);
  while (view.value.from > 1 && view.value.rows.length < lines) await Promise.race([opened.older(), host.lost]);
  const hidden = Math.max(0, view.value.rows.length - lines);
  if (hidden > 0 || view.value.from > 1) terminal.print(terminal.style.dim("… earlier rows: --all"));
  const shown = makeTranscript({ write: terminal.write, style: terminal.style, nameOf: namer(host) });
  const firstKey = view.value.rows[hidden]?.key;
  await Promise.race([
    until(view, ({ rows, live, state }) => {
      const first = rows.findIndex(({ key }) => key === firstKey);
      shown.show({ rows: first < 0 ? rows : rows.slice(first) });
      return !follow || (live && state && hasEnded(state)) ? true : undefined;
    }),
    host.lost,
  ]);
  shown.breakLine();
}

async function hostLog(path: string, lines: number, follow: boolean, terminal: Terminal): Promise<void> {
  if (!existsSync(path))
    throw new Fault("files", `There is no log at ${path}: no host has run here yet. Start one with flybridge up.`);
  const { text, size } = tailOf(path);
  const all = text.split("\n").filter((line) => line !== "");
  for (const line of all.slice(lines === Infinity ? 0 : -lines)) tell(line, terminal);
  if (follow) await followFile(path, size, (line) => tell(line, terminal));
}

function tailOf(path: string): { text: string; size: number } {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString();
    // What was cut in the middle is not a line.
    return { text: bytes.length < size ? text.slice(text.indexOf("\n") + 1) : text, size };
  } finally {
    closeSync(file);
  }
}

/** Never resolves: it goes on until the command is ended. */
function followFile(path: string, from: number, line: (text: string) => void): Promise<never> {
  let at = from;
  let rest = "";
  let reading = false;
  const read = (): void => {
    if (reading) return;
    reading = true;
    const stream = createReadStream(path, { start: at, encoding: "utf8" });
    stream.on("data", (chunk) => {
      at += Buffer.byteLength(chunk);
      const parts = (rest + chunk.toString()).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) line(part);
    });
    stream.on("close", () => (reading = false));
  };
  watchFile(path, read);
  read();
  return new Promise(() => {});
}

function tell(line: string, terminal: Terminal): void {
  terminal.emit(jsonFrom(line) ?? { msg: line });
  terminal.print(logLine(line, terminal.style));
}

/** A line of the log for a person: when, what, and the rest. Anything else as it is, made safe. */
export function logLine(line: string, style: Style): string {
  const json = jsonFrom(line);
  if (!json || typeof json["msg"] !== "string") return visible(line);
  const { time, level, msg, pid: _, hostname: __, ...rest } = json;
  const at = typeof time === "number" && Number.isFinite(new Date(time).getTime()) ? new Date(time).toISOString() : "";
  const facts = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const ink =
    typeof level === "number" && level >= 50
      ? style.bad
      : typeof level === "number" && level >= 40
        ? style.bold
        : (text: string) => text;
  return [style.dim(at), ink(visibleLine(String(msg))), style.dim(visibleLine(facts.join(" ")))]
    .filter((part) => part !== "")
    .join(" ");
}

function jsonFrom(line: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function linesFrom(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LINES;
  const lines = Number(text);
  if (/^\d{1,6}$/u.test(text) && lines >= 1 && lines <= MAX_LINES) return lines;
  throw usage(`--lines ${text} is not a number from 1 to ${MAX_LINES}.`);
}
