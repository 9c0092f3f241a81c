/**
 * Folds what comes down into a view: rows in the order in which things began, each entry once, wherever it came from.
 *
 * A row's place is the number of the entry it began with, and rows are sorted by it. That alone makes the three ways
 * in (one by one, a window and what follows, older pages afterwards) end in the same rows: an item known only from
 * its end is put where it began, and the page in which it began finds it there.
 *
 * Older pages come after newer ones, so what a newer entry says of a thing not loaded yet is kept (`#fates`, `#grown`,
 * `#ends`, `#turns`) until its page arrives. The view itself may be a proxy that records fine-grained changes: it is
 * only ever changed in place, and never read for what is known here.
 */
import type { Settlement } from "@flybridge/protocol/ask.ts";
import type { Delta, Entry, FactOf } from "@flybridge/protocol/entry.ts";
import { apply, opened } from "@flybridge/protocol/fold.ts";
import type { ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { FollowResult } from "@flybridge/protocol/methods.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Row, SessionView } from "./view.ts";

export type Window = Omit<Extract<FollowResult, { kind: "window" }>, "kind">;
export type Page = Pick<Window, "entries" | "more">;
/** `gap`: entries are missing before the one that was given; nothing of it was folded. Follow again. */
export type Folded = "folded" | "gap";

type RowOf<Kind extends Row["kind"]> = Extract<Row, { kind: Kind }>;
/** What newer entries said of a prompt or an ask whose beginning is not loaded yet. */
interface Fate {
  prompt?: "done" | "withdrawn";
  dismissed?: boolean;
  settlement?: Settlement;
  settledAt?: number;
}

export function emptyView(session: SessionId): SessionView {
  return { session, rows: [], outgoing: [], answering: {}, from: 1, loadingOlder: false, live: false };
}

/** The fold of one session into one view; the same view must be given to every call. */
export class Fold {
  readonly #session: SessionId;
  /** The fold itself, as plain objects: the view holds a copy that is kept equal key by key. */
  #state: SessionState | undefined;
  /** Of each row, in the order of `view.rows`. */
  #places: number[] = [];
  /** By key; also of rows that still wait in `#fresh`. */
  #placeOf = new Map<string, number>();
  /** Rows whose place is before the last row's, inserted together once a batch is folded. */
  #fresh: { place: number; row: Row }[] = [];
  /** Keys of items that are open and of asks that are not settled. */
  #open = new Set<string>();
  #fates = new Map<string, Fate>();
  #grown = new Map<ItemId, FactOf<"item.grew">[]>();
  /** Ends of the agent's process, oldest first: they close what was open. */
  #ends: { seq: number; at: number }[] = [];
  #turns = new Map<string, number>();

  constructor(session: SessionId) {
    this.#session = session;
  }

  /** The last entry that is folded in; 0 before the first. */
  get last(): number {
    return this.#state?.last ?? 0;
  }

  /** Whether a row with this key is in the view. */
  has(key: string): boolean {
    return this.#placeOf.has(key);
  }

  /** Starts again from a window. Rows that stay the same keep their identity, so that nothing flickers. */
  window(view: SessionView, { state, entries, more, carried }: Window): void {
    const before = new Map<string, Row>(view.rows.map((row) => [row.key, row]));
    this.#forget();
    const from = entries[0]?.seq ?? state.last + 1;
    const rebuilt = emptyView(this.#session);
    rebuilt.outgoing = view.outgoing;
    for (const entry of carried) if (entry.seq < from) this.#foldRow(rebuilt, entry);
    for (const { ask, at, seq, dismissed } of state.asks) {
      if (seq < from) this.#add(rebuilt, seq, { kind: "ask", key: askKey(ask.ask), at, ask, dismissed });
    }
    for (const { seq, preview, ...prompt } of state.prompts) {
      if (seq >= from) continue;
      const key = promptKey(prompt.prompt);
      this.#add(rebuilt, seq, { kind: "prompt", key, text: preview, state: "accepted", ...prompt });
    }
    if (state.running) this.#turns.set(state.running.turn, state.running.at);
    for (const entry of entries) this.#foldRow(rebuilt, entry);
    this.#state = state;
    this.#insertFresh(rebuilt);
    const rows = rebuilt.rows.map((row) => {
      const kept = before.get(row.key);
      return kept && renew(kept, row) ? kept : row;
    });
    replaceRows(view.rows, rows);
    view.from = more ? from : 1;
    this.#showState(view);
  }

  /** Entries that were folded before are passed over. */
  entries(view: SessionView, entries: readonly Entry[]): Folded {
    let result: Folded = "folded";
    for (const entry of entries) {
      if (entry.seq <= this.last) continue;
      if (entry.seq !== this.last + 1) {
        result = "gap";
        break;
      }
      if (this.#state) this.#state = apply(this.#state, entry);
      else if (entry.fact.kind === "session.opened") this.#state = opened(this.#session, entry.at, entry.fact);
      else {
        result = "gap";
        break;
      }
      this.#foldRow(view, entry);
    }
    this.#insertFresh(view);
    this.#showState(view);
    return result;
  }

  /** Text of an open item. What is there already is not appended again; what would leave a hole is passed over. */
  delta(view: SessionView, delta: Delta): void {
    const row = this.#find(view, itemKey(delta.item));
    if (row?.kind === "item" && row.open) grow(row.item, delta.offset, delta.text);
  }

  /** The page right before `view.from`. */
  older(view: SessionView, { entries, more }: Page): void {
    const [first] = entries;
    if (first && first.seq < view.from) {
      for (const entry of entries) if (entry.seq < view.from) this.#foldRow(view, entry);
      this.#insertFresh(view);
      view.from = first.seq;
    }
    if (!more) view.from = 1;
  }

  #foldRow(view: SessionView, { seq, at, fact }: Entry): void {
    switch (fact.kind) {
      case "session.opened":
      case "agent.reported":
        return;
      case "prompt.accepted": {
        const key = promptKey(fact.prompt);
        const known = this.#find(view, key);
        // A window tells only the beginning of a prompt that waits longer than its page.
        if (known?.kind === "prompt") {
          known.text = fact.text;
          if (fact.attachments) known.attachments = fact.attachments;
        }
        if (known) return;
        const { kind: _, ...prompt } = fact;
        const state = this.#fates.get(key)?.prompt ?? "accepted";
        // What this device showed as on its way is the row it becomes.
        const sent = view.outgoing.findIndex((one) => one.prompt === fact.prompt);
        const row: Row = (sent < 0 ? undefined : view.outgoing.splice(sent, 1)[0]) ?? {
          kind: "prompt",
          key,
          at,
          state,
          ...prompt,
        };
        assign(row, { kind: "prompt", key, at, state, ...prompt });
        this.#add(view, seq, row);
        return;
      }
      case "prompt.taken":
      case "prompt.withdrawn": {
        const state = fact.kind === "prompt.taken" ? "done" : "withdrawn";
        const row = this.#find(view, promptKey(fact.prompt));
        if (row?.kind === "prompt") row.state = state;
        else this.#fate(promptKey(fact.prompt)).prompt = state;
        return;
      }
      case "turn.began": {
        this.#turns.set(fact.turn, at);
        const row = this.#find(view, turnKey(fact.turn));
        if (row?.kind === "turn") row.took ??= row.at - at;
        return;
      }
      case "turn.ended": {
        const { kind: _, turn, ...rest } = fact;
        const began = this.#turns.get(turn);
        const took = began === undefined ? {} : { took: at - began };
        this.#add(view, seq, { kind: "turn", key: turnKey(turn), at, ...rest, ...took } as RowOf<"turn">);
        return;
      }
      case "item.began": {
        const row = this.#find(view, itemKey(fact.item.item));
        if (row) return;
        const grown = this.#grown.get(fact.item.item) ?? [];
        this.#grown.delete(fact.item.item);
        const item = { ...fact.item };
        for (const { offset, text } of grown.toSorted((a, b) => a.offset - b.offset)) grow(item, offset, text);
        const open = this.#endAfter(seq) === undefined;
        this.#add(view, seq, { kind: "item", key: itemKey(item.item), at: item.at, item, open });
        return;
      }
      case "item.grew": {
        const row = this.#find(view, itemKey(fact.item));
        // `took` says that the item is complete; one whose agent ended is closed too, but still lacks what it grew by.
        if (row?.kind === "item") {
          if (row.took === undefined) grow(row.item, fact.offset, fact.text);
        } else {
          const grown = this.#grown.get(fact.item);
          if (grown) grown.push(fact);
          else this.#grown.set(fact.item, [fact]);
        }
        return;
      }
      case "item.completed": {
        const key = itemKey(fact.item.item);
        const took = at - fact.item.at;
        this.#open.delete(key);
        this.#grown.delete(fact.item.item);
        const row = this.#find(view, key);
        if (row?.kind === "item") {
          if (row.took !== undefined) return;
          assign(row.item, fact.item);
          row.open = false;
          row.took = took;
        } else {
          const item = { ...fact.item };
          this.#add(view, fact.began ?? seq, { kind: "item", key, at: item.at, item, open: false, took });
        }
        return;
      }
      case "ask.opened": {
        const key = askKey(fact.ask.ask);
        if (this.#placeOf.has(key)) return;
        const { dismissed = false, settlement, settledAt } = this.#fates.get(key) ?? {};
        const row: RowOf<"ask"> = { kind: "ask", key, at, ask: fact.ask, dismissed };
        const end = this.#endAfter(seq);
        if (settlement) Object.assign(row, { settlement, settledAt });
        else if (end) Object.assign(row, { settlement: { kind: "void" }, settledAt: end.at });
        this.#add(view, seq, row);
        return;
      }
      case "ask.dismissed": {
        const row = this.#find(view, askKey(fact.ask));
        if (row?.kind === "ask") row.dismissed = true;
        else this.#fate(askKey(fact.ask)).dismissed = true;
        return;
      }
      case "ask.settled": {
        const key = askKey(fact.ask);
        const row = this.#find(view, key);
        const settled = { settlement: fact.settlement, settledAt: at };
        this.#open.delete(key);
        Object.assign(row?.kind === "ask" ? row : this.#fate(key), settled);
        return;
      }
      case "notice": {
        this.#add(view, seq, { ...fact, kind: "notice", key: `notice:${seq}`, at } as RowOf<"notice">);
        return;
      }
      case "agent.ended":
        this.#end(view, seq, at);
        this.#add(view, seq, { kind: "mark", key: `mark:${seq}`, at, fact });
        return;
      case "agent.started":
      case "interrupt.asked":
      case "session.configured":
      case "session.stopped":
      case "session.resumed":
        this.#add(view, seq, { kind: "mark", key: `mark:${seq}`, at, fact });
        return;
    }
  }

  /** Nobody is left to go on with an item or to hear an answer, as `apply` has it. */
  #end(view: SessionView, seq: number, at: number): void {
    const newer = this.#ends.findIndex((end) => end.seq > seq);
    this.#ends.splice(newer < 0 ? this.#ends.length : newer, 0, { seq, at });
    for (const key of this.#open) {
      if ((this.#placeOf.get(key) ?? 0) > seq) continue;
      this.#open.delete(key);
      const row = this.#find(view, key);
      if (row?.kind === "item") row.open = false;
      if (row?.kind === "ask") Object.assign(row, { settlement: { kind: "void" }, settledAt: at });
    }
  }

  #endAfter(seq: number): { seq: number; at: number } | undefined {
    return this.#ends.find((end) => end.seq > seq);
  }

  #fate(key: string): Fate {
    const fate = this.#fates.get(key) ?? {};
    this.#fates.set(key, fate);
    return fate;
  }

  #add(view: SessionView, place: number, row: Row): void {
    if (this.#placeOf.has(row.key)) return;
    this.#placeOf.set(row.key, place);
    if ((row.kind === "item" && row.open) || (row.kind === "ask" && !row.settlement)) this.#open.add(row.key);
    if (place > (this.#places.at(-1) ?? 0)) {
      this.#places.push(place);
      view.rows.push(row);
    } else this.#fresh.push({ place, row });
  }

  #find(view: SessionView, key: string): Row | undefined {
    const place = this.#placeOf.get(key);
    if (place === undefined) return undefined;
    const at = firstAtLeast(this.#places, place);
    return this.#places[at] === place ? view.rows[at] : this.#fresh.find((one) => one.row.key === key)?.row;
  }

  /** One splice for the whole batch: each one costs a proxy as much as the view is long. */
  #insertFresh(view: SessionView): void {
    if (this.#fresh.length === 0) return;
    const fresh = this.#fresh.toSorted((a, b) => a.place - b.place);
    this.#fresh = [];
    const start = firstAtLeast(this.#places, fresh[0]?.place ?? 0);
    const end = firstAtLeast(this.#places, fresh.at(-1)?.place ?? 0);
    const between = view.rows.slice(start, end).map((row, at) => ({ place: this.#places[start + at] ?? 0, row }));
    const merged = [...between, ...fresh].sort((a, b) => a.place - b.place);
    this.#places.splice(start, end - start, ...merged.map((one) => one.place));
    view.rows.splice(start, end - start, ...merged.map((one) => one.row));
  }

  #showState(view: SessionView): void {
    if (!this.#state) return;
    if (view.state) assign(view.state, this.#state);
    else view.state = { ...this.#state };
  }

  #forget(): void {
    this.#state = undefined;
    this.#places = [];
    this.#placeOf.clear();
    this.#fresh = [];
    this.#open.clear();
    this.#fates.clear();
    this.#grown.clear();
    this.#ends = [];
    this.#turns.clear();
  }
}

export const promptKey = (prompt: string): string => `prompt:${prompt}`;
const itemKey = (item: string): string => `item:${item}`;
const askKey = (ask: string): string => `ask:${ask}`;
const turnKey = (turn: string): string => `turn:${turn}`;

function grow(item: Item, offset: number, text: string): void {
  const { length } = item.body;
  if (length >= offset && length < offset + text.length) item.body += text.slice(length - offset);
}

/** Makes `target` equal to `source`, touching only the keys that differ. */
function assign<T extends object>(target: T, source: T): void {
  for (const key of Object.keys(target) as (keyof T)[]) if (!(key in source)) delete target[key];
  for (const key of Object.keys(source) as (keyof T)[]) if (target[key] !== source[key]) target[key] = source[key];
}

/** Makes a row equal to a newer one of the same thing, keeping the objects that a card on the screen hangs on. */
function renew(row: Row, newer: Row): boolean {
  if (row.kind !== newer.kind) return false;
  if (row.kind === "item" && newer.kind === "item") {
    assign(row.item, newer.item);
    assign(row, { ...newer, item: row.item });
  } else if (row.kind === "ask" && newer.kind === "ask") assign(row, { ...newer, ask: row.ask });
  else assign<Row>(row, newer);
  return true;
}

function replaceRows(rows: Row[], next: readonly Row[]): void {
  next.forEach((row, at) => {
    if (rows[at] !== row) rows[at] = row;
  });
  if (rows.length > next.length) rows.length = next.length;
}

/** Index of the first number that is not less than `least`; the length when there is none. */
function firstAtLeast(sorted: readonly number[], least: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
