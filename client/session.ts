/** One session as this device follows it: its view, its fold, what is cached of it, and what is on its way to it. */
import type { Upload } from "@flybridge/protocol/attachment.ts";
import type { AskId, IntentId, PromptId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Delta, Entry } from "@flybridge/protocol/entry.ts";
import type { FollowResult } from "@flybridge/protocol/methods.ts";
import type { Calls } from "./calls.ts";
import type { Cell } from "./cell.ts";
import { emptyView, Fold, promptKey } from "./fold.ts";
import type { Sending } from "./outbox.ts";
import type { Platform } from "./platform.ts";
import { Offline } from "./replica.ts";
import type { Row, SessionView } from "./view.ts";

/** Rows of a session that are kept for the next launch, and the characters at which there are fewer. */
const CACHED_ROWS = 200;
const CACHED_CHARS = 256 * 1024;
/** Milliseconds from a change to its being in the cache: a streaming answer is not written at every token. */
const CACHE_MS = 3_000;

interface Cached {
  readonly at: number;
  readonly state: SessionView["state"];
  readonly rows: Row[];
  readonly from: number;
}

/** What a session needs of its replica. */
export interface Around {
  readonly platform: Platform;
  /** Name of its view in the store. */
  readonly key: string;
  /** What the outbox holds for it. */
  sending(): readonly Sending[];
  /** Its view is about to be written. */
  caching(): void;
  /** Whether its creation is still on the way: the host does not know it yet. */
  isCreating(): boolean;
}

export class Session {
  readonly id: SessionId;
  readonly view: Cell<SessionView>;
  /** How many hold it open. */
  held = 0;
  readonly #around: Around;
  readonly #fold: Fold;
  #calls: Calls | undefined;
  /** Of the newest `session.follow`; an answer to an older one is passed over. */
  #follow = 0;
  #following = false;
  #loading: Promise<void> | undefined;
  #stopTimer: (() => void) | undefined;
  /** Intents of the answers that are shown, and the entries they caused. */
  readonly #answers = new Map<string, { intent: IntentId; seq?: number }>();
  /** Entries that accepted the outgoing prompts. */
  readonly #accepted = new Map<PromptId, number>();

  constructor(id: SessionId, around: Around) {
    this.id = id;
    this.#around = around;
    this.#fold = new Fold(id);
    this.view = around.platform.makeCell(emptyView(id));
    for (const sending of around.sending()) this.sending(sending);
    void this.#showCached();
  }

  /** A connection is there and the session is held. */
  up(calls: Calls): void {
    this.#calls = calls;
    this.follow();
  }

  down(): void {
    this.#calls = undefined;
    this.#following = false;
    const { staleSince } = this.view.value;
    if (this.view.value.live || staleSince === undefined) {
      this.#change((view) => {
        view.live = false;
        view.staleSince = this.#around.platform.now();
      });
    }
  }

  /** From the entry after the last one that is here; from the newest page when there is none. */
  follow(): void {
    const calls = this.#calls;
    if (!calls || this.#around.isCreating()) return;
    const follow = ++this.#follow;
    this.#following = true;
    const { last } = this.#fold;
    calls.send(
      "session.follow",
      { session: this.id, ...(last === 0 ? {} : { from: last + 1 }) },
      {
        ok: (result) => {
          if (follow === this.#follow) this.#begin(result);
        },
        failed: (error) => {
          if (follow !== this.#follow) return;
          this.#following = false;
          if (!(error instanceof Offline)) this.gone(error.message);
        },
      },
    );
  }

  entries(entries: readonly Entry[]): void {
    if (!this.#following) return;
    this.#change((view) => {
      const folded = this.#fold.entries(view, entries);
      this.#tidy(view, entries);
      if (folded === "gap" && view.live) {
        view.live = false;
        view.staleSince = this.#around.platform.now();
        this.follow();
      }
    });
    this.#cacheSoon();
  }

  delta(delta: Delta): void {
    if (!this.#following) return;
    this.view.change((view) => {
      this.#fold.delta(view, delta);
    });
  }

  /** The host no longer sends it. */
  gone(reason: string): void {
    this.#following = false;
    this.#change((view) => {
      view.gone = reason;
      view.live = false;
    });
  }

  older(): Promise<void> {
    this.#loading ??= this.#loadOlder().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Nobody looks any more. The view stays as it is and goes on from there when it is opened again. */
  unfollow(): void {
    const calls = this.#calls;
    const following = this.#following;
    this.#follow++;
    this.down();
    if (following) calls?.send("session.unfollow", { session: this.id }, { ok() {}, failed() {} });
    void this.cache();
  }

  /** Shows how far something is that this device wants of the session. */
  sending(sending: Sending): void {
    this.#change((view) => {
      if (sending.method === "ask.answer") this.#showAnswer(view, sending as Sending<"ask.answer">);
      else if (sending.method === "session.prompt") {
        const { text, delivery, attachments } = (sending as Sending<"session.prompt">).params;
        this.#showPrompt(view, sending, { text, delivery, uploads: attachments });
      } else if (sending.method === "session.create") {
        const { prompt, attachments } = (sending as Sending<"session.create">).params;
        if (prompt !== undefined)
          this.#showPrompt(view, sending, { text: prompt, delivery: "queue", uploads: attachments });
        if (sending.state === "refused") view.gone = sending.refusal ?? "The session was not created.";
      }
    });
    if (sending.method === "session.create" && sending.state === "accepted") this.follow();
  }

  /** A refused prompt or answer was put away. */
  dismissed(intent: IntentId): void {
    this.#change((view) => {
      const at = view.outgoing.findIndex((row) => row.prompt === (intent as string));
      if (at >= 0) view.outgoing.splice(at, 1);
      for (const [ask, answering] of Object.entries(view.answering))
        if (answering.refusal !== undefined && this.#answers.get(ask)?.intent === intent) this.#endAnswer(view, ask);
    });
  }

  /** Writes what is shown to the store now. */
  async cache(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (this.#fold.last === 0) return;
    const { platform, key } = this.#around;
    this.#around.caching();
    const { state, rows, from } = this.view.value;
    let chars = 0;
    const newest: string[] = [];
    for (let at = rows.length - 1; at >= 0 && newest.length < CACHED_ROWS && chars < CACHED_CHARS; at--) {
      const row = JSON.stringify(rows[at]);
      chars += row.length;
      newest.unshift(row);
    }
    // Rows are of use for looking only: the first window of the next launch replaces them.
    const text = `{"at":${platform.now()},"from":${from},"state":${JSON.stringify(state)},"rows":[${newest.join(",")}]}`;
    await platform.store.write("views", key, text).catch(() => {});
  }

  #begin(result: FollowResult): void {
    this.#change((view) => {
      if (result.kind === "window") {
        const { kind: _, ...window } = result;
        this.#fold.window(view, window);
        this.#tidy(view, window.entries);
      }
      view.live = true;
      delete view.staleSince;
      delete view.gone;
    });
    this.#cacheSoon();
  }

  async #loadOlder(): Promise<void> {
    const { from } = this.view.value;
    if (from <= 1 && this.#fold.last > 0) return;
    const calls = this.#calls;
    if (!calls || this.#fold.last === 0) throw new Offline("Older entries are on the host, which is not connected.");
    this.#change((view) => {
      view.loadingOlder = true;
    });
    try {
      const page = await calls.ask("session.page", { session: this.id, before: from });
      this.#change((view) => {
        // A window may have come meanwhile; then the page is of another place.
        if (view.from === from) this.#fold.older(view, page);
      });
    } finally {
      this.#change((view) => {
        view.loadingOlder = false;
      });
    }
  }

  #showPrompt(
    view: SessionView,
    sending: Sending,
    given: { text: string; delivery: "queue" | "steer"; uploads: readonly Upload[] | undefined },
  ): void {
    const { text, delivery, uploads = [] } = given;
    const { intent, at, state, refusal, seq } = sending;
    const prompt = intent as string as PromptId;
    const isThere =
      this.#fold.last > 0 ? this.#fold.has(promptKey(prompt)) : view.rows.some((row) => row.key === promptKey(prompt));
    if (isThere) return;
    if (seq !== undefined) {
      if (seq <= this.#fold.last) return this.#endPrompt(view, prompt);
      this.#accepted.set(prompt, seq);
    }
    const row = view.outgoing.find((one) => one.prompt === prompt);
    if (!row) {
      view.outgoing.push({
        kind: "prompt",
        key: promptKey(prompt),
        at,
        prompt,
        text,
        delivery,
        state,
        ...(uploads.length === 0 ? {} : { uploads }),
        ...(refusal === undefined ? {} : { refusal }),
      });
      return;
    }
    row.state = state;
    if (refusal !== undefined) row.refusal = refusal;
  }

  #showAnswer(view: SessionView, { intent, params, state, refusal, seq }: Sending<"ask.answer">): void {
    const { ask, answer } = params;
    if (state === "accepted" && (seq === undefined || seq <= this.#fold.last)) return this.#endAnswer(view, ask);
    this.#answers.set(ask, { intent, ...(seq === undefined ? {} : { seq }) });
    view.answering[ask] = { answer, ...(refusal === undefined ? {} : { refusal }) };
  }

  /** What the entries now say themselves need not be shown as on its way. */
  #tidy(view: SessionView, entries: readonly Entry[]): void {
    const { last } = this.#fold;
    for (const [prompt, seq] of this.#accepted) if (seq <= last) this.#endPrompt(view, prompt);
    if (this.#answers.size === 0) return;
    for (const { fact } of entries) if (fact.kind === "ask.settled") this.#endAnswer(view, fact.ask);
    for (const [ask, { seq }] of this.#answers)
      if (seq !== undefined && seq <= last) this.#endAnswer(view, ask as AskId);
  }

  #endPrompt(view: SessionView, prompt: PromptId): void {
    this.#accepted.delete(prompt);
    const at = view.outgoing.findIndex((row) => row.prompt === prompt);
    if (at >= 0) view.outgoing.splice(at, 1);
  }

  #endAnswer(view: SessionView, ask: string): void {
    this.#answers.delete(ask);
    delete view.answering[ask];
  }

  async #showCached(): Promise<void> {
    const { platform, key } = this.#around;
    const text = await platform.store.read("views", key).catch(() => undefined);
    if (text === undefined || this.view.value.state) return;
    const cached = cachedFrom(text);
    if (!cached?.state) return;
    const { at, state, rows, from } = cached;
    this.#change((view) => {
      view.state = state;
      view.from = from;
      view.rows.push(...rows);
      if (!view.live) view.staleSince = at;
      view.outgoing
        .filter((one) => rows.some((row) => row.key === one.key))
        .forEach((one) => {
          this.#endPrompt(view, one.prompt);
        });
    });
  }

  #cacheSoon(): void {
    this.#stopTimer ??= this.#around.platform.clock.setTimer(CACHE_MS, () => void this.cache());
  }

  #change(mutate: (view: SessionView) => void): void {
    this.view.change(mutate);
  }
}

function cachedFrom(text: string): Cached | undefined {
  try {
    return JSON.parse(text) as Cached;
  } catch {
    return undefined;
  }
}
