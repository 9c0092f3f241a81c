/**
 * What a device relies on in a host, in memory: the real seal and the real words, a journal per session, and every
 * intent carried out once. The tests of this package run against it; it can be cut, made to refuse, and looked into.
 */
import { nobleKey, nobleSuite } from "@flybridge/crypto/noble.ts";
import { continuityTag as tagOf } from "@flybridge/crypto/continuity.ts";
import { hostIdOf, signingKey } from "@flybridge/crypto/identity.ts";
import type { Direct } from "@flybridge/protocol/direct.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { FeedFact } from "@flybridge/protocol/feed.ts";
import { apply, opened, summaryOf } from "@flybridge/protocol/fold.ts";
import type { DeviceId, HostId, IntentId, PromptId, SessionId } from "@flybridge/protocol/ids.ts";
import {
  decodeDeviceMessage,
  encodeMessage,
  type DeviceMessage,
  type HostMessage,
} from "@flybridge/protocol/message.ts";
import type { FollowResult, Params } from "@flybridge/protocol/methods.ts";
import { type Connection, toBase64Url } from "@flybridge/protocol/offer.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Clock } from "@flybridge/transport/clock.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { memoryWire, type MemoryWire } from "@flybridge/transport/memory.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import { acceptOver } from "@flybridge/transport/secure/host.ts";
import { Streams } from "@flybridge/transport/streams.ts";

const DEVICE = "v".repeat(43) as DeviceId;

interface Kept {
  readonly journal: Entry[];
  state: SessionState | undefined;
}

interface Caller {
  readonly pipe: SecurePipe;
  readonly follows: Map<SessionId, number>;
  feed: boolean;
}

export interface SmallHost {
  readonly id: HostId;
  /** What a person would scan; each is good for one pairing. */
  offer(): Connection;
  /** The device's end of a new wire; frames until the network goes away, both ways together. */
  dial(frames?: number): Link;
  cut(): void;
  /** The host's end of a link that a test made itself. */
  accept(link: Link): void;
  /** Forgets every device. */
  revoke(): void;
  journal(session: SessionId): readonly Entry[];
  append(session: SessionId, ...facts: readonly Fact[]): void;
  stream(session: SessionId, item: string, offset: number, text: string): void;
  /** Entries in a page, and missed ones up to which all are sent. */
  page: number;
  resume: number;
  /** Why a method is refused; by default nothing is. */
  refusal(method: string, params: unknown): CallError | undefined;
  /** Calls that arrived, by method. */
  readonly calls: { method: string; params: unknown; intent?: IntentId }[];
  /** Intents that arrived again after they had been carried out. */
  repeated: number;
  /** While true nothing is answered. */
  mute: boolean;
  /** What whoever is welcomed now is told of a direct way. */
  direct: Direct | undefined;
  /** Answers the calls that this host does not know; `frame` sends on the stream of terminals. */
  others(method: string, params: unknown, frame: (bytes: Uint8Array) => void): unknown;
}

/** Chance that repeats itself: the same seed gives the same run. */
export function seededRandom(seed: number): (bytes: number) => Uint8Array {
  let chance = Math.imul(seed, 2_654_435_761) >>> 0;
  return (bytes) =>
    Uint8Array.from({ length: bytes }, () => {
      chance = (Math.imul(chance, 1_664_525) + 1_013_904_223) >>> 0;
      return (chance >>> 16) & 0xff;
    });
}

export function smallHost(clock: Clock, seed = 1): SmallHost {
  const random = seededRandom(seed);
  const suite = nobleSuite(random);
  const hostKey = nobleKey(random(32));
  const id = hostIdOf(hostKey.publicKey, signingKey(random(32)).publicKey) as HostId;
  const offers = new Map<string, Uint8Array>();
  const devices = new Map<string, Uint8Array[]>();
  const sessions = new Map<SessionId, Kept>();
  const feed: FeedFact[] = [];
  const settled = new Map<IntentId, HostMessage>();
  const callers = new Set<Caller>();
  const wires = new Set<MemoryWire>();
  let at = 1_700_000_000_000;

  const send = (caller: Caller, stream: number, message: HostMessage): void => {
    caller.pipe.send(stream, encodeMessage(message));
  };
  const sessionOf = (session: SessionId): Kept => {
    const kept = sessions.get(session);
    if (!kept) throw new CallError("not_found", "There is no such session.");
    return kept;
  };
  const append = (session: SessionId, fact: Fact): number => {
    const kept = sessions.get(session) ?? { journal: [], state: undefined };
    sessions.set(session, kept);
    const entry = { seq: kept.journal.length + 1, at: at++, fact };
    kept.journal.push(entry);
    if (kept.state) kept.state = apply(kept.state, entry);
    else if (fact.kind === "session.opened") kept.state = opened(session, entry.at, fact);
    for (const caller of callers) {
      if (caller.follows.has(session)) {
        send(caller, Streams.entries, { t: "entries", session, entries: [entry] });
        caller.follows.set(session, entry.seq);
      }
    }
    if (kept.state) tell({ kind: "session", summary: summaryOf(kept.state) });
    return entry.seq;
  };
  const tell = (fact: FeedFact): void => {
    feed.push(fact);
    for (const caller of callers)
      if (caller.feed) send(caller, Streams.asks, { t: "feed", facts: [{ seq: feed.length, fact }] });
  };

  function follow(caller: Caller, call: number, { session, from }: Params<"session.follow">): void {
    const { journal, state } = sessionOf(session);
    const last = journal.length;
    if (from !== undefined && from <= last + 1 && last + 1 - from <= host.resume) {
      const ok: FollowResult = { kind: "entries", from };
      send(caller, Streams.entries, { t: "reply", call, ok });
      for (let start = from; start <= last; start += host.page) {
        const entries = journal.slice(start - 1, Math.min(last, start - 1 + host.page));
        send(caller, Streams.entries, { t: "entries", session, entries });
      }
    } else {
      const entries = journal.slice(-host.page);
      const first = entries[0]?.seq ?? 1;
      const isOpen = (item: string): boolean => state?.items.some((one) => one.item === item) ?? false;
      const carried = journal.filter(
        ({ seq, fact }) =>
          seq < first &&
          ((fact.kind === "item.began" && isOpen(fact.item.item)) || (fact.kind === "item.grew" && isOpen(fact.item))),
      );
      const ok: FollowResult = { kind: "window", state: state!, entries, more: first > 1, carried };
      send(caller, Streams.entries, { t: "reply", call, ok });
    }
    caller.follows.set(session, last);
  }

  /** What a query or an intent answers. */
  function answer(caller: Caller, method: string, params: unknown, intent: IntentId | undefined): unknown {
    switch (method) {
      case "agent.list":
        return { agents: [] };
      case "workspace.list":
        return { folders: [], home: "/home" };
      case "session.page": {
        const { session, before } = params as Params<"session.page">;
        const entries = sessionOf(session).journal.slice(Math.max(0, before - 1 - host.page), before - 1);
        return { entries, more: (entries[0]?.seq ?? 1) > 1 };
      }
      case "session.create": {
        const { agent, workspace, prompt } = params as Params<"session.create">;
        const session = intent as string as SessionId;
        let seq = append(session, { kind: "session.opened", agent, workspace, by: DEVICE });
        if (prompt !== undefined)
          seq = append(session, {
            kind: "prompt.accepted",
            prompt: intent as string as PromptId,
            text: prompt,
            delivery: "queue",
            by: DEVICE,
          });
        return { session, seq };
      }
      case "session.prompt": {
        const { session, text, delivery } = params as Params<"session.prompt">;
        sessionOf(session);
        return {
          seq: append(session, {
            kind: "prompt.accepted",
            prompt: intent as string as PromptId,
            text,
            delivery,
            by: DEVICE,
          }),
        };
      }
      case "ask.answer": {
        const { session, ask, answer: given } = params as Params<"ask.answer">;
        if (!sessionOf(session).state?.asks.some((one) => one.ask.ask === ask))
          throw new CallError("already_settled", "It was answered before.");
        return {
          seq: append(session, {
            kind: "ask.settled",
            ask,
            settlement: { kind: "answered", answer: given, by: DEVICE },
          }),
        };
      }
      case "session.interrupt": {
        const { session } = params as Params<"session.interrupt">;
        sessionOf(session);
        return { seq: append(session, { kind: "interrupt.asked", by: DEVICE }) };
      }
      case "device.rename":
      case "session.unfollow":
        return {};
      default:
        return host.others(method, params, (bytes) => caller.pipe.send(Streams.terminal, bytes));
    }
  }

  function hear(caller: Caller, message: DeviceMessage): void {
    const { call, method, params, intent } = message;
    host.calls.push({ method, params, ...(intent === undefined ? {} : { intent }) });
    if (host.mute) return;
    const before = intent && settled.get(intent);
    if (before) {
      host.repeated++;
      send(caller, Streams.calls, { ...before, call } as HostMessage);
      return;
    }
    let reply: HostMessage;
    try {
      const refusal = host.refusal(method, params);
      if (refusal) throw refusal;
      if (method === "session.follow") return follow(caller, call, params as Params<"session.follow">);
      if (method === "feed.follow") {
        const { from } = params as Params<"feed.follow">;
        caller.feed = true;
        const facts = feed.map((fact, index) => ({ seq: index + 1, fact })).slice(from);
        return send(caller, Streams.asks, { t: "reply", call, ok: { facts, last: feed.length } });
      }
      if (method === "session.unfollow") caller.follows.delete((params as { session: SessionId }).session);
      reply = { t: "reply", call, ok: answer(caller, method, params, intent) };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      reply = { t: "fault", call, error: { code: error.code, message: error.message } };
    }
    if (intent) settled.set(intent, reply);
    send(caller, Streams.calls, reply);
  }

  async function accept(link: Link): Promise<void> {
    const accepted = await acceptOver(link, {
      suite,
      clock,
      hostKey,
      hostId: id,
      confirms: () => false,
      secretOf: (offer) => offers.get(toBase64Url(offer)),
      consume(offer, { deviceKey, continuity }) {
        if (!offers.delete(toBase64Url(offer))) return false;
        devices.set(toBase64Url(deviceKey), [continuity]);
        return true;
      },
      continuityOf(deviceKey, tag) {
        return devices.get(toBase64Url(deviceKey))?.find((secret) => toBase64Url(tagOf(secret)) === toBase64Url(tag));
      },
      advance(deviceKey, _used, next) {
        devices.set(toBase64Url(deviceKey), [next, ...(devices.get(toBase64Url(deviceKey)) ?? [])].slice(0, 8));
        return true;
      },
    });
    const caller: Caller = { pipe: accepted.pipe, follows: new Map(), feed: false };
    callers.add(caller);
    accepted.pipe.listen({
      message: (_stream, bytes) => hear(caller, decodeDeviceMessage(bytes)),
      drained() {},
      ended: () => callers.delete(caller),
    });
    const told = host.direct ? { direct: host.direct } : {};
    const welcome = { host: id, name: "small", version: "1", device: DEVICE, now: at, features: [], ...told };
    send(caller, Streams.calls, { t: "welcome", ...welcome, grant: { kind: "owner" } });
  }

  const host: SmallHost = {
    id,
    page: 200,
    resume: 100_000,
    calls: [],
    repeated: 0,
    mute: false,
    direct: undefined,
    others(method) {
      throw new CallError("unknown_method", `This host does not know ${method}.`);
    },
    refusal: () => undefined,
    offer() {
      const [offer, secret] = [random(8), random(32)];
      offers.set(toBase64Url(offer), secret);
      return {
        addresses: [{ host: "127.0.0.1", port: 7683 }],
        offer,
        secret,
        hostKey: hostKey.publicKey,
        name: "small",
      };
    },
    dial(frames = Number.POSITIVE_INFINITY) {
      const wire = memoryWire();
      wires.add(wire);
      let left = frames;
      const flowing = (end: Link): Link => {
        const soon = (): void => void setImmediate(() => wire.pump());
        return {
          listen(events) {
            end.listen(events);
            soon();
          },
          send(frame) {
            if (left-- > 0) end.send(frame);
            else wire.cut();
            soon();
          },
          get buffered() {
            return end.buffered;
          },
          close(detail) {
            end.close(detail);
            soon();
          },
        };
      };
      accept(flowing(wire.ends[0])).catch(() => {});
      return flowing(wire.ends[1]);
    },
    accept(link) {
      accept(link).catch(() => {});
    },
    cut() {
      for (const wire of wires) wire.cut();
      wires.clear();
    },
    revoke() {
      devices.clear();
      host.cut();
    },
    journal: (session) => sessions.get(session)?.journal ?? [],
    append(session, ...facts) {
      for (const fact of facts) append(session, fact);
    },
    stream(session, item, offset, text) {
      for (const caller of callers)
        if (caller.follows.has(session))
          send(caller, Streams.entries, { t: "delta", session, delta: { item: item as never, offset, text } });
    },
  };
  return host;
}
