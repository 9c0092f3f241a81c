/**
 * One device that follows one session. It is pulled, never pushed: it holds a number, not a queue, so a device that
 * does not read costs nothing, and when it reads again it gets entries in order and the newest text of what streams.
 */
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Sink } from "../core/ports.ts";

/** What a follower reads from. */
export interface Source {
  /** The last stored entry. */
  readonly last: number;
  /** Stored entries from `from` on, a page of them at most. */
  read(from: number): readonly Entry[];
  /** Items that are open, and how long their text is so far. */
  streams(): Iterable<{ readonly item: ItemId; readonly length: number }>;
  /** The text of an open item after so many characters. */
  textFrom(item: ItemId, offset: number): string;
}

export class Follower {
  readonly #source: Source;
  readonly #sink: Sink;
  /** The last entry it was given. */
  #cursor: number;
  /** Characters it was given of each item that is open as of the cursor. */
  readonly #given: Map<ItemId, number>;

  constructor(source: Source, sink: Sink, cursor: number, given: Iterable<readonly [ItemId, number]>) {
    this.#source = source;
    this.#sink = sink;
    this.#cursor = cursor;
    this.#given = new Map(given);
  }

  pump(): void {
    while (this.#sink.ready()) {
      if (this.#cursor >= this.#source.last) return this.#pumpStreams();
      const entries = this.#source.read(this.#cursor + 1);
      const newest = entries.at(-1);
      if (newest === undefined) return;
      for (const entry of entries) this.#pass(entry);
      this.#cursor = newest.seq;
      this.#sink.entries(entries);
    }
  }

  gone(reason: string): void {
    this.#sink.gone(reason);
  }

  #pumpStreams(): void {
    for (const { item, length } of this.#source.streams()) {
      const given = this.#given.get(item);
      if (given === undefined || given >= length) continue;
      if (!this.#sink.ready()) return;
      this.#given.set(item, length);
      this.#sink.delta({ item, offset: given, text: this.#source.textFrom(item, given) });
    }
  }

  #pass({ fact }: Entry): void {
    if (fact.kind === "item.began") this.#given.set(fact.item.item, fact.item.body.length);
    else if (fact.kind === "item.grew")
      this.#given.set(fact.item, Math.max(this.#given.get(fact.item) ?? 0, fact.offset + fact.text.length));
    else if (fact.kind === "item.completed") this.#given.delete(fact.item.item);
  }
}
