/**
 * An agent driven as the host drives it, without a host: its real process on pipes, its lines heard, its entries
 * numbered and folded. Everything is recorded, so that a contract can hear it all again.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Agent, Attached, Draft, Ended, LaunchOrder } from "@flybridge/host/agents/agent.ts";
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import { Fact, type Entry, type FactOf } from "@flybridge/protocol/entry.ts";
import { apply, opened } from "@flybridge/protocol/fold.ts";
import { uuid7From, type DeviceId, type ItemId, type PromptId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import * as v from "valibot";

/** The device that answers in tests. */
export const DEVICE = "device".padEnd(43, "-") as DeviceId;

/** Longer than any step of a test takes; a test that waits for what never comes then says for what. */
const PATIENCE_MS = 120_000;

/** What the agent was given, in order: lines of its process and facts of devices. */
export type Given =
  | { readonly kind: "line"; readonly line: string; readonly at: number }
  | { readonly kind: "act"; readonly entry: Entry };

export interface Recording {
  /** As JSON text, taken before the first line. */
  readonly memory: string;
  readonly given: readonly Given[];
}

export interface Driven extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly entries: readonly Entry[];
  /** What devices were sent between entries, in order. */
  readonly deltas: readonly Extract<Draft, { kind: "grow" }>[];
  /** Lines that were written to the child. */
  readonly written: readonly string[];
  readonly recording: Recording;
  /** Resolves when the process is gone and all it said was heard. */
  readonly ended: Promise<Ended>;
  state(): SessionState;
  memory(): unknown;
  /** The text of an item as a device that saw every delta has it. */
  bodyOf(item: ItemId): string;
  items(): Item[];
  prompt(text: string, delivery?: "queue" | "steer", attached?: readonly Attached[]): PromptId;
  give(fact: Fact, attached?: readonly Attached[]): void;
  answer(ask: Ask, answer: Answer): void;
  /** The first entry of a kind, from `after` on, that satisfies `test`. */
  fact<Kind extends Fact["kind"]>(
    kind: Kind,
    test?: (fact: FactOf<Kind>) => boolean,
    after?: number,
  ): Promise<FactOf<Kind>>;
  /** Waits until something holds, looking again after each line. */
  until(holds: () => boolean, what: string): Promise<void>;
  /** Prompts and waits for the end of the turn it began. */
  turn(text: string): Promise<FactOf<"turn.ended">>;
  /** The next ask that is opened after the call. */
  ask(): Promise<Ask>;
}

let prompts = 0;

export async function drive<Memory>(agent: Agent<Memory>, order: LaunchOrder): Promise<Driven> {
  const launched = await agent.launch(order);
  const { memory } = launched;
  const [program, ...args] = launched.argv;
  const child = spawn(program, args, { cwd: order.workspace, env: launched.env, stdio: ["pipe", "pipe", "pipe"] });
  const entries: Entry[] = [];
  const deltas: Extract<Draft, { kind: "grow" }>[] = [];
  const given: Given[] = [];
  const written: string[] = [];
  const bodies = new Map<ItemId, string>();
  const watchers = new Set<() => void>();
  let errors = "";
  let state: SessionState | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  child.stdin.on("error", () => undefined);

  const write = (lines: readonly string[]): void => {
    for (const line of lines) {
      written.push(line);
      child.stdin.write(`${line}\n`);
    }
  };
  const append = (fact: Fact): Entry => {
    const entry: Entry = { seq: entries.length + 1, at: Date.now(), fact };
    entries.push(entry);
    if (fact.kind === "session.opened") state = opened(order.session, entry.at, fact);
    else if (state) state = apply(state, entry);
    return entry;
  };
  const take = (draft: Draft): void => {
    if (draft.kind === "grow") {
      deltas.push(draft);
      bodies.set(draft.item, (bodies.get(draft.item) ?? "") + draft.text);
      return;
    }
    const fact = v.parse(Fact, draft.fact);
    if (fact.kind === "item.began" || fact.kind === "item.completed") bodies.set(fact.item.item, fact.item.body);
    append(fact);
  };
  const tell = (): void => {
    for (const watcher of watchers) watcher();
  };
  const give = (fact: Fact, attached: readonly Attached[] = []): void => {
    const entry = append(fact);
    given.push({ kind: "act", entry });
    write(agent.act(memory, entry, attached));
    tell();
  };

  append({
    kind: "session.opened",
    agent: agent.name,
    workspace: order.workspace,
    by: DEVICE,
    ...(order.model === undefined ? {} : { model: order.model }),
    ...(order.mode === undefined ? {} : { mode: order.mode }),
  });
  append({ kind: "agent.started", pid: child.pid ?? 0 });
  const recording: Recording = { memory: JSON.stringify(memory), given };
  write(launched.writes);

  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  lines.on("line", (line) => {
    const at = Date.now();
    given.push({ kind: "line", line, at });
    const heard = agent.hear(memory, line, at);
    for (const draft of heard.drafts) take(draft);
    write(heard.writes);
    tell();
  });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code, signal]]) => {
    const end: Ended = { code: code as number | null, signal: signal as string | null, errors };
    tell();
    return end;
  });

  const until = (holds: () => boolean, what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds()) return;
        clearTimeout(timer);
        watchers.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        watchers.delete(look);
        const last = entries.slice(-5).map((entry) => JSON.stringify(entry.fact).slice(0, 300));
        reject(new Error(`Waited in vain for ${what}. The last entries:\n${last.join("\n")}\n${errors}`));
      }, PATIENCE_MS);
      watchers.add(look);
      look();
    });

  const fact: Driven["fact"] = async (kind, test = () => true, after = 0) => {
    const find = (): Entry | undefined =>
      entries.find((entry) => entry.seq > after && entry.fact.kind === kind && test(entry.fact as FactOf<typeof kind>));
    await until(() => find() !== undefined, kind);
    return find()?.fact as FactOf<typeof kind>;
  };

  const prompt: Driven["prompt"] = (text, delivery = "queue", attached = []) => {
    prompts += 1;
    const id = uuid7From(Date.now(), new Uint8Array(10).fill(prompts % 256)) as string as PromptId;
    give({ kind: "prompt.accepted", prompt: id, text, delivery, by: DEVICE }, attached);
    return id;
  };

  return {
    child,
    entries,
    deltas,
    written,
    recording,
    ended,
    state: () => state as SessionState,
    memory: () => memory,
    bodyOf: (item) => bodies.get(item) ?? "",
    items: () => entries.flatMap((entry) => (entry.fact.kind === "item.completed" ? [entry.fact.item] : [])),
    prompt,
    give,
    answer: (ask, answer) =>
      give({ kind: "ask.settled", ask: ask.ask, settlement: { kind: "answered", answer, by: DEVICE } }),
    fact,
    until,
    turn: async (text) => {
      const after = entries.length;
      prompt(text);
      return fact("turn.ended", undefined, after);
    },
    ask: async () => (await fact("ask.opened", undefined, entries.length)).ask,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
