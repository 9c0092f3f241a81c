/**
 * Compares what the model, the agent, the devices and the journal each have of one session, and says how they differ.
 * It is written apart from the product: it imports nothing of it and takes plain JSON, so that a fault in a fold or a
 * schema cannot hide itself here. Each of the functions that give differences says what must hold.
 */

/** What people did, in the order in which they did it. */
export interface Deeds {
  readonly prompts: {
    readonly prompt: string;
    readonly text: string;
    /** What the agent says to it, text block by text block. */
    readonly words: readonly string[];
    /** An interrupted prompt's words may have been cut anywhere. */
    readonly outcome: "completed" | "interrupted" | "withdrawn";
  }[];
  /** One for each tool call, in order: what the model must be told of it. `ask` is null where nobody was asked. */
  readonly answers: { readonly ask: string | null; readonly answer?: unknown; readonly told: string }[];
  /** Asks on which a second answer was refused. */
  readonly refused: string[];
  /** What is to be in the repository; null: no such file. */
  readonly files: { readonly path: string; readonly expected: string | null }[];
}

export interface Evidence {
  readonly deeds: Deeds;
  /** Bodies of the requests at the model, oldest first; null for an agent without a model. */
  readonly model: readonly { readonly messages?: readonly Message[] }[] | null;
  /** The agent's own record of the conversation: JSON lines; null for an agent that keeps none. */
  readonly transcript: string | null;
  readonly devices: readonly {
    readonly name: string;
    readonly entries: readonly Entry[];
    readonly deltas: readonly {
      readonly item: string;
      readonly offset: number;
      readonly text: string;
      /** The last entry the device had when it came. */
      readonly after: number;
    }[];
  }[];
  /** As it lies on the disk after the end. */
  readonly journal: readonly Entry[];
  readonly files: readonly { readonly path: string; readonly expected: string | null; readonly found: string | null }[];
  /** Of the agent's process, each time it was looked at. */
  readonly pids: readonly number[];
}

interface Block {
  readonly type: string;
  readonly text?: string;
  readonly id?: string;
  readonly tool_use_id?: string;
  readonly content?: unknown;
}
interface Message {
  readonly role: string;
  readonly content: string | readonly Block[];
}
interface Item {
  readonly item: string;
  readonly kind: string;
  readonly body: string;
}
interface Fact {
  readonly kind: string;
  readonly prompt?: string;
  readonly text?: string;
  readonly turn?: string;
  readonly outcome?: string;
  readonly pid?: number;
  readonly offset?: number;
  readonly ask?: string | { readonly ask: string };
  readonly item?: string | Item;
  readonly settlement?: { readonly kind: string; readonly answer?: unknown };
}
interface Entry {
  readonly seq: number;
  readonly fact: Fact;
}

/** Differences, in words; none when all of them tell the same story. */
export function check(evidence: Evidence): string[] {
  const { deeds, journal } = evidence;
  return [
    ...numbered("the journal", journal),
    ...evidence.devices.flatMap(({ name, entries }) => [...numbered(name, entries), ...same(name, entries, journal)]),
    ...evidence.devices.flatMap(({ name, entries, deltas }) => streamed(name, entries, deltas)),
    ...promptsOf(deeds, journal),
    ...turnsOf(journal),
    ...itemsOf(journal),
    ...asksOf(deeds, journal),
    ...spoken(deeds, journal),
    ...modelWasTold(evidence),
    ...transcribed(evidence),
    ...oneProcess(evidence),
    ...evidence.files.flatMap(({ path, expected, found }) =>
      expected === found ? [] : [`the file ${path} is ${shown(found)}, and not ${shown(expected)}`],
    ),
  ];
}

/** Entries are numbered from 1, each once, in order. */
function numbered(who: string, entries: readonly Entry[]): string[] {
  const at = entries.findIndex((entry, place) => entry.seq !== place + 1);
  if (at < 0) return [];
  return [`${who} has entry ${entries[at]?.seq} where ${at + 1} belongs: …${numbers(entries, at)}…`];
}

function same(who: string, entries: readonly Entry[], journal: readonly Entry[]): string[] {
  if (entries.length !== journal.length)
    return [`${who} has ${entries.length} entries and the journal ${journal.length}`];
  const at = entries.findIndex((entry, place) => canonical(entry) !== canonical(journal[place]));
  if (at < 0) return [];
  return [
    `${who} was told, as ${at + 1}:\n  ${canonical(entries[at])}\nand the journal has:\n  ${canonical(journal[at])}`,
  ];
}

/** A delta is a piece of the text that the item has in the end, and nothing is missing before it. */
function streamed(who: string, entries: readonly Entry[], deltas: Evidence["devices"][number]["deltas"]): string[] {
  const faults: string[] = [];
  const finals = new Map<string, string>();
  for (const { fact } of entries)
    if (fact.kind === "item.completed" && isItem(fact.item)) finals.set(fact.item.item, fact.item.body);
  const known = new Map<string, number>();
  const grow = (item: string, length: number): void => void known.set(item, Math.max(known.get(item) ?? 0, length));
  let heard = 0;
  for (const { item, offset, text, after } of deltas) {
    for (; (entries[heard]?.seq ?? Number.POSITIVE_INFINITY) <= after; heard += 1) {
      const fact = entries[heard]?.fact;
      if (fact?.kind === "item.began" && isItem(fact.item)) grow(fact.item.item, fact.item.body.length);
      if (fact?.kind === "item.grew") grow(idOf(fact.item), (fact.offset ?? 0) + (fact.text ?? "").length);
    }
    const final = finals.get(item);
    const has = known.get(item);
    if (final === undefined || has === undefined) faults.push(`${who} got text for ${item}, which it knows nothing of`);
    else if (offset > has) faults.push(`${who} got text for ${item} at ${offset} while it had ${has} characters of it`);
    else if (final.slice(offset, offset + text.length) !== text)
      faults.push(
        `${who} was shown ${shown(text)} at ${offset} of ${item}, whose text is ${shown(final.slice(offset))}`,
      );
    grow(item, offset + text.length);
  }
  return faults;
}

/** Accepted once, as written; then taken once or withdrawn once, in that order. */
function promptsOf({ prompts }: Deeds, journal: readonly Entry[]): string[] {
  const faults = once("was accepted", journal, (fact) => (fact.kind === "prompt.accepted" ? fact.prompt : undefined));
  const accepted = journal.filter(({ fact }) => fact.kind === "prompt.accepted");
  if (accepted.length !== prompts.length)
    faults.push(`${prompts.length} prompts were sent and ${accepted.length} accepted`);
  for (const { prompt, text, outcome } of prompts) {
    const fates = journal.filter(({ fact }) => fact.prompt === prompt);
    const end = outcome === "withdrawn" ? "prompt.withdrawn" : "prompt.taken";
    const kinds = fates.map(({ fact }) => fact.kind).join(", ");
    if (kinds !== `prompt.accepted, ${end}`) faults.push(`the prompt ${prompt} has the fate: ${kinds || "none"}`);
    if (fates[0] && fates[0].fact.text !== text)
      faults.push(`the prompt ${shown(text)} was journaled as ${shown(fates[0].fact.text)}`);
  }
  return faults;
}

/** One at a time, each begun and ended; interrupted as often as people did so. */
function turnsOf(journal: readonly Entry[]): string[] {
  const faults = once("began", journal, (fact) => (fact.kind === "turn.began" ? fact.turn : undefined));
  let running: string | undefined;
  for (const { seq, fact } of journal) {
    if (fact.kind === "turn.began") {
      if (running !== undefined) faults.push(`turn ${fact.turn} begins (${seq}) while ${running} runs`);
      running = fact.turn;
    } else if (fact.kind === "turn.ended") {
      if (running !== fact.turn) faults.push(`turn ${fact.turn} ends (${seq}) while ${running ?? "none"} runs`);
      running = undefined;
    }
  }
  return running === undefined ? faults : [...faults, `turn ${running} never ends`];
}

/** Begun once, grown without a gap, completed once with the text that had grown. */
function itemsOf(journal: readonly Entry[]): string[] {
  const faults: string[] = [];
  const open = new Map<string, string>();
  const ended = new Set<string>();
  for (const { seq, fact } of journal) {
    const id = idOf(fact.item);
    const body = open.get(id);
    if (fact.kind === "item.began" && isItem(fact.item)) {
      if (body !== undefined || ended.has(id)) faults.push(`item ${id} begins again (${seq})`);
      open.set(id, fact.item.body);
    } else if (fact.kind === "item.grew") {
      if (body?.length !== fact.offset)
        faults.push(`item ${id} grows at ${fact.offset} and has ${body?.length ?? "not begun"} (${seq})`);
      open.set(id, (body ?? "") + (fact.text ?? ""));
    } else if (fact.kind === "item.completed" && isItem(fact.item)) {
      if (body === undefined) faults.push(`item ${id} is completed and was not open (${seq})`);
      // A tool's result takes the place of what it showed while it ran.
      else if (fact.item.kind !== "tool" && !fact.item.body.startsWith(body))
        faults.push(`item ${id} had grown to ${shown(body)} and is completed as ${shown(fact.item.body)}`);
      open.delete(id);
      ended.add(id);
    }
  }
  return [...faults, ...[...open.keys()].map((id) => `item ${id} is never completed`)];
}

/** Opened once, settled once; by the answer that was accepted, where there was one. */
function asksOf({ answers, refused }: Deeds, journal: readonly Entry[]): string[] {
  const opened = journal.filter(({ fact }) => fact.kind === "ask.opened").map(({ fact }) => askOf(fact));
  const settled = journal.filter(({ fact }) => fact.kind === "ask.settled");
  const faults = [
    ...once("was opened", journal, (fact) => (fact.kind === "ask.opened" ? askOf(fact) : undefined)),
    ...once("was settled", journal, (fact) => (fact.kind === "ask.settled" ? askOf(fact) : undefined)),
  ];
  for (const ask of opened)
    if (!settled.some(({ fact }) => askOf(fact) === ask)) faults.push(`the ask ${ask} is never settled`);
  for (const { fact, seq } of settled)
    if (!opened.includes(askOf(fact))) faults.push(`${askOf(fact)} is settled (${seq}) and was never opened`);
  const answered = answers.filter(({ ask }) => ask !== null);
  if (answered.length !== opened.length)
    faults.push(`${opened.length} asks were opened and ${answered.length} answered`);
  for (const { ask, answer } of answered) {
    const settlement = settled.find(({ fact }) => askOf(fact) === ask)?.fact.settlement;
    if (settlement?.kind !== "answered" || canonical(settlement.answer) !== canonical(answer))
      faults.push(`the ask ${ask} was answered ${canonical(answer)} and settled as ${canonical(settlement)}`);
  }
  for (const ask of refused)
    if (!answered.some((one) => one.ask === ask)) faults.push(`${ask} was refused an answer and has none`);
  return faults;
}

/** The words in the journal are those the model streamed. */
function spoken(deeds: Deeds, journal: readonly Entry[]): string[] {
  const words = journal.flatMap(({ fact }) =>
    fact.kind === "item.completed" && isItem(fact.item) && fact.item.kind === "words" ? [fact.item.body] : [],
  );
  const expected = takenPrompts(deeds, journal).flatMap(({ words: said, outcome }) =>
    said.map((text) => ({ text, outcome })),
  );
  return aligned("item of words", words, expected, (body, { text, outcome }) =>
    outcome === "interrupted" ? text.startsWith(body) && body !== "" : body === text,
  ).map((fault) => `${fault} (as journaled)`);
}

/** Each prompt once, in the order taken; each tool call told its one result; no model call made twice. */
function modelWasTold({ deeds, model, journal }: Evidence): string[] {
  if (model === null) return [];
  const faults: string[] = [];
  const calls = model.map(({ messages }) => canonical(messages));
  for (const [at, call] of calls.entries()) {
    const first = calls.indexOf(call);
    if (first < at) faults.push(`the model was called twice with the same messages (calls ${first + 1} and ${at + 1})`);
  }
  const blocks = (model.at(-1)?.messages ?? []).flatMap(blocksOf);
  const given = blocks.filter(({ role, type }) => type === "text" && role !== "assistant").map(({ text = "" }) => text);
  const places: number[] = [];
  for (const { text, prompt } of takenPrompts(deeds, journal)) {
    const times = given.reduce((count, block) => count + block.split(text).length - 1, 0);
    if (times !== 1) faults.push(`the model has the prompt ${prompt} ${times} times: ${shown(text)}`);
    places.push(given.findIndex((block) => block.includes(text)));
  }
  if (places.some((place, at) => place < (places[at - 1] ?? 0)))
    faults.push(`the model has the prompts in another order: ${places.join(" ")}`);
  for (const { text, prompt, outcome } of deeds.prompts)
    if (outcome === "withdrawn" && given.some((block) => block.includes(text)))
      faults.push(`the model has the withdrawn prompt ${prompt}`);
  const results = blocks.filter(({ type }) => type === "tool_result");
  const told = results.map(({ content }) => textOf(content));
  faults.push(...aligned("tool result", told, deeds.answers, (text, answer) => text.split(answer.told).length === 2));
  for (const { type, id } of blocks)
    if (type === "tool_use" && results.filter((result) => result.tool_use_id === id).length !== 1)
      faults.push(`the call ${id} has not one result`);
  return faults;
}

/** The agent's own record has each prompt and each result once, in one conversation. */
function transcribed({ deeds, transcript, journal }: Evidence): string[] {
  if (transcript === null) return [];
  const faults: string[] = [];
  const lines = transcript
    .split("\n")
    .filter((line) => line !== "")
    .map(
      (line) =>
        JSON.parse(line) as {
          type?: string;
          sessionId?: string;
          message?: Message;
          attachment?: { type?: string; prompt?: unknown };
        },
    );
  const conversations = new Set(lines.flatMap(({ sessionId }) => (sessionId === undefined ? [] : [sessionId])));
  if (conversations.size !== 1) faults.push(`the agent wrote ${conversations.size} conversations`);
  const said = lines.flatMap(({ type, message, attachment }) => {
    if (type === "user" && message)
      return blocksOf(message).flatMap((block) => (block.type === "text" ? [block.text ?? ""] : []));
    return attachment?.type === "queued_command" ? [textOf(attachment.prompt)] : [];
  });
  for (const { prompt, text } of takenPrompts(deeds, journal)) {
    const times = said.filter((one) => one.includes(text)).length;
    if (times !== 1) faults.push(`the agent's record has the prompt ${prompt} ${times} times`);
  }
  const results = lines.flatMap(({ type, message }) =>
    type === "user" && message
      ? blocksOf(message).flatMap((block) => (block.type === "tool_result" ? [block.tool_use_id ?? ""] : []))
      : [],
  );
  if (results.length !== deeds.answers.length || new Set(results).size !== results.length)
    faults.push(
      `the agent's record has ${results.length} tool results (${new Set(results).size} different) for ${deeds.answers.length} calls`,
    );
  return faults;
}

function oneProcess({ journal, pids }: Evidence): string[] {
  const started = journal.flatMap(({ fact }) => (fact.kind === "agent.started" ? [fact.pid] : []));
  const ended = journal.filter(({ fact }) => fact.kind === "agent.ended");
  const all = new Set([...started, ...pids]);
  if (started.length === 1 && ended.length === 0 && all.size === 1) return [];
  return [
    `the agent was started ${started.length} times and ended ${ended.length} times; processes: ${[...all].join(", ")}`,
  ];
}

/** In the order in which the agent took them. */
function takenPrompts({ prompts }: Deeds, journal: readonly Entry[]): Deeds["prompts"] {
  return journal.flatMap(({ fact }) =>
    fact.kind === "prompt.taken" ? prompts.filter((one) => one.prompt === fact.prompt) : [],
  );
}

function once(what: string, journal: readonly Entry[], named: (fact: Fact) => string | undefined): string[] {
  const seen = new Map<string, number>();
  const faults: string[] = [];
  for (const { seq, fact } of journal) {
    const id = named(fact);
    if (id === undefined) continue;
    const before = seen.get(id);
    if (before !== undefined) faults.push(`${id} ${what} twice (${before} and ${seq})`);
    seen.set(id, seq);
  }
  return faults;
}

function aligned<Found, Expected>(
  what: string,
  found: readonly Found[],
  expected: readonly Expected[],
  fits: (found: Found, expected: Expected) => boolean,
): string[] {
  const at = Array.from({ length: Math.max(found.length, expected.length) }, (_, place) => place).find((place) => {
    const [one, other] = [found[place], expected[place]];
    return one === undefined || other === undefined || !fits(one, other);
  });
  return at === undefined ? [] : [`${what} ${at + 1} is ${shown(found[at])}, and not ${shown(expected[at])}`];
}

function blocksOf({ role, content }: Message): (Block & { readonly role: string })[] {
  return typeof content === "string"
    ? [{ role, type: "text", text: content }]
    : content.map((block) => ({ ...block, role }));
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((block: Block) => block.text ?? "").join("\n") : "";
}

function askOf({ ask }: Fact): string {
  return typeof ask === "string" ? ask : (ask?.ask ?? "");
}

function idOf(item: Fact["item"]): string {
  return typeof item === "string" ? item : (item?.item ?? "");
}

function isItem(item: Fact["item"]): item is Item {
  return typeof item === "object";
}

/** JSON text that does not depend on the order of keys. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? "nothing"
  );
}

function shown(value: unknown): string {
  const text = value === undefined ? "absent" : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function numbers(entries: readonly Entry[], at: number): string {
  return entries
    .slice(Math.max(0, at - 3), at + 4)
    .map(({ seq }) => seq)
    .join(" ");
}
