/**
 * One process of a session's agent, as it is stored: what was heard of its output, and what it is to be given. It does
 * no I/O: bytes come in, facts and ids of lines go out. Hearing again from the store is a new `Process` from the mark.
 */
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId, PromptId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { Agent, Attached, Draft, Ended, Launch } from "../agents/agent.ts";
import type { AgentMark } from "../core/ports.ts";
import { Bodies } from "./bodies.ts";
import { type Line, Lines } from "./lines.ts";

/** Output heard but not stored, after which it is stored although no entry came of it. */
const MAX_UNSTORED_BYTES = 256 * 1024;

/** What came of output. */
export interface Outcome {
  readonly facts: readonly Fact[];
  /** Ids of lines for the process, which may be written when the facts are stored. */
  readonly owed: readonly string[];
}

export class Process {
  /** Counts the processes of the session from 1; 0 before the first. */
  readonly launch: number;
  /** Prompts given to the process that it has not taken. Not stored: after a crash they are given again, by the same id. */
  readonly handed = new Set<PromptId>();
  readonly #agent: Agent;
  /** Changed in place by the agent, so a mark holds a copy. */
  readonly #memory: unknown;
  /** The last entry of a device's that the agent was told of. Never goes down. */
  #acted: number;
  readonly #lines: Lines;
  /** The end of the last line that was heard: at most `#lines.next`, which counts the part of a line too. */
  #heard: number;
  /** The offset that is stored: hearing goes on there after a crash. */
  #stored: number;
  /** Exactly the items that are open as of `#heard`. */
  #bodies = new Bodies();
  /** Lines for the process that the keeper has not confirmed, by id, in order. They are stored with each mark. */
  readonly #owed: Map<string, string>;

  private constructor(
    agent: Agent,
    from: { launch: number; offset: number; acted: number; memory: unknown; owed: Iterable<readonly [string, string]> },
  ) {
    this.#agent = agent;
    this.launch = from.launch;
    this.#memory = from.memory;
    this.#acted = from.acted;
    this.#lines = new Lines(from.offset);
    this.#heard = from.offset;
    this.#stored = from.offset;
    this.#owed = new Map(from.owed);
  }

  /** One that was just started; entries up to `acted` are in its launch. */
  static launched(agent: Agent, launch: number, plan: Launch<unknown>, acted: number): Process {
    const owed = plan.writes.map((line, index) => [`l${launch}.${index}`, line] as const);
    return new Process(agent, { launch, offset: 0, acted, memory: plan.memory, owed });
  }

  /** As the store has it: what was heard since then will be heard again. The items it left open are given to `reopen`. */
  static stored(agent: Agent, { launch, offset, acted, memory, owed }: AgentMark): Process {
    return new Process(agent, {
      launch,
      offset,
      acted,
      memory: JSON.parse(memory) as unknown,
      owed: owed === undefined ? [] : (JSON.parse(owed) as [string, string][]),
    });
  }

  /** The entries of one item that is open. */
  reopen(item: ItemId, entries: Iterable<Entry>): void {
    for (const { fact } of entries) {
      if (fact.kind === "item.began") this.#bodies.begin(fact.item);
      else if (fact.kind === "item.grew") this.#bodies.restore(item, fact.offset, fact.text);
    }
  }

  /** What is to be stored of it with the facts that were heard so far. */
  mark(): AgentMark {
    return {
      launch: this.launch,
      offset: this.#heard,
      acted: this.#acted,
      memory: JSON.stringify(this.#memory ?? null),
      ...(this.#owed.size === 0 ? {} : { owed: JSON.stringify([...this.#owed]) }),
    };
  }

  /** A mark was stored. */
  keep({ offset }: AgentMark): void {
    this.#stored = offset;
  }

  /** What the next process's launch goes on from. */
  get memory(): unknown {
    return this.#memory;
  }

  get acted(): number {
    return this.#acted;
  }

  /** The offset of the next byte of output it has not seen. */
  get next(): number {
    return this.#lines.next;
  }

  get storedOffset(): number {
    return this.#stored;
  }

  // ── hearing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Output from `offset` on; what it has seen already is passed over. Throws RangeError on a gap. */
  hear(offset: number, bytes: Uint8Array, now: () => number): Outcome {
    const outcome = { facts: [], owed: [] };
    for (const line of this.#lines.push(offset, bytes)) this.#hearLine(line, now, outcome);
    return outcome;
  }

  /** What came after the last newline, when nothing more will come. */
  hearRest(now: () => number): Outcome {
    const outcome = { facts: [], owed: [] };
    const rest = this.#lines.rest();
    if (rest) this.#hearLine(rest, now, outcome);
    return outcome;
  }

  /** When what was heard is to be stored. `never`: nothing came of it yet, and hearing it again costs little. */
  due({ facts, owed }: Outcome): "now" | "soon" | "never" {
    const unjournaled = this.#bodies.unjournaled;
    if (facts.length > 0 || owed.length > 0 || unjournaled === "much") return "now";
    if (this.#heard - this.#stored > MAX_UNSTORED_BYTES) return "now";
    return unjournaled === "some" ? "soon" : "never";
  }

  /** Facts that journal the text that is not; from then on it counts as journaled. */
  checkpoint(): Fact[] {
    return this.#bodies.checkpoint();
  }

  /** Characters so far of an item that is open. */
  lengthOf(item: ItemId): number {
    return this.#bodies.lengthOf(item);
  }

  /** The text of an open item after so many characters. */
  textFrom(item: ItemId, offset: number): string {
    return this.#bodies.textFrom(item, offset);
  }

  #hearLine(line: Line, now: () => number, outcome: { facts: Fact[]; owed: string[] }): void {
    this.#heard = line.end;
    if (line.text === undefined) {
      const text = `The agent wrote a line of ${line.end - line.start} bytes. It was skipped.`;
      outcome.facts.push({ kind: "notice", level: "warning", text });
      return;
    }
    if (line.text === "") return;
    const heard = this.#agent.hear(this.#memory, line.text, now());
    for (const draft of heard.drafts) this.#take(draft, outcome.facts);
    outcome.owed.push(...this.#owe(`o${this.launch}.${line.start}`, heard.writes));
  }

  #take(draft: Draft, facts: Fact[]): void {
    if (draft.kind === "grow") {
      this.#bodies.grow(draft.item, draft.text);
      return;
    }
    const { fact } = draft;
    if (fact.kind === "item.began") this.#bodies.begin(fact.item);
    else if (fact.kind === "item.completed") this.#bodies.end(fact.item.item);
    else if (fact.kind === "prompt.taken") this.handed.delete(fact.prompt);
    facts.push(fact);
  }

  // ── telling ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What a device caused: the ids of the lines that tell it. None when the agent was told already. */
  tell(entry: Entry): string[] {
    if (entry.seq <= this.#acted) return [];
    const lines = this.#agent.act(this.#memory, entry, []);
    this.#acted = entry.seq;
    return this.#owe(`e${entry.seq}`, lines);
  }

  /** A prompt that is handed to it: the ids of its lines. */
  prompt(prompt: PromptId, entry: Entry, attached: readonly Attached[]): string[] {
    return this.#owe(`p${this.launch}.${prompt}`, this.#agent.act(this.#memory, entry, attached));
  }

  /** Ids of all it is owed, in order. */
  get owed(): string[] {
    return [...this.#owed.keys()];
  }

  /** A line that it is owed. */
  lineOf(id: string): string | undefined {
    return this.#owed.get(id);
  }

  /** The keeper has the line, or never will. */
  settle(id: string): void {
    this.#owed.delete(id);
  }

  /** Whatever is written is owed until the keeper says that it has it: a crash may lose what was on its way there. */
  #owe(name: string, lines: readonly string[]): string[] {
    return lines.map((line, index) => {
      const id = `${name}.${index}`;
      this.#owed.set(id, line);
      return id;
    });
  }

  // ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  explain(ended: Ended): string | undefined {
    return this.#agent.explain(this.#memory, ended);
  }

  /** It is gone: the items it leaves open, with their text. Nothing is owed to it any more; its memory stays. */
  end(): Item[] {
    const open = [...this.#bodies.items()];
    this.#bodies = new Bodies();
    this.handed.clear();
    this.#owed.clear();
    return open;
  }
}
