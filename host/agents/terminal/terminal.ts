/**
 * Any program in a terminal, as an agent: what it says of itself by its signals, what it asks by its screen, and the
 * keys that answer it. It is seen in the order of `docs/adr/0020`: a better source first, then signals, then the screen.
 */
import { isWithheld } from "@flybridge/protocol/ask.ts";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { AgentName, AskId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Ended } from "../agent.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import type { ScreenAgent, ScreenLaunch, ScreenOrder, Seen, Sight, Signal, Typed, Watcher } from "../screen-agent.ts";
import { QUESTION, read, type Reading } from "./reader/reader.ts";
import { type Told, toldBy } from "./title.ts";
import { beginTyping, stepTyping, type Typing } from "./typing.ts";

const NAME = "terminal" as AgentName;
const SHELL = "/bin/sh";

/** A screen that did not change for so long is at rest. */
const REST_MS = 150;
/** The programs that draw dialogs pass over keys that come right after the dialog does. */
const DIALOG_AGE_MS = 600;
/** Between two looks while an answer is typed. */
const TYPING_LOOK_MS = 250;
/** How long a program that says it waits has, to show for what, before it is told as it is. */
const SAID_ONLY_MS = 700;
/** Titles and notices are journaled this often at most: programs draw with them. */
const TITLE_PAUSE_MS = 2_000;
const NOTICE_PAUSE_MS = 2_000;

const CTRL_C = "\u0003";
const ESCAPE = "\u001b";

/** Plain JSON. */
export interface Memory {
  /** Asks and turns of this session so far. */
  asks: number;
  turns: number;
  turn?: TurnId | undefined;
  /** Its program's own word. */
  state?: Told["state"] | undefined;
  about?: string | undefined;
  app?: string | undefined;
  /** Its program speaks by OSC 7501, so its title says nothing of its state. */
  speaks?: boolean | undefined;
  title?: string | undefined;
  /** The title that was journaled. */
  reported?: string | undefined;
  open?: { readonly ask: AskId; readonly key: string; readonly at: number; readonly reading?: Reading } | undefined;
}

export const terminal: ScreenAgent<Memory> = {
  name: NAME,
  speaks: "screen",
  look,
  launch,
  watch: (memory) => new ScreenWatcher(memory),
  explain,
};

function look(env: Readonly<Record<string, string>>): Promise<AgentInfo> {
  const detail = `${env["SHELL"] ?? SHELL}, or any command`;
  return Promise.resolve({ agent: NAME, title: "Terminal", version: detail, models: [], modes: [], terminal: true });
}

function launch({ command, env, session, before }: ScreenOrder): Promise<ScreenLaunch<Memory>> {
  const [program = env["SHELL"] ?? SHELL, ...args] = command ?? [env["SHELL"] ?? SHELL, "-l"];
  // What a terminal of the person's had said of its own size is not true of this one.
  const { COLUMNS: _columns, LINES: _lines, ...own } = env;
  const { asks = 0, turns = 0 } = (before as Partial<Memory> | undefined) ?? {};
  return Promise.resolve({
    argv: [program, ...args],
    env: {
      ...own,
      TERM: "xterm-256color",
      COLORTERM: "truecolor",
      TERM_PROGRAM: "flybridge",
      // So that an agent's hook can say which session asks.
      FLYBRIDGE_SESSION: session,
    },
    memory: { asks, turns },
  });
}

function explain(_memory: Memory, { code, signal }: Ended): string | undefined {
  if (signal !== null) return `The program was ended by ${signal}.`;
  return code === null || code === 0 ? undefined : `The program ended with code ${code}.`;
}

/** What is being typed for an answer. Not stored: it may be a secret. */
interface Answering {
  readonly ask: AskId;
  readonly typing: Typing;
  /** No key before this time. */
  readonly notBefore: number;
  step: number;
}

class ScreenWatcher implements Watcher {
  readonly #memory: Memory;
  #answering: Answering | undefined;
  /** What was read at the last look, for a screen that is never at rest. */
  #before: string | undefined;
  /** The ask was not on the screen at the last look. */
  #isMissing = false;
  #saidAt: number | undefined;
  #titledAt = Number.NEGATIVE_INFINITY;
  #noticedAt = Number.NEGATIVE_INFINITY;
  #notice: string | undefined;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  see(sight: Sight): Seen {
    const outcome: Outcome = { facts: [], typed: [], again: undefined };
    for (const signal of sight.signals) this.#hear(signal, sight, outcome);
    this.#title(sight, outcome);
    const reading = this.#read(sight);
    // Words and secrets look alike on many screens; a secret must not be taken for words.
    if (reading && this.#mayBeSecret(reading) && sight.echo === undefined && !this.#answering)
      return { ...outcome, wantsEcho: true };
    if (this.#answering) this.#type(this.#answering, reading, sight, outcome);
    if (!this.#answering) this.#judge(reading, sight, outcome);
    this.#before = reading?.key;
    return outcome;
  }

  act(entry: Entry, sight: Sight): Seen {
    const outcome: Outcome = { facts: [], typed: [], again: undefined };
    const { fact } = entry;
    if (fact.kind === "interrupt.asked") {
      const keys = this.#isDialogued(sight) ? ESCAPE : CTRL_C;
      outcome.typed.push({ id: `e${entry.seq}`, keys });
    } else if (fact.kind === "ask.settled") this.#answer(fact, sight, outcome);
    return outcome;
  }

  /** One that was found to be a secret stays one, also when it is not known any more how its terminal stands. */
  #read(sight: Sight, isSecret = this.#answering?.typing.asks === "secret"): Reading | undefined {
    const { state } = this.#memory;
    return read(sight.screen, {
      state: state === "working" || state === "blocked" ? state : undefined,
      quietMs: sight.quietMs,
      echo: isSecret ? false : sight.echo === "unknown" ? undefined : sight.echo,
    });
  }

  #mayBeSecret({ key, shape }: Reading): boolean {
    return shape.asks === "text" && shape.by === "line" && this.#memory.open?.key !== key;
  }

  // ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #hear(signal: Signal, { at }: Sight, outcome: Outcome): void {
    const memory = this.#memory;
    switch (signal.kind) {
      case "status":
        memory.speaks = signal.state !== "clear";
        if (signal.app !== undefined) memory.app = signal.app;
        if (signal.state === "clear") memory.app = undefined;
        this.#tell(signal.state, signal.text, outcome);
        return;
      case "title": {
        const told = toldBy(signal.text);
        memory.title = told.title;
        if (memory.speaks) return;
        if (told.app !== undefined) memory.app = told.app;
        if (told.state !== undefined) this.#tell(told.state, undefined, outcome);
        // A shell gives its own title again when the program has left.
        else if (memory.state !== undefined) {
          memory.app = undefined;
          this.#tell("clear", undefined, outcome);
        }
        return;
      }
      case "notified":
        if (signal.text === this.#notice || at - this.#noticedAt < NOTICE_PAUSE_MS) return;
        this.#notice = signal.text;
        this.#noticedAt = at;
        outcome.facts.push({ kind: "notice", level: "info", text: wordsOf(signal.text) });
        return;
      case "bell":
    }
  }

  #tell(state: NonNullable<Told["state"]> | "clear", text: string | undefined, outcome: Outcome): void {
    const memory = this.#memory;
    memory.state = state === "clear" ? undefined : state;
    memory.about = state === "blocked" ? text : undefined;
    if (state !== "blocked") this.#saidAt = undefined;
    if ((state === "working" || state === "blocked") && memory.turn === undefined) {
      memory.turn = `turn-${++memory.turns}` as TurnId;
      outcome.facts.push({ kind: "turn.began", turn: memory.turn });
    } else if (state !== "working" && state !== "blocked" && memory.turn !== undefined) {
      const ended = { kind: "turn.ended" as const, turn: memory.turn };
      memory.turn = undefined;
      outcome.facts.push(
        state === "error"
          ? { ...ended, outcome: "failed", ...(text === undefined ? {} : { detail: wordsOf(text) }) }
          : { ...ended, outcome: "completed" },
      );
    }
  }

  #title({ at }: Sight, outcome: Outcome): void {
    const { title, reported } = this.#memory;
    if (title === undefined || title === "" || title === reported) return;
    const rest = this.#titledAt + TITLE_PAUSE_MS - at;
    if (rest > 0 && rest <= TITLE_PAUSE_MS) return again(outcome, rest);
    this.#titledAt = at;
    this.#memory.reported = title;
    outcome.facts.push({ kind: "agent.reported", title: labelOf(title) });
  }

  // ── asks ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  #judge(reading: Reading | undefined, sight: Sight, outcome: Outcome): void {
    const memory = this.#memory;
    const isResting = sight.quietMs >= REST_MS;
    const seen = reading ?? this.#said(sight, outcome);
    if (memory.open) {
      const isThere = seen?.key === memory.open.key && !sight.better;
      // A screen that is just being drawn again may be without it for a moment.
      if (!isThere && !isResting && !this.#isMissing && !sight.better) {
        this.#isMissing = true;
        return again(outcome, REST_MS);
      }
      this.#isMissing = false;
      if (isThere) return;
      outcome.facts.push({ kind: "ask.settled", ask: memory.open.ask, settlement: { kind: "withdrawn" } });
      memory.open = undefined;
    }
    if (!seen || sight.better) return;
    if (!isResting && this.#before !== seen.key) return again(outcome, REST_MS);
    this.#open(seen, sight, outcome);
  }

  #open(seen: Reading | Said, { at }: Sight, outcome: Outcome): void {
    const memory = this.#memory;
    const ask = `screen-${++memory.asks}` as AskId;
    memory.open = { ask, key: seen.key, at, ...("shape" in seen ? { reading: seen } : {}) };
    const source = "shape" in seen ? ("screen" as const) : ("signal" as const);
    outcome.facts.push({ kind: "ask.opened", ask: { ...seen.ask, ask, source } as never });
  }

  /** The program says that it waits, and its screen cannot be read. */
  #said({ at }: Sight, outcome: Outcome): Said | undefined {
    const { state, about, app, title } = this.#memory;
    if (state !== "blocked") return undefined;
    this.#saidAt ??= at;
    const rest = this.#saidAt + SAID_ONLY_MS - at;
    if (rest > 0 && rest <= SAID_ONLY_MS) {
      again(outcome, rest);
      return undefined;
    }
    const text = about ?? title ?? "The program waits for an answer.";
    const question = { question: QUESTION, header: app ?? "", text, options: [], many: false, secret: false };
    const elsewhere = "Open the terminal to answer: what it asks could not be read from its screen.";
    return { key: `said ${text}`, ask: { kind: "question", questions: [question], elsewhere } };
  }

  #answer(fact: Fact & { kind: "ask.settled" }, sight: Sight, outcome: Outcome): void {
    const memory = this.#memory;
    const { settlement } = fact;
    if (settlement.kind !== "answered" && settlement.kind !== "ruled") return;
    const { open } = memory;
    // It was given before a crash, and what came of it is stored.
    if (open?.ask !== fact.ask) return;
    memory.open = undefined;
    const reading = this.#read(sight, open.reading?.shape.asks === "secret");
    if (isWithheld(settlement.answer))
      return undone("The answer was lost before it could be typed. It is asked again.", outcome);
    if (!open.reading || reading?.key !== open.key)
      return undone("What was asked had left the screen. Nothing was typed.", outcome);
    const typing = beginTyping(reading, settlement.answer);
    if ("refusal" in typing) return undone(typing.refusal, outcome);
    const age = open.reading.shape.agent === undefined ? 0 : DIALOG_AGE_MS;
    this.#answering = { ask: fact.ask, typing, notBefore: open.at + age, step: 0 };
    this.#type(this.#answering, reading, sight, outcome);
  }

  #type(answering: Answering, reading: Reading | undefined, sight: Sight, outcome: Outcome): void {
    const early = answering.notBefore - sight.at;
    if (answering.step === 0 && early > 0 && early <= DIALOG_AGE_MS) return again(outcome, early);
    // Between keys the screen is to come to rest; for the first one it was.
    if (answering.step > 0 && sight.quietMs < REST_MS) return again(outcome, REST_MS);
    const step = stepTyping(answering.typing, reading, sight.screen);
    if ("keys" in step) {
      const id = `k${answering.ask}.${answering.step++}.${markOf(step.keys)}`;
      outcome.typed.push({ id, keys: step.keys });
      again(outcome, TYPING_LOOK_MS);
    } else if ("wait" in step) again(outcome, TYPING_LOOK_MS);
    else {
      this.#answering = undefined;
      if (step.end === "lost")
        undone("The program did not take the answer as it was meant. Look at the terminal.", outcome);
    }
  }

  #isDialogued(sight: Sight): boolean {
    const { app } = this.#memory;
    return app !== undefined || this.#read(sight)?.shape.agent !== undefined;
  }
}

interface Outcome {
  readonly facts: Fact[];
  readonly typed: Typed[];
  again: number | undefined;
}

interface Said {
  readonly key: string;
  readonly ask: object;
}

function undone(text: string, outcome: Outcome): void {
  outcome.facts.push({ kind: "notice", level: "warning", text });
  again(outcome, 1);
}

function again(outcome: Outcome, milliseconds: number): void {
  outcome.again = Math.min(outcome.again ?? Number.POSITIVE_INFINITY, milliseconds);
}

/** Tells keys apart in an id: after a crash a first key may be another than the first that was typed before (FNV-1a). */
function markOf(keys: string): string {
  let mark = 0x811c9dc5;
  for (const char of keys) mark = Math.imul(mark ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return mark.toString(36);
}
