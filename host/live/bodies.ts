/** The items that are open, with the text that has streamed into them: what is journaled of it, and what is not yet. */
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { CHECKPOINT_CHARS, MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";

interface Body {
  readonly item: Item;
  /** What is in the journal. Read seldom: to cut a piece off a text that was put together, all of it is copied. */
  journaled: string;
  /** What came since, CHECKPOINT_CHARS and one line at most: what streams is cut from here. */
  fresh: string;
}

export class Bodies {
  readonly #open = new Map<ItemId, Body>();

  begin(item: Item): void {
    this.#open.set(item.item, { item, journaled: item.body, fresh: "" });
  }

  /** Text that streamed in; beyond MAX_BODY_CHARS it is dropped. Of an item that is not open: nothing. */
  grow(item: ItemId, text: string): void {
    const body = this.#open.get(item);
    if (body) body.fresh += text.slice(0, Math.max(0, MAX_BODY_CHARS - lengthOf(body)));
  }

  /** What was journaled before this process began. */
  restore(item: ItemId, offset: number, text: string): void {
    const body = this.#open.get(item);
    if (!body || offset > lengthOf(body)) return;
    body.journaled = textOf(body).slice(0, offset) + text;
    body.fresh = "";
  }

  end(item: ItemId): void {
    this.#open.delete(item);
  }

  textOf(item: ItemId): string {
    const body = this.#open.get(item);
    return body ? textOf(body) : "";
  }

  /** Characters so far. */
  lengthOf(item: ItemId): number {
    const body = this.#open.get(item);
    return body ? lengthOf(body) : 0;
  }

  /** The text after so many characters; cheap for what is not journaled yet. */
  textFrom(item: ItemId, offset: number): string {
    const body = this.#open.get(item);
    if (!body) return "";
    const into = offset - body.journaled.length;
    return into >= 0 ? body.fresh.slice(into) : textOf(body).slice(offset);
  }

  /** The items with their text so far. */
  *items(): Generator<Item> {
    for (const body of this.#open.values()) yield { ...body.item, body: textOf(body) };
  }

  /** Facts that journal what is not; from then on it counts as journaled. */
  checkpoint(): Fact[] {
    const facts: Fact[] = [];
    for (const [item, body] of this.#open) {
      if (body.fresh === "") continue;
      facts.push({ kind: "item.grew", item, offset: body.journaled.length, text: body.fresh });
      body.journaled += body.fresh;
      body.fresh = "";
    }
    return facts;
  }

  /** Whether anything is not journaled, and whether it is enough to journal now. */
  get unjournaled(): "nothing" | "some" | "much" {
    let most = 0;
    for (const { fresh } of this.#open.values()) most = Math.max(most, fresh.length);
    return most === 0 ? "nothing" : most < CHECKPOINT_CHARS ? "some" : "much";
  }
}

function textOf({ journaled, fresh }: Body): string {
  return journaled + fresh;
}

function lengthOf({ journaled, fresh }: Body): number {
  return journaled.length + fresh.length;
}
