/** The items that are open, with the text that has streamed into them: what is journaled of it, and what is not yet. */
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { CHECKPOINT_CHARS, MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";

interface Body {
  readonly item: Item;
  text: string;
  /** Characters of `text` that are in the journal. */
  journaled: number;
}

export class Bodies {
  readonly #open = new Map<ItemId, Body>();

  begin(item: Item): void {
    this.#open.set(item.item, { item, text: item.body, journaled: item.body.length });
  }

  /** Text that streamed in; beyond MAX_BODY_CHARS it is dropped. Of an item that is not open: nothing. */
  grow(item: ItemId, text: string): void {
    const body = this.#open.get(item);
    if (body) body.text += text.slice(0, Math.max(0, MAX_BODY_CHARS - body.text.length));
  }

  /** What was journaled before this process began. */
  restore(item: ItemId, offset: number, text: string): void {
    const body = this.#open.get(item);
    if (!body || offset > body.text.length) return;
    body.text = body.text.slice(0, offset) + text;
    body.journaled = body.text.length;
  }

  end(item: ItemId): void {
    this.#open.delete(item);
  }

  textOf(item: ItemId): string {
    return this.#open.get(item)?.text ?? "";
  }

  /** The items with their text so far. */
  *items(): Generator<Item> {
    for (const { item, text } of this.#open.values()) yield { ...item, body: text };
  }

  /** Facts that journal what is not; from then on it counts as journaled. */
  checkpoint(): Fact[] {
    const facts: Fact[] = [];
    for (const [item, body] of this.#open) {
      if (body.text.length === body.journaled) continue;
      facts.push({ kind: "item.grew", item, offset: body.journaled, text: body.text.slice(body.journaled) });
      body.journaled = body.text.length;
    }
    return facts;
  }

  /** Whether anything is not journaled, and whether it is enough to journal now. */
  get unjournaled(): "nothing" | "some" | "much" {
    let most = 0;
    for (const { text, journaled } of this.#open.values()) most = Math.max(most, text.length - journaled);
    return most === 0 ? "nothing" : most < CHECKPOINT_CHARS ? "some" : "much";
  }
}
