/** Answers that are stored without what is secret in them, until the agent was told. */
import { type Answer, isWithheld } from "@flybridge/protocol/ask.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { AskId } from "@flybridge/protocol/ids.ts";

export class Answers {
  readonly #given = new Map<AskId, Answer>();

  keep(answers: ReadonlyMap<AskId, Answer> | undefined): void {
    for (const [ask, answer] of answers ?? []) this.#given.set(ask, answer);
  }

  /** A settlement with the answer as it was given. Where what was secret in it is lost, it is `lost`, if that is given. */
  whole(entry: Entry, lost?: Answer): Entry {
    const { fact } = entry;
    if (fact.kind !== "ask.settled" || fact.settlement.kind !== "answered") return entry;
    const { settlement } = fact;
    const given = this.#given.get(fact.ask) ?? (isWithheld(settlement.answer) ? lost : undefined);
    this.#given.delete(fact.ask);
    if (!given) return entry;
    return { ...entry, fact: { ...fact, settlement: { ...settlement, answer: given } } };
  }

  clear(): void {
    this.#given.clear();
  }
}
