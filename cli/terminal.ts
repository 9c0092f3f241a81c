/**
 * The terminal a command speaks to: a person's, or a pipe's. What comes from outside (agents, repositories, devices)
 * goes through `visible` before it gets here, so that nothing an agent prints can script the terminal; the only escape
 * sequences are our own, and only where a person looks.
 */
import { styleText } from "node:util";

/** Columns where there is no terminal to ask. */
const DEFAULT_COLUMNS = 80;

type Ink = (text: string) => string;

export interface Style {
  readonly coloured: boolean;
  readonly bold: Ink;
  readonly dim: Ink;
  /** Needs you. Used for nothing else. */
  readonly signal: Ink;
  /** Running, added, well. */
  readonly good: Ink;
  /** Failed, removed, destructive. */
  readonly bad: Ink;
  readonly link: Ink;
}

export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** For scripts: results as JSON lines on stdout, and nothing else there. */
  readonly json: boolean;
  /** A person is there to be asked. */
  readonly interactive: boolean;
  readonly style: Style;
  /** Of stdout, now. */
  readonly columns: number;
  /** A line of the result; silent with `--json`. */
  readonly print: (line?: string) => void;
  /** A part of a line of the result; silent with `--json`. */
  readonly write: (text: string) => void;
  /** Something on the side: on stderr, so that pipes do not carry it. */
  readonly note: (line: string) => void;
  /** The result for scripts, as one line; silent without `--json`. */
  readonly emit: (value: unknown) => void;
}

export function openTerminal(json: boolean): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // `flybridge logs | head` is not a failure.
  stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    env,
    json,
    interactive: stdin.isTTY === true && stdout.isTTY === true && !json,
    style: styleFor(stdout.isTTY === true && !json, env),
    get columns() {
      return stdout.columns ?? DEFAULT_COLUMNS;
    },
    print(line = "") {
      if (!json) stdout.write(`${line}\n`);
    },
    write(text) {
      if (!json) stdout.write(text);
    },
    note(line) {
      stderr.write(`${line}\n`);
    },
    emit(value) {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

/** Colour only for a person, and not for one who asked for none (https://no-color.org). */
export function styleFor(isTerminal: boolean, env: NodeJS.ProcessEnv): Style {
  const coloured = isTerminal && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  const ink =
    (format: Parameters<typeof styleText>[0]): Ink =>
    (text) =>
      coloured && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    coloured,
    bold: ink("bold"),
    dim: ink("dim"),
    signal: ink("yellow"),
    good: ink("green"),
    bad: ink("red"),
    link: ink("cyan"),
  };
}
