/** What a scene can do in a turn: speak, think, use tools, ask. Whatever is open when the turn is interrupted is closed. */
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import type { Fact, Usage } from "@flybridge/protocol/entry.ts";
import type { AskId, ItemId, TurnId } from "@flybridge/protocol/ids.ts";
import type { Item, ToolItem } from "@flybridge/protocol/item.ts";
import { room } from "../bounds.ts";
import type { Said } from "./wire.ts";

/** Milliseconds between two words, before the pace. */
const WORD_MS = 28;
/** Pieces poured between two looks at what came in. */
const POUR_PIECES = 256;

export type Say = (said: Said) => Promise<void>;
type AskOf<Kind extends Ask["kind"]> = Omit<Extract<Ask, { kind: Kind }>, "ask" | "kind" | "item">;
export type Steps = Extract<Item, { kind: "todo" }>["steps"];

interface Call {
  readonly name: string;
  readonly kind: ToolItem["tool"]["kind"];
  readonly object: string;
  readonly input?: object;
  readonly edits?: ToolItem["tool"]["edits"];
  readonly parent?: ItemId;
}

interface Running {
  readonly item: ItemId;
  /** More output, at once. */
  print(text: string): Promise<void>;
  end(state?: "done" | "failed" | "refused", more?: { readonly exit?: number }): Promise<void>;
}

export interface Stage {
  /** What the person wrote after the scene's own word. */
  readonly rest: string;
  /** Nothing is asked for that may be done. */
  readonly free: boolean;
  words(text: string, parent?: ItemId): Promise<void>;
  thought(text: string, parent?: ItemId): Promise<void>;
  /** One text without pauses, in as many pieces as are given. */
  pour(pieces: Iterable<string> | AsyncIterable<string>): Promise<void>;
  call(call: Call): Promise<Running>;
  /** A call that ends with what it read. */
  read(call: Call, output: string): Promise<void>;
  steps(steps: Steps): Promise<void>;
  notice(level: "info" | "warning" | "error", text: string): Promise<void>;
  approval(ask: AskOf<"approval">, item?: ItemId): Promise<Answer>;
  question(ask: AskOf<"question">): Promise<Answer>;
  plan(ask: AskOf<"plan">): Promise<Answer>;
  pause(milliseconds: number): Promise<void>;
}

/** Thrown through a scene when the turn is interrupted. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Thrown by a scene that means its turn to fail. */
export class SceneFault extends Error {
  override readonly name = "SceneFault";
}

export interface Play {
  readonly turn: TurnId;
  readonly rest: string;
  readonly signal: AbortSignal;
  readonly free: () => boolean;
  readonly pace: () => number;
  readonly say: Say;
  readonly id: () => string;
  /** Resolves with what a device answered. */
  readonly answered: (ask: AskId) => Promise<Answer>;
  /** What was steered into this turn since the last look. */
  readonly steered: () => readonly string[];
}

/** The stage of one turn, and how to clear it. */
export function stageOf(play: Play): {
  readonly stage: Stage;
  readonly clear: () => Promise<void>;
  readonly usage: () => Usage;
} {
  const open = new Map<ItemId, Item>();
  const asks = new Set<AskId>();
  let spoken = 0;

  const fact = (one: Fact): Promise<void> => play.say({ kind: "fact", fact: one });
  const common = (parent?: ItemId) => ({
    item: play.id() as ItemId,
    turn: play.turn,
    ...(parent === undefined ? {} : { parent }),
    body: "",
    at: Date.now(),
  });
  const begin = async (item: Item): Promise<void> => {
    open.set(item.item, item);
    await fact({ kind: "item.began", item });
  };
  const grow = async (item: Item, text: string): Promise<void> => {
    const piece = room(item.body.length, text);
    if (piece === "") return;
    item.body += piece;
    spoken += piece.length;
    await play.say({ kind: "grow", item: item.item, text: piece });
  };
  const complete = async (item: Item): Promise<void> => {
    open.delete(item.item);
    await fact({ kind: "item.completed", item });
  };

  const pause = async (milliseconds: number): Promise<void> => {
    play.signal.throwIfAborted();
    const wait = milliseconds * play.pace();
    if (wait > 0) await until(play.signal, (resolve) => setTimeout(resolve, wait));
    else await new Promise(setImmediate);
    play.signal.throwIfAborted();
  };

  const stream = async (item: Item, text: string): Promise<void> => {
    await begin(item);
    for (const word of text.match(/\S+\s*|\s+/gu) ?? []) {
      await grow(item, word);
      await pause(WORD_MS);
    }
    await complete(item);
  };

  /** Steering is taken between two things, as a real agent takes it between two model calls. */
  const heed = async (): Promise<void> => {
    for (const text of play.steered()) {
      await stream({ ...common(), kind: "words" }, `You steered me: _${text}_. I go on with that in mind.`);
    }
  };

  const call = async (one: Call): Promise<Running> => {
    await heed();
    const item: ToolItem = {
      ...common(one.parent),
      kind: "tool",
      tool: {
        name: one.name,
        kind: one.kind,
        object: one.object,
        input: JSON.stringify(one.input ?? { [one.kind === "command" ? "command" : "path"]: one.object }),
        edits: one.edits ?? [],
        state: "running",
      },
    };
    await begin(item);
    return {
      item: item.item,
      print: async (text) => {
        play.signal.throwIfAborted();
        await grow(item, text);
      },
      end: (state = "done", more = {}) => {
        item.tool = { ...item.tool, ...more, state };
        return complete(item);
      },
    };
  };

  const decide = async (ask: Ask): Promise<Answer> => {
    asks.add(ask.ask);
    const answer = play.answered(ask.ask);
    await fact({ kind: "ask.opened", ask });
    const decided = await Promise.race([answer, until<never>(play.signal, () => undefined)]);
    asks.delete(ask.ask);
    return decided;
  };
  const askId = (): AskId => play.id() as AskId;

  const stage: Stage = {
    rest: play.rest,
    get free() {
      return play.free();
    },
    words: async (text, parent) => {
      await heed();
      await stream({ ...common(parent), kind: "words" }, text);
    },
    thought: (text, parent) => stream({ ...common(parent), kind: "thought" }, text),
    pour: async (pieces) => {
      const item: Item = { ...common(), kind: "words" };
      await begin(item);
      let count = 0;
      for await (const piece of pieces) {
        await grow(item, piece);
        count += 1;
        // Even a flood must hear that it is to stop.
        if (count % POUR_PIECES === 0) await new Promise(setImmediate);
        play.signal.throwIfAborted();
      }
      await complete(item);
    },
    call,
    read: async (one, output) => {
      const running = await call(one);
      await pause(250);
      await running.print(output);
      await running.end();
    },
    steps: async (steps) => {
      const item: Item = { ...common(), kind: "todo", steps };
      await begin(item);
      await complete(item);
    },
    notice: (level, text) => fact({ kind: "notice", level, text }),
    approval: (ask, item) =>
      decide({ ...ask, ...(item === undefined ? {} : { item }), ask: askId(), kind: "approval" }),
    question: (ask) => decide({ ...ask, ask: askId(), kind: "question" }),
    plan: (ask) => decide({ ...ask, ask: askId(), kind: "plan" }),
    pause,
  };

  return {
    stage,
    clear: async () => {
      for (const ask of asks) await fact({ kind: "ask.settled", ask, settlement: { kind: "withdrawn" } });
      for (const item of [...open.values()].toReversed()) {
        if (item.kind === "tool") item.tool = { ...item.tool, state: "failed" };
        await complete(item);
      }
    },
    usage: () => usageFor(spoken),
  };
}

/** As if a model had spoken: four characters a token. */
function usageFor(characters: number): Usage {
  const output = Math.ceil(characters / 4);
  const input = 1_200;
  return {
    input,
    output,
    cached: 9_000,
    dollars: input * 3e-6 + output * 15e-6,
    context: { used: 10_200 + output, size: 200_000 },
  };
}

/** Settles as `begin` makes it, or rejects with the signal's reason. */
function until<Value>(signal: AbortSignal, begin: (resolve: (value: Value) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    begin(resolve);
  });
}
