/** A program on a real terminal whose asks are read and answered as the host does it: for the test of typing. */
import { setTimeout as wait } from "node:timers/promises";
import type { Answer } from "@flybridge/protocol/ask.ts";
import { findProgram } from "@flybridge/keeper/program.ts";
import { startTerminal } from "@flybridge/keeper/terminal.ts";
import { Emulator } from "../../live/terminal/emulator.ts";
import { QUESTION, read, type Reading } from "./reader/reader.ts";
import { beginTyping, stepTyping, type Typing } from "./typing.ts";

/** A screen rests when nothing came for so long; a key that moved nothing is looked at again after the longer time. */
const REST_MS = 80;
const AGAIN_MS = 400;
/** How long anything may take on a busy machine. */
const LIMIT_MS = 45_000;
const LOOK_MS = 15;

export interface Stage extends Disposable {
  /** Waits for an ask. */
  asked(): Promise<Reading>;
  /** Types the answer to what is asked; how it ended, or why it cannot be typed. */
  answer(reading: Reading, answer: Answer): Promise<"done" | "lost" | { readonly refusal: string }>;
  /** Waits until the screen shows it. */
  shows(pattern: RegExp): Promise<string>;
  readonly text: string;
  type(keys: string): void;
}

export function stage(argv: readonly [string, ...string[]], cwd: string, env: Record<string, string> = {}): Stage {
  const order = {
    argv: [...argv] as [string, ...string[]],
    cwd,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: cwd,
      TERM: "xterm-256color",
      LANG: "C.UTF-8",
      PS1: "sam@box:~$ ",
      ...env,
    },
    terminal: { cols: 100, rows: 30 },
  };
  let last = Date.now();
  const emulator = new Emulator(order.terminal, { answer: (text) => type(text), signal: () => {} });
  const program = startTerminal(findProgram(order as never), order as never, {
    output: (bytes) => {
      emulator.write(Buffer.from(bytes));
      last = Date.now();
    },
    errors: () => {},
    ended: () => {},
    exited: () => {},
  });
  program.flow(true);
  let writing = Promise.resolve();
  const type = (keys: string): void => {
    writing = writing.then(() => program.write(Buffer.from(keys))).catch(() => {});
  };
  const look = (): Reading | undefined => read(emulator.screen(), { quietMs: Date.now() - last });
  const rested = async (since: number): Promise<void> => {
    const end = Date.now() + LIMIT_MS;
    for (;;) {
      await wait(LOOK_MS);
      const now = Date.now();
      if (last > since ? now - last >= REST_MS : now - since >= AGAIN_MS) return;
      if (now > end) throw new Error(`The screen does not come to rest:\n${emulator.text()}`);
    }
  };
  const until = async <Result>(find: () => Result | undefined, what: string): Promise<Result> => {
    const end = Date.now() + LIMIT_MS;
    for (;;) {
      const found = Date.now() - last >= REST_MS ? find() : undefined;
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error(`${what}:\n${emulator.text()}`);
      await wait(LOOK_MS);
    }
  };
  return {
    asked: () => until(look, "Nothing is asked"),
    async answer(reading, answer) {
      const begun = beginTyping(reading, answer);
      if ("refusal" in begun) return begun;
      // As the host keeps it: plain JSON from look to look.
      let typing = JSON.parse(JSON.stringify(begun)) as Typing;
      for (;;) {
        const step = stepTyping(typing, look(), emulator.screen());
        typing = JSON.parse(JSON.stringify(typing)) as Typing;
        if ("end" in step) return step.end;
        const since = Date.now();
        if ("keys" in step) type(step.keys);
        await rested(since);
      }
    },
    shows: (pattern) => until(() => pattern.exec(emulator.text())?.[0], `The screen does not show ${String(pattern)}`),
    get text() {
      return emulator.text();
    },
    type,
    [Symbol.dispose]() {
      try {
        process.kill(program.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
      program[Symbol.dispose]();
      emulator[Symbol.dispose]();
    },
  };
}

export function picked(...picks: string[]): Answer {
  return { kind: "replies", replies: [{ question: QUESTION, picks }] };
}

export function said(text: string): Answer {
  return { kind: "replies", replies: [{ question: QUESTION, picks: [], text }] };
}
