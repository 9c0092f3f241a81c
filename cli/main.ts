/** The `flybridge` command: finds the command that is meant, runs it, and turns what comes of it into an exit code. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CallError } from "@flybridge/protocol/error.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { type Command, columns, type Flags, type Given, helpOf, parse } from "./command.ts";
import { COMMANDS, findCommand } from "./commands.ts";
import { EXIT_FAILED, Fault, usage } from "./fault.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

async function main(typed: readonly string[]): Promise<number> {
  // For a fault in the words themselves, before they are understood.
  const terminal = openTerminal(typed.includes("--json"));
  try {
    const [name] = typed;
    if (name === undefined || name === "help" || name === "--help" || name === "-h") return await help(typed.slice(1));
    if (name === "--version" || name === "-v" || name === "version") {
      process.stdout.write(`${version()}\n`);
      return 0;
    }
    const { command, rest } = await commandOf(typed);
    const { words, rest: after, flags, json, help: isHelp } = parse(command, rest);
    if (isHelp) return await help([command.name]);
    return (
      (await command.run(
        words,
        flags as Given<Flags>,
        json === terminal.json ? terminal : openTerminal(json),
        after,
      )) ?? 0
    );
  } catch (error) {
    return failed(error, terminal);
  }
}

async function commandOf(typed: readonly string[]): Promise<{ command: Command; rest: readonly string[] }> {
  const found = findCommand(typed);
  if (found) return { command: await found.command.load(), rest: typed.slice(found.words) };
  const [first = ""] = typed;
  const longer = COMMANDS.flatMap(({ also }) => (also?.startsWith(`${first} `) ? [also] : []));
  throw usage(
    longer.length > 0 && first !== ""
      ? `"${visible(first)}" is half of a command. There is: ${longer.join(", ")}.`
      : `There is no command "${visible(first)}". See flybridge --help.`,
  );
}

async function help(typed: readonly string[]): Promise<number> {
  const lines = typed.length === 0 ? overview() : helpOf((await commandOf(typed)).command).split("\n");
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

function overview(): string[] {
  return [
    "Flybridge: the second set of controls for your coding agents.",
    "",
    "Usage: flybridge COMMAND [flags]",
    "",
    ...columns(COMMANDS.map(({ name, about }) => [name, about] as const)),
    "",
    "flybridge COMMAND --help shows a command's flags and examples. Each takes --json.",
  ];
}

/** One message for a person, or one JSON line, on stderr. What is no fault of ours or the host's is shown whole. */
function failed(error: unknown, terminal: Terminal): number {
  const isTold = error instanceof Fault || error instanceof CallError;
  const code = isTold ? error.code : "internal";
  const message = isTold ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (terminal.json) terminal.note(JSON.stringify({ error: { code, message } }));
  else terminal.note(visible(message));
  return error instanceof Fault ? error.exit : EXIT_FAILED;
}

function version(): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as { version: string }).version;
}

// Not by running dry: a connection that is closing may take its time to be gone, and nothing waits for it any more.
process.exit(await main(process.argv.slice(2)));
