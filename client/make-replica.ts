/** A replica of one host: the line to it, its feed, its outbox, and the sessions that are looked at. */
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import { uuid7From } from "@flybridge/protocol/ids.ts";
import { METHODS, type IntentMethod, type Params, type QueryMethod, type Result } from "@flybridge/protocol/methods.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import * as v from "valibot";
import type { Calls } from "./calls.ts";
import type { Cell } from "./cell.ts";
import { Feed } from "./feed.ts";
import { keepWays } from "./kept-ways.ts";
import { isGrantEnd, Line, type News, type Welcome } from "./line.ts";
import { FLEETING, type Keeping, Outbox, problemOf, type Sending } from "./outbox.ts";
import type { Platform } from "./platform.ts";
import type { Connection, FrameListener, HostView, Intended, KnownHost, OpenSession, Replica } from "./replica.ts";
import { Session } from "./session.ts";

/** Sessions that nobody looks at and that are still in memory, to be there at once when someone comes back. */
const WARM_SESSIONS = 8;
/**
 * Milliseconds that connecting waits for what is cached. WebKit lets the last writes of a page that was left wait for
 * as long as it may come back, and every read behind them.
 */
const CACHE_WAIT_MS = 1_500;

export class HostReplica implements Replica {
  readonly view: Cell<HostView>;
  readonly #platform: Platform;
  readonly #line: Line;
  readonly #outbox: Outbox;
  readonly #feed: Feed;
  readonly #sessions = new Map<SessionId, Session>();
  readonly #listeners = new Set<FrameListener>();
  /** Told when what is known of the host itself changed: its name. */
  readonly #knew: (known: KnownHost) => void;
  #calls: Calls | undefined;
  #closed = false;

  constructor(platform: Platform, known: KnownHost, knew: (known: KnownHost) => void) {
    this.#platform = platform;
    this.#knew = knew;
    const connection: Connection =
      known.over === undefined
        ? { kind: "connecting", since: platform.now() }
        : { kind: "refused", since: known.over.at, reason: known.over.reason };
    this.view = platform.makeCell<HostView>({
      known,
      connection,
      sessions: {},
      devices: {},
      pairings: {},
      agents: [],
      read: false,
      seen: {},
    });
    this.#feed = new Feed(known.host, platform, this.view);
    this.#outbox = new Outbox(known.host, platform, (sending) => {
      this.#sent(sending);
    });
    this.#line = new Line(platform, () => this.view.value.known, {
      state: (connection) => {
        this.#connection(connection);
      },
      up: (calls, welcome, found) => {
        this.#up(calls, welcome);
        void this.#takeWays(calls).finally(() => found?.stored());
      },
      news: (message) => {
        this.#news(message);
      },
      frame: (bytes) => this.#frame(bytes),
      down: () => {
        this.#down();
      },
    });
  }

  get host(): HostId {
    return this.view.value.known.host;
  }

  /** Shows what is cached and connects; with `given`, over the pipe that pairing made. */
  async start(given?: SecurePipe): Promise<void> {
    if (given) this.#line.start(given);
    const cached = Promise.all([this.#feed.load(), this.#outbox.load().catch(() => {})]);
    await new Promise<void>((resolve) => {
      const stop = this.#platform.clock.setTimer(CACHE_WAIT_MS, resolve);
      void cached.finally(stop).then(() => {
        resolve();
      });
    });
    if (!given && !this.#closed && !this.#isOver) this.#line.start();
  }

  /** Pairing again gave the host another name, address or key. */
  repaired(known: KnownHost, given: SecurePipe): void {
    this.view.change((view) => {
      view.known = known;
      // What it may do from now on, the host says first.
      delete view.grant;
    });
    this.#line.start(given);
  }

  async call<M extends QueryMethod>(method: M, params: Params<M>): Promise<Result<M>> {
    const parsed = v.safeParse(METHODS[method].params, params);
    if (!parsed.success) throw new CallError("bad_params", `${method}: ${parsed.issues[0].message}.`);
    const calls = await this.#line.ready();
    return calls.ask(method, params);
  }

  intend<M extends IntentMethod>(method: M, params: Params<M>, where?: Keeping): Intended<M> {
    if (!FLEETING.has(method)) return this.#outbox.intend(method, params, where);
    const intent = uuid7From(this.#platform.now(), this.#platform.random(10));
    const problem = problemOf(method, params, intent);
    const settled = problem
      ? Promise.reject(problem)
      : this.#line.ready().then((calls) => calls.ask(method, params, intent));
    settled.catch(() => {});
    return { intent, settled };
  }

  open(id: SessionId): OpenSession {
    const session = this.#sessions.get(id) ?? this.#sessionOf(id);
    // Last in the map is last used.
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    session.held++;
    if (session.held === 1 && this.#calls) session.up(this.#calls);
    let open = true;
    return {
      view: session.view,
      older: () => session.older(),
      close: () => {
        if (!open) return;
        open = false;
        session.held--;
        if (session.held === 0) session.unfollow();
        this.#cool();
      },
    };
  }

  hearFrames(listener: FrameListener): () => void {
    this.#listeners.add(listener);
    if (this.#calls) listener.up(this.#calls);
    return () => this.#listeners.delete(listener);
  }

  dismiss(intent: IntentId): void {
    this.#outbox.dismiss(intent);
    for (const session of this.#sessions.values()) session.dismissed(intent);
  }

  notice(event: Parameters<Replica["notice"]>[0]): void {
    switch (event.kind) {
      case "awake":
        if (!this.#isOver) this.#line.wake("elsewhere");
        return;
      case "visible":
        this.#line.visible(event.visible);
        if (event.visible && !this.#isOver) this.#line.wake();
        return;
      case "looked":
        this.#feed.looked(event.session, event.seq);
        return;
      case "closing":
        void this.flush();
        this.#line.stop();
        if (this.#isOver) return;
        this.view.change((view) => {
          view.connection = {
            kind: "offline",
            since: this.#platform.now(),
            reason: "This device closed the connection.",
          };
        });
    }
  }

  /** Writes what is cached now. */
  async flush(): Promise<void> {
    const views = [...this.#sessions.values()].map((session) => session.cache());
    await Promise.all([...views, this.#feed.flush()]);
  }

  close(): void {
    this.#closed = true;
    void this.flush();
    this.#line.stop();
    this.#outbox.close();
  }

  #sessionOf(id: SessionId): Session {
    return new Session(id, {
      platform: this.#platform,
      key: `${this.host}/${id}`,
      sending: () => this.#outbox.of(id),
      caching: () => {
        for (const old of this.#feed.cached(id)) this.#forgetView(old);
      },
      isCreating: () => this.#outbox.isCreating(id),
    });
  }

  get #isOver(): boolean {
    return this.view.value.known.over !== undefined;
  }

  /** Only a host that was there tells how a grant ended; to whoever comes later it says nothing. */
  #connection(connection: Connection): void {
    const { known, connection: before } = this.view.value;
    const isTold = before.kind === "live" && connection.kind === "refused" && isGrantEnd(connection.reason);
    const over = isTold ? { reason: connection.reason, at: connection.since } : undefined;
    this.view.change((view) => {
      view.connection = connection;
      if (over) view.known = { ...known, over };
    });
    if (over) this.#knew(this.view.value.known);
  }

  #up(calls: Calls, welcome: Welcome): void {
    this.#calls = calls;
    this.view.change((view) => {
      view.grant = welcome.grant;
      view.version = welcome.version;
      const only = welcome.grant.kind === "session" ? welcome.grant.session : undefined;
      if (view.known.name !== welcome.name || view.known.only !== only)
        view.known = { ...view.known, name: welcome.name, only };
    });
    this.#knew(this.view.value.known);
    this.#feed.up(calls, welcome.grant.kind === "owner");
    for (const session of this.#sessions.values()) if (session.held > 0) session.up(calls);
    for (const listener of this.#listeners) listener.up(calls);
    this.#outbox.up(calls);
    // Another tab may be gone since.
    this.#outbox.load().catch(() => {});
  }

  #down(): void {
    this.#calls = undefined;
    this.#outbox.down();
    for (const session of this.#sessions.values()) session.down();
    for (const listener of this.#listeners) listener.down();
  }

  #frame(bytes: Uint8Array): void | Promise<void> {
    const [listener, ...others] = this.#listeners;
    // One terminal is the rule; what nobody hears any more was on its way when its page closed.
    if (!listener || others.length === 0) return listener?.frame(bytes);
    return Promise.all([listener, ...others].map(async (one) => await one.frame(bytes))).then(() => undefined);
  }

  /** Each connection by a relay uses a ticket up; those for the next one come now. */
  async #takeWays(calls: Calls): Promise<void> {
    const { keys } = this.#platform;
    // A shell of the host's own machine goes by no relay.
    if (this.view.value.known.addresses.some((address) => address.startsWith("/"))) return;
    try {
      const { publicKey } = await keys.proof();
      const { ways } = await calls.ask("relay.ways", { key: toBase64Url(publicKey) });
      await keepWays(keys, this.host, ways);
    } catch {
      // An older host has none; what is kept may still do, and the next connection asks again.
    }
  }

  #news(message: News): void {
    switch (message.t) {
      case "entries":
        this.#sessions.get(message.session)?.entries(message.entries);
        return;
      case "delta":
        this.#sessions.get(message.session)?.delta(message.delta);
        return;
      case "unfollowed":
        this.#sessions.get(message.session)?.gone(message.reason);
        return;
      case "feed":
        this.#tell(message.facts);
    }
  }

  #tell(facts: readonly FeedEntry[]): void {
    this.#feed.facts(facts);
    for (const { fact } of facts) if (fact.kind === "session.gone") this.#forgetView(fact.session);
  }

  #forgetView(session: SessionId): void {
    this.#platform.store.write("views", `${this.host}/${session}`, undefined).catch(() => {});
  }

  #sent(sending: Sending): void {
    const session =
      sending.method === "session.create" ? sending.intent : (sending.params as { session?: string }).session;
    this.#sessions.get(session as string as SessionId)?.sending(sending);
  }

  #cool(): void {
    const idle = [...this.#sessions.values()].filter((session) => session.held === 0);
    for (const session of idle.slice(0, Math.max(0, idle.length - WARM_SESSIONS))) this.#sessions.delete(session.id);
  }
}
