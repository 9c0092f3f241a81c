/**
 * What a device wants of one host, kept until the host has settled it: saved before it is sent, sent again under the
 * same id after every cut and every launch, in order within a session.
 *
 * One at a time within a session: the next leaves when the one before is settled, so order holds whatever the host, the
 * streams and the cuts do. Three kinds go ahead of the queue, because a person waits for them and they do not depend on
 * it: an interrupt must not wait behind an upload, nor an answer behind a prompt. Nothing goes ahead of the creation of
 * its own session.
 *
 * What holds a secret (an answer to a password prompt) is never written down: it lives as long as the app does.
 */
import { CallError } from "@flybridge/protocol/error.ts";
import { type HostId, type IntentId, type SessionId, uuid7From } from "@flybridge/protocol/ids.ts";
import { encodeMessage } from "@flybridge/protocol/message.ts";
import { isMethod, METHODS, type IntentMethod, type Params, type Result } from "@flybridge/protocol/methods.ts";
import { MAX_MESSAGE_BYTES } from "@flybridge/transport/streams.ts";
import * as v from "valibot";
import type { Calls } from "./calls.ts";
import type { Platform } from "./platform.ts";
import { type Intended, Offline } from "./replica.ts";
import { StoreError } from "./store.ts";

const AHEAD: ReadonlySet<IntentMethod> = new Set(["ask.answer", "ask.dismiss", "session.interrupt"]);
/** Not for an outbox: nobody wants an invitation made, a host stopped or a session left by a wish of yesterday. */
export const FLEETING: ReadonlySet<IntentMethod> = new Set([
  "offer.make",
  "offer.withdraw",
  "host.stop",
  "session.share",
  "session.detach",
  "pairing.confirm",
  "pairing.refuse",
  "device.revokeAll",
]);
/** Kept when refused, until the person puts it away: it holds what they wrote. */
const WRITTEN: ReadonlySet<IntentMethod> = new Set(["session.prompt", "session.create"]);

/** One intent and how far it is. */
export interface Sending<M extends IntentMethod = IntentMethod> {
  readonly intent: IntentId;
  readonly method: M;
  readonly params: Params<M>;
  /** Milliseconds since 1970. */
  readonly at: number;
  state: "saved" | "sent" | "accepted" | "refused";
  refusal?: string;
  /** The entry it caused, once accepted. */
  seq?: number;
}

/** `memory`: for what must not be found on this device. A launch later it is gone, sent or not. */
export type Keeping = "store" | "memory";

interface Slot {
  /** Name in the store; "" until it is about to be saved. Names sort in the order of intending. */
  key: string;
  readonly lane: string;
  readonly sending: Sending;
  /** Whether it is where it is to be kept; until then it is not sent. */
  kept: boolean;
  readonly where: Keeping;
  readonly settle: { ok(result: never): void; failed(error: Error): void };
}

interface Stored {
  readonly intent: IntentId;
  readonly method: IntentMethod;
  readonly params: unknown;
  readonly at: number;
  readonly owner: string;
  readonly refusal?: string;
}

export class Outbox {
  readonly #host: HostId;
  readonly #platform: Platform;
  readonly #changed: (sending: Sending) => void;
  /** In the order in which they were intended. */
  #slots: Slot[] = [];
  #calls: Calls | undefined;
  /** Of the newest name, so that names also sort when the clock went back between two launches. */
  #lastAt = 0;
  readonly #loaded: Promise<void>;
  #isLoaded = false;
  #tellLoaded!: () => void;

  constructor(host: HostId, platform: Platform, changed: (sending: Sending) => void) {
    this.#host = host;
    this.#platform = platform;
    this.#changed = changed;
    this.#loaded = new Promise((resolve) => {
      this.#tellLoaded = resolve;
    });
  }

  /**
   * Takes over what an earlier launch, or another tab that is gone, left behind. Repeated at every connection. Nothing
   * is saved or sent before the first time, for what is left behind was intended first.
   */
  async load(): Promise<void> {
    try {
      const { store, owner } = this.#platform;
      const rows = await store.list("outbox", `${this.#host}/`);
      for (const [key, text] of rows) {
        const stored = storedFrom(text);
        if (!stored) await store.write("outbox", key, undefined);
        else if (stored.owner !== owner.self && !(await owner.isAlive(stored.owner))) {
          await store.write("outbox", key, JSON.stringify({ ...stored, owner: owner.self }));
          if (!this.#slots.some((slot) => slot.key === key)) this.#adopt(key, stored);
        }
        this.#lastAt = Math.max(this.#lastAt, stored?.at ?? 0);
      }
    } finally {
      this.#isLoaded = true;
      this.#tellLoaded();
      this.#pump();
    }
  }

  /** Intents of a session that are not settled, and refused ones that were not put away. */
  of(session: SessionId): Sending[] {
    return this.#slots.filter((slot) => slot.lane === session).map((slot) => slot.sending);
  }

  isCreating(session: SessionId): boolean {
    return this.of(session).some((one) => one.method === "session.create" && one.state !== "refused");
  }

  intend<M extends IntentMethod>(method: M, params: Params<M>, where: Keeping = "store"): Intended<M> {
    const platform = this.#platform;
    const intent = uuid7From(platform.now(), platform.random(10));
    const problem = problemOf(method, params, intent);
    if (problem) return { intent, settled: quietly(Promise.reject(problem)) };
    const sending: Sending<M> = { intent, method, params, at: platform.now(), state: "saved" };
    const settled = new Promise<Result<M>>((ok, failed) => {
      const slot: Slot = {
        key: "",
        lane: laneOf(method, params, intent),
        sending: sending as Sending,
        kept: false,
        where,
        settle: { ok, failed },
      };
      this.#slots.push(slot);
      this.#changed(slot.sending);
      this.#save(slot).catch((error: unknown) => {
        this.#refuse(slot, unsaved(error));
      });
    });
    return { intent, settled: quietly(settled) };
  }

  /** A connection is there. */
  up(calls: Calls): void {
    this.#calls = calls;
    this.#pump();
  }

  /** It ended: what was on its way goes again with the next one. */
  down(): void {
    this.#calls = undefined;
  }

  /** Forgets a refused intent; true when there was one. */
  dismiss(intent: IntentId): boolean {
    const slot = this.#slots.find((one) => one.sending.intent === intent && one.sending.state === "refused");
    if (slot) this.#drop(slot);
    return slot !== undefined;
  }

  /** Nobody will be told any more; what is kept stays kept. */
  close(): void {
    this.#calls = undefined;
    for (const { settle, where } of this.#slots)
      settle.failed(
        new Offline(
          where === "store"
            ? "The app was closed. It is kept and will be sent."
            : "The app was closed. It was secret, so it is not kept: answer again.",
        ),
      );
    this.#slots = [];
  }

  async #save(slot: Slot): Promise<void> {
    const { store, owner } = this.#platform;
    if (!this.#isLoaded) await this.#loaded;
    if (slot.where === "memory") {
      slot.kept = true;
      this.#pump();
      return;
    }
    const { intent, method, params } = slot.sending;
    this.#lastAt = Math.max(this.#platform.now(), this.#lastAt + 1);
    slot.key = keyOf(this.#host, this.#lastAt, intent);
    const stored: Stored = { intent, method, params, at: this.#lastAt, owner: owner.self };
    await store.write("outbox", slot.key, JSON.stringify(stored));
    slot.kept = true;
    this.#pump();
  }

  #pump(): void {
    const calls = this.#calls;
    if (!calls || !this.#isLoaded) return;
    const held = new Set<string>();
    const creating = new Set<string>();
    for (const slot of this.#slots) {
      const { state, method } = slot.sending;
      if (state === "refused" || state === "accepted") continue;
      const ahead = AHEAD.has(method);
      const free = ahead ? !creating.has(slot.lane) : !held.has(slot.lane);
      if (free && slot.kept && state === "saved") this.#send(calls, slot);
      if (!ahead) held.add(slot.lane);
      if (method === "session.create") creating.add(slot.lane);
    }
  }

  #send(calls: Calls, slot: Slot): void {
    const { sending } = slot;
    sending.state = "sent";
    this.#changed(sending);
    calls.send(
      sending.method,
      sending.params,
      {
        ok: (result) => {
          sending.state = "accepted";
          const { seq } = result as { seq?: number };
          if (seq !== undefined) sending.seq = seq;
          this.#drop(slot);
          this.#changed(sending);
          slot.settle.ok(result as never);
          this.#pump();
        },
        failed: (error) => {
          if (error instanceof CallError) this.#refuse(slot, error);
          else {
            sending.state = "saved";
            this.#changed(sending);
            // Another connection may have taken the place of the one that it went over.
            if (this.#calls !== calls) this.#pump();
          }
        },
      },
      sending.intent,
    );
  }

  #refuse(slot: Slot, error: CallError): void {
    const { sending } = slot;
    sending.state = "refused";
    sending.refusal = error.message;
    if (!WRITTEN.has(sending.method)) this.#drop(slot);
    else if (slot.kept && slot.where === "store") {
      const { owner, store } = this.#platform;
      const { intent, method, params, at, refusal } = sending;
      this.#later(
        store.write("outbox", slot.key, JSON.stringify({ intent, method, params, at, refusal, owner: owner.self })),
      );
    }
    this.#changed(sending);
    slot.settle.failed(error);
    this.#pump();
  }

  #adopt(key: string, { intent, method, params, at, refusal }: Stored): void {
    const sending = { intent, method, params, at, state: refusal === undefined ? "saved" : "refused" } as Sending;
    if (refusal !== undefined) sending.refusal = refusal;
    const slot: Slot = {
      key,
      lane: laneOf(method, params, intent),
      sending,
      kept: true,
      where: "store",
      settle: { ok() {}, failed() {} },
    };
    const after = this.#slots.findIndex((one) => one.key === "" || one.key > key);
    this.#slots.splice(after < 0 ? this.#slots.length : after, 0, slot);
    this.#changed(sending);
  }

  #drop(slot: Slot): void {
    this.#slots = this.#slots.filter((one) => one !== slot);
    if (slot.kept && slot.where === "store") this.#later(this.#platform.store.write("outbox", slot.key, undefined));
  }

  /** What is not removed now is sent once more after the next launch, and the host gives the same answer. */
  #later(writing: Promise<void>): void {
    writing.catch(() => {});
  }
}

function laneOf(method: IntentMethod, params: unknown, intent: IntentId): string {
  if (method === "session.create") return intent;
  const { session } = params as { session?: SessionId };
  return session ?? "";
}

function keyOf(host: HostId, at: number, intent: IntentId): string {
  return `${host}/${String(at).padStart(15, "0")} ${intent}`;
}

/** Why it would be refused wherever it came: undefined when it may be sent. */
export function problemOf(method: IntentMethod, params: unknown, intent: IntentId): CallError | undefined {
  const parsed = v.safeParse(METHODS[method].params, params);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const where = v.getDotPath(issue);
    return new CallError("bad_params", `${where === null ? method : where}: ${issue.message}.`);
  }
  // The number stands for the largest one, so that the call fits whenever it is sent.
  const bytes = encodeMessage({ t: "call", call: Number.MAX_SAFE_INTEGER, method, params, intent }).length;
  if (bytes <= MAX_MESSAGE_BYTES) return undefined;
  const size = (bytes / 1024 / 1024).toFixed(1);
  const most = MAX_MESSAGE_BYTES / 1024 / 1024;
  return new CallError("bad_params", `This is ${size} MB to send; at most ${most} MB can be sent at once. Shorten it.`);
}

function unsaved(error: unknown): CallError {
  const reason = error instanceof StoreError ? error.message : String(error);
  return new CallError("storage", `Not sent, because this device could not keep it. ${reason}`);
}

function storedFrom(text: string): Stored | undefined {
  try {
    const stored = JSON.parse(text) as Stored;
    return isMethod(stored.method) && METHODS[stored.method].kind === "intent" ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** A rejection that nobody asked about is no fault of the program. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
