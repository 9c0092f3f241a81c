/** The feed of one host as this device has it: its sessions and devices, kept for the next launch, and what was seen. */
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { HostId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Calls } from "./calls.ts";
import type { Cell } from "./cell.ts";
import type { Platform } from "./platform.ts";
import type { HostView } from "./replica.ts";

/** Milliseconds from a change to its being in the store. */
const CACHE_MS = 1_000;

/** Sessions whose view is kept for the next launch. */
const CACHED_VIEWS = 50;

interface Cached extends Pick<HostView, "sessions" | "devices" | "pairings" | "agents" | "seen" | "grant"> {
  readonly last: number;
  readonly views: SessionId[];
}

export class Feed {
  readonly #host: HostId;
  readonly #platform: Platform;
  readonly #view: Cell<HostView>;
  #last = 0;
  /** Of the newest `feed.follow`; an answer to an older one is passed over. */
  #asked = 0;
  /** Sessions with a kept view, the newest last. */
  #views: SessionId[] = [];
  #stopTimer: (() => void) | undefined;

  constructor(host: HostId, platform: Platform, view: Cell<HostView>) {
    this.#host = host;
    this.#platform = platform;
    this.#view = view;
  }

  async load(): Promise<void> {
    const text = await this.#platform.store.read("feeds", this.#host).catch(() => undefined);
    const cached = text === undefined ? undefined : cachedFrom(text);
    if (!cached) return;
    // A connection may have been quicker.
    this.#views = [...cached.views, ...this.#views];
    const isFirst = this.#last === 0;
    if (isFirst) this.#last = cached.last;
    this.#view.change((view) => {
      for (const session of Object.keys(cached.seen) as SessionId[])
        view.seen[session] = Math.max(view.seen[session] ?? 0, cached.seen[session] ?? 0);
      if (!isFirst) return;
      view.sessions = cached.sessions;
      view.devices = cached.devices;
      view.pairings = cached.pairings;
      view.agents = cached.agents;
      if (cached.grant) view.grant ??= cached.grant;
      view.read = true;
    });
  }

  up(calls: Calls, isOwner: boolean): void {
    if (!isOwner) {
      this.#view.change((view) => {
        view.read = true;
      });
      this.#cacheSoon();
      return;
    }
    this.#follow(calls);
    calls.send(
      "agent.list",
      {},
      {
        ok: ({ agents }) => {
          this.#view.change((view) => {
            view.agents = agents;
          });
          this.#cacheSoon();
        },
        failed() {},
      },
    );
  }

  facts(facts: readonly FeedEntry[]): void {
    this.#view.change((view) => {
      for (const { seq, fact } of facts) {
        this.#last = Math.max(this.#last, seq);
        switch (fact.kind) {
          case "session":
            view.sessions[fact.summary.session] = fact.summary;
            break;
          case "session.gone":
            delete view.sessions[fact.session];
            break;
          case "device":
            view.devices[fact.device.device] = fact.device;
            break;
          case "device.gone":
            delete view.devices[fact.device];
            break;
          case "pairing":
            view.pairings[fact.pairing.pairing] = fact.pairing;
            break;
          case "pairing.gone":
            delete view.pairings[fact.pairing];
        }
      }
    });
    this.#cacheSoon();
  }

  looked(session: SessionId, seq: number): void {
    if ((this.#view.value.seen[session] ?? 0) >= seq) return;
    this.#view.change((view) => {
      view.seen[session] = seq;
    });
    this.#cacheSoon();
  }

  /** A session's view is written; gives those whose view is to be removed for it. */
  cached(session: SessionId): SessionId[] {
    if (this.#views.at(-1) === session) return [];
    this.#views = [...this.#views.filter((one) => one !== session), session];
    this.#cacheSoon();
    return this.#views.splice(0, Math.max(0, this.#views.length - CACHED_VIEWS));
  }

  async flush(): Promise<void> {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    const { sessions, devices, pairings, agents, seen, grant, read } = this.#view.value;
    if (!read) return;
    const cached: Cached = {
      last: this.#last,
      views: this.#views,
      sessions,
      devices,
      pairings,
      agents,
      seen,
      ...(grant ? { grant } : {}),
    };
    await this.#platform.store.write("feeds", this.#host, JSON.stringify(cached)).catch(() => {});
  }

  #follow(calls: Calls): void {
    const asked = this.#platform.now();
    const from = this.#last;
    const follow = ++this.#asked;
    calls.send(
      "feed.follow",
      { from },
      {
        ok: ({ facts, last }) => {
          if (follow !== this.#asked) return;
          const { connection } = this.#view.value;
          const isReset = last < from;
          this.#view.change((view) => {
            if (connection.kind === "live")
              view.connection = { ...connection, roundTrip: Math.max(0, this.#platform.now() - asked) };
            if (from === 0 || isReset) {
              view.sessions = {};
              view.devices = {};
              view.pairings = {};
            }
            view.read = !isReset;
          });
          if (isReset) {
            // The host numbers anew (its state was replaced): what is known here is of another journal.
            this.#last = 0;
            this.#follow(calls);
            return;
          }
          this.facts(facts);
          this.#last = Math.max(this.#last, last);
        },
        failed() {},
      },
    );
  }

  #cacheSoon(): void {
    this.#stopTimer ??= this.#platform.clock.setTimer(CACHE_MS, () => void this.flush());
  }
}

function cachedFrom(text: string): Cached | undefined {
  try {
    return JSON.parse(text) as Cached;
  } catch {
    return undefined;
  }
}
