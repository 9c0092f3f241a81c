/**
 * The line to one host: dials its addresses, proves both sides, hears the welcome, and comes back when it is cut. It
 * ends by itself only for what no repetition mends.
 */
import type { GrantEnd } from "@flybridge/protocol/grant.ts";
import { decodeHostMessage, type HostMessage } from "@flybridge/protocol/message.ts";
import { dial, type Dial } from "@flybridge/transport/dial.ts";
import { ANSWER_DIRECT_MS, BEAT_DIRECT_MS, BEAT_HIDDEN_MS, BEAT_VISIBLE_MS } from "@flybridge/transport/pace.ts";
import type { PipeEnd, SecurePipe } from "@flybridge/transport/pipe.ts";
import { Streams } from "@flybridge/transport/streams.ts";
import { Calls } from "./calls.ts";
import type { DirectSearch, Roundabout } from "./direct.ts";
import type { Found } from "./meeting.ts";
import { NotConnected } from "./not-connected.ts";
import type { Platform } from "./platform.ts";
import { type Connection, type KnownHost, Offline } from "./replica.ts";

/** Milliseconds in which a connection that lost its direct way may find another before anybody is told. */
const UNTOLD_MS = 2_000;

/** Milliseconds of one try to connect; each so many-th has as long as a handshake may take. */
const HURRIED_MS = 4_000;
const PATIENT_TRY = 4;

/** Milliseconds after the network has changed in which a connection is asked like a direct one. */
const DOUBT_MS = 3_000;
/** Milliseconds of a round trip up to which it has to answer as soon as one: slow networks have their time. */
const QUICK_MS = 500;

export type Welcome = Extract<HostMessage, { t: "welcome" }>;
/** What comes without having been asked for. */
export type News = Exclude<HostMessage, { t: "welcome" | "reply" | "fault" }>;

export interface LineEvents {
  state(connection: Connection): void;
  /** Connected and welcomed. Without `down` before it: in place of the connection that is there. */
  up(calls: Calls, welcome: Welcome, found: Found | undefined): void;
  news(message: News): void;
  /** A frame of a terminal. The stream's credit returns when the promise fulfils; throws for what is no frame. */
  frame(bytes: Uint8Array): void | Promise<void>;
  /** After `up`, once: nothing more comes, and what was asked has failed. */
  down(): void;
}

export class Line {
  readonly #platform: Platform;
  readonly #known: () => KnownHost;
  readonly #events: LineEvents;
  #dial: Dial | undefined;
  /** A pipe that pairing made, to be used by the next attempt. */
  #given: SecurePipe | undefined;
  #pipe: SecurePipe | undefined;
  #calls: Calls | undefined;
  #search: Promise<DirectSearch> | undefined;
  /** The connection that is there, where the host said that there is a direct way as well. */
  #roundabout: Roundabout | undefined;
  /** How the connection ends that took the place of the one that the attempt began with. */
  #direct: Promise<PipeEnd> | undefined;
  #state: Connection;
  #reason = "";
  #visible = true;
  /** Ends the time after the network has changed. */
  #stopDoubt: (() => void) | undefined;
  #tries = 0;
  /** Who waits for the outcome of the attempt that runs. */
  #waiting: { ok(calls: Calls): void; failed(error: Offline): void }[] = [];

  constructor(platform: Platform, known: () => KnownHost, events: LineEvents) {
    this.#platform = platform;
    this.#known = known;
    this.#events = events;
    this.#state = { kind: "connecting", since: platform.now() };
  }

  get state(): Connection {
    return this.#state;
  }

  /** Begins, or begins again after `stop` or a refusal. `given` is a pipe to this host that is there already. */
  start(given?: SecurePipe): void {
    if (given) this.stop();
    if (this.#dial) return;
    this.#given = given;
    const { clock } = this.#platform;
    const begun: Dial = dial({
      clock,
      chance: () => (this.#platform.random(1)[0] ?? 0) / 256,
      attempt: (up, signal) => this.#attempt(up, signal),
      waiting: (ms) => {
        const now = this.#platform.now();
        this.#show({ kind: "offline", since: now, reason: this.#reason, retryAt: now + Math.round(ms) });
      },
    });
    this.#dial = begun;
    void begun.done.then(() => {
      if (this.#dial === begun) this.#dial = undefined;
    });
  }

  /** The network, the page or the person came back: maybe somewhere else. */
  wake(where: "here" | "elsewhere" = "here"): void {
    this.#lookForDirect(where === "elsewhere");
    if (where === "elsewhere") this.#doubt();
    // Said at once, so that who asks for something now waits for the attempt that is about to begin.
    if (this.#state.kind !== "live" && this.#state.kind !== "connecting")
      this.#show({ kind: "connecting", since: this.#platform.now() });
    if (this.#dial) this.#dial.wake();
    else this.start();
  }

  visible(visible: boolean): void {
    this.#visible = visible;
    this.#pace();
  }

  stop(): void {
    const begun = this.#dial;
    this.#dial = undefined;
    this.#reason = "This device closed the connection.";
    begun?.stop();
    this.#pipe?.close("closing");
    this.#fail();
  }

  /** What calls go over, as soon as the attempt that runs has ended well. Rejects with `Offline`. */
  ready(): Promise<Calls> {
    if (this.#calls) return Promise.resolve(this.#calls);
    if (this.#state.kind === "offline" || this.#state.kind === "refused")
      return Promise.reject(new Offline(this.#reason));
    return new Promise((ok, failed) => this.#waiting.push({ ok, failed }));
  }

  get #paceMs(): number {
    return this.#visible ? BEAT_VISIBLE_MS : BEAT_HIDDEN_MS;
  }

  #pace(): void {
    const pipe = this.#pipe;
    if (this.#direct && this.#visible) pipe?.pace(BEAT_DIRECT_MS, ANSWER_DIRECT_MS);
    else if (this.#stopDoubt) pipe?.pace(BEAT_DIRECT_MS, (pipe.rttMs ?? 0) > QUICK_MS ? undefined : ANSWER_DIRECT_MS);
    else pipe?.pace(this.#paceMs);
  }

  /** Nothing ends a connection whose network is gone while there is another. */
  #doubt(): void {
    this.#stopDoubt?.();
    this.#stopDoubt = this.#platform.clock.setTimer(DOUBT_MS, () => {
      this.#stopDoubt = undefined;
      this.#pace();
    });
    this.#pace();
  }

  async #attempt(up: () => void, signal: AbortSignal): Promise<"again" | "soon" | "stop"> {
    try {
      const given = this.#given;
      this.#given = undefined;
      this.#direct = undefined;
      if (this.#state.kind !== "connecting") this.#show({ kind: "connecting", since: this.#platform.now() });
      const found = given ? undefined : await this.#connect(signal);
      const pipe = given ?? found?.pipe;
      if (!pipe) return "stop";
      let end = await this.#live(pipe, found, up, signal).finally(() => found?.stored());
      // The direct way may have taken over. Where that ends, the others are tried at once, and nobody is told yet.
      const current = (): Promise<PipeEnd> | undefined => this.#direct;
      for (let direct = current(); direct; direct = current()) {
        end = await direct;
        if (this.#direct === direct) this.#direct = undefined;
        if (signal.aborted || grantEndOf(end)) break;
        end = await this.#goBack(up, signal);
      }
      if (!signal.aborted) this.#reason = sentenceOf(end);
      const over = grantEndOf(end);
      if (over && !signal.aborted) throw new NotConnected(this.#reason, over);
    } catch (error) {
      if (signal.aborted) return "stop";
      this.#reason = error instanceof Error ? error.message : String(error);
      if (error instanceof NotConnected && error.refusal !== undefined) {
        const { refusal, instead } = error;
        this.#show({ kind: "refused", since: this.#platform.now(), reason: refusal, ...instead });
        this.#fail();
        return "stop";
      }
      if (error instanceof NotConnected && error.isSoon) {
        this.#fail();
        return "soon";
      }
    }
    this.#fail();
    return signal.aborted ? "stop" : "again";
  }

  async #connect(signal: AbortSignal): Promise<Found> {
    const { comeBack, HANDSHAKE_MS } = await import("./meeting.ts");
    // What was sent into a dead network is tried again by the system at ever longer intervals; a try of ours is not.
    const isPatient = ++this.#tries % PATIENT_TRY === 0;
    const late = new AbortController();
    const stopTimer = this.#platform.clock.setTimer(isPatient ? HANDSHAKE_MS : HURRIED_MS, () => late.abort());
    try {
      return await comeBack(this.#platform, this.#known(), this.#paceMs, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      if (late.signal.aborted && !signal.aborted) throw new NotConnected("The host did not answer in time.");
      throw error;
    } finally {
      stopTimer();
    }
  }

  async #goBack(up: () => void, signal: AbortSignal): Promise<PipeEnd> {
    const tell = (): void => this.#show({ kind: "connecting", since: this.#platform.now() });
    const stopTimer = this.#platform.clock.setTimer(UNTOLD_MS, tell);
    const found = await this.#connect(signal).finally(stopTimer);
    return this.#live(found.pipe, found, up, signal).finally(() => found.stored());
  }

  /** In the background, where there is one. */
  #lookForDirect(elsewhere = false): void {
    if (!this.#roundabout) return;
    this.#search ??= import("./direct.ts").then(
      ({ DirectSearch }) =>
        new DirectSearch(
          this.#platform,
          this.#known,
          () => this.#roundabout,
          (found, from) => this.#live(found.pipe, found, () => {}, from.signal, from),
        ),
    );
    this.#search.then((search) => search.look(elsewhere)).catch(() => (this.#search = undefined));
  }

  /** `before`: what it is to take the place of. */
  #live(
    pipe: SecurePipe,
    found: Found | undefined,
    up: () => void,
    signal: AbortSignal,
    before?: Roundabout,
  ): Promise<PipeEnd> {
    const calls = new Calls(pipe);
    const ended = Promise.withResolvers<PipeEnd>();
    let welcomed = false;
    const hear = (message: HostMessage): void => {
      if (message.t === "welcome") {
        if (welcomed) throw new TypeError("welcomed twice");
        welcomed = true;
        // What it was to replace has ended, and the next is being looked for.
        if (before !== undefined && before !== this.#roundabout) return pipe.close("closing");
        if (before) {
          this.#direct = ended.promise;
          void this.#search?.then((search) => search.retire(before, ended.promise));
        }
        this.#pipe = pipe;
        this.#calls = calls;
        this.#pace();
        up();
        const relay = found?.relay;
        this.#show({ kind: "live", since: this.#platform.now(), ...(relay === undefined ? {} : { relay }) });
        this.#events.up(calls, message, found);
        for (const one of this.#waiting.splice(0)) one.ok(calls);
        this.#roundabout = message.direct && { direct: message.direct, pipe, calls, signal };
        this.#lookForDirect();
      } else if (!welcomed) throw new TypeError(`${message.t} before the welcome`);
      else if (message.t === "reply" || message.t === "fault") calls.answer(message);
      else if (this.#pipe === pipe) this.#events.news(message);
    };
    const close = (): void => pipe.close("closing");
    signal.addEventListener("abort", close);
    pipe.listen({
      message: (stream, bytes) => {
        try {
          if (stream === Streams.terminal) {
            if (!welcomed) throw new TypeError("a terminal before the welcome");
            return this.#pipe === pipe ? this.#events.frame(bytes) : undefined;
          }
          const message = decodeHostMessage(bytes);
          if (message) hear(message);
        } catch (error) {
          // Their words do not fit the schema, or ours broke on them: either way what follows cannot be trusted.
          console.error("flybridge: a message of the host was not understood", error);
          pipe.close("not understood");
        }
        return undefined;
      },
      drained: (stream) => {
        calls.drained(stream);
      },
      ended: (end) => {
        signal.removeEventListener("abort", close);
        // Another one may have taken its place: by pairing, or directly.
        const isOurs = this.#pipe === pipe;
        if (isOurs) {
          this.#pipe = undefined;
          this.#calls = undefined;
          this.#roundabout = undefined;
        }
        calls.end(sentenceOf(end));
        if (isOurs) this.#events.down();
        ended.resolve(end);
      },
    });
    if (signal.aborted) close();
    return ended.promise;
  }

  #show(state: Connection): void {
    this.#state = state;
    this.#events.state(state);
  }

  #fail(): void {
    for (const one of this.#waiting.splice(0)) one.failed(new Offline(this.#reason));
  }
}

const GRANT_ENDS: ReadonlySet<string> = new Set<GrantEnd>([
  "revoked",
  "expired",
  "session_ended",
  "suspended",
  "detached",
]);

export function isGrantEnd(reason: string): reason is GrantEnd {
  return GRANT_ENDS.has(reason);
}

/** Why the host wants this device no more. */
function grantEndOf(end: PipeEnd): GrantEnd | undefined {
  return end.kind === "bye" && end.by === "them" && isGrantEnd(end.reason) ? end.reason : undefined;
}

function sentenceOf(end: PipeEnd): string {
  switch (end.kind) {
    case "bye":
      if (end.by === "us")
        return "The host said something that this app does not understand. Update the older of the two.";
      return end.reason === "" ? "The host closed the connection." : `The host closed the connection: ${end.reason}.`;
    case "cut":
      return "The connection was cut.";
    case "violation":
      return "The connection was closed because what came over it had been changed on the way.";
  }
}
