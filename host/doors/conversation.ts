/**
 * The inner conversation with one device: calls in, replies and entries out. Every call is parsed by its row, allowed
 * by its row, and answered once; every entry that leaves is allowed again, for a grant may have ended meanwhile.
 */
import {
  decodeDeviceMessage,
  type DeviceMessage,
  encodeMessage,
  type HostMessage,
} from "@flybridge/protocol/message.ts";
import type { Direct } from "@flybridge/protocol/direct.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_CALL_BYTES, PAGE_CHARS } from "@flybridge/protocol/limits.ts";
import { isMethod, METHODS, type Method, type Params } from "@flybridge/protocol/methods.ts";
import { encodeFrame } from "@flybridge/protocol/terminal.ts";
import { FEATURES } from "@flybridge/protocol/version.ts";
import type { SecurePipe } from "@flybridge/transport/pipe.ts";
import { queueBytes, type StreamId, Streams } from "@flybridge/transport/streams.ts";
import * as v from "valibot";
import { authorize, mayRead } from "../core/authorize.ts";
import { type Sink, StorageError } from "../core/ports.ts";
import type { Caller, Desk, FollowMethod, Following } from "./desk.ts";

/** Calls of one device that may be unanswered at once; more are answered `too_many`. */
const MAX_CALLS_UNDERWAY = 64;
/** Sessions one connection may follow at once. */
const MAX_FOLLOWED = 32;
/**
 * Share of a stream's queue that may wait for a slow device before what it follows stops reading for it. A pipe promises
 * `drained` only for a stream that was more than half full: with a smaller share nobody would say when to go on.
 */
const READY_SHARE = 1 / 2;

export interface Conversation {
  /** Ends it with a goodbye. */
  close(reason: string): void;
}

export function converse(options: {
  readonly pipe: SecurePipe;
  readonly caller: Caller;
  /** What it is told of the direct way. */
  readonly direct: Direct | undefined;
  readonly desk: Desk;
  now(): number;
  ended(): void;
  log(message: string, detail: Record<string, unknown>): void;
}): Conversation {
  const { pipe, caller, desk, now } = options;
  const { grant } = caller;
  const followed = new Map<SessionId, Following>();
  const screens = new Map<SessionId, Following>();
  let feed: Following | undefined;
  let underway = 0;

  /** A device that does not take what it asked for loses its connection, never single messages; it comes back for them. */
  const send = (stream: StreamId, message: HostMessage): void => {
    try {
      if (!pipe.send(stream, encodeMessage(message))) pipe.close("slow");
    } catch (error) {
      options.log("a message does not fit", { kind: message.t, error: String(error) });
      pipe.close("too large");
    }
  };
  const ready = (stream: StreamId): boolean => pipe.queued(stream) <= queueBytes(stream) * READY_SHARE;

  const unfollow = (session: SessionId): void => {
    followed.get(session)?.[Symbol.dispose]();
    followed.delete(session);
  };

  const follow = (call: number, { session, from }: Params<"session.follow">): void => {
    unfollow(session);
    if (followed.size >= MAX_FOLLOWED)
      throw new CallError("too_many", `A connection follows ${MAX_FOLLOWED} sessions at most. Close some.`);
    const sink: Sink = {
      ready: () => ready(Streams.entries),
      entries(entries) {
        if (!mayRead(grant, session, now())) return unfollow(session);
        for (const part of parts(entries)) send(Streams.entries, { t: "entries", session, entries: part });
      },
      delta(delta) {
        if (!mayRead(grant, session, now())) return unfollow(session);
        send(Streams.entries, { t: "delta", session, delta });
      },
      gone(reason) {
        followed.delete(session);
        send(Streams.entries, { t: "unfollowed", session, reason });
      },
    };
    const { answer, following } = desk.follow(session, from, sink, caller);
    // On the stream of the entries, so that what follows cannot overtake the answer.
    send(Streams.entries, { t: "reply", call, ok: answer });
    followed.set(session, following);
    following.pump();
  };

  const unfollowTerminal = (session: SessionId): void => {
    screens.get(session)?.[Symbol.dispose]();
    screens.delete(session);
  };

  const followTerminal = (call: number, { session, from }: Params<"terminal.follow">): void => {
    unfollowTerminal(session);
    if (screens.size >= MAX_FOLLOWED)
      throw new CallError("too_many", `A connection looks at ${MAX_FOLLOWED} terminals at most. Close some.`);
    const { answer, following } = desk.followTerminal(session, from, caller, {
      ready: () => ready(Streams.terminal),
      waiting: () => pipe.queued(Streams.terminal),
      frame(frame) {
        if (!mayRead(grant, session, now())) return unfollowTerminal(session);
        if (!pipe.send(Streams.terminal, encodeFrame(session, frame))) pipe.close("slow");
      },
    });
    screens.set(session, following);
    // Frames alone are on their stream. They may overtake the answer, and say what it says.
    send(Streams.calls, { t: "reply", call, ok: answer });
    following.pump();
  };

  const followFeed = (call: number, { from }: Params<"feed.follow">): void => {
    feed?.[Symbol.dispose]();
    const { answer, following } = desk.followFeed(from, {
      ready: () => ready(Streams.asks),
      facts: (facts) => send(Streams.asks, { t: "feed", facts: [...facts] }),
    });
    send(Streams.asks, { t: "reply", call, ok: answer });
    feed = following;
    following.pump();
  };

  const carryOut = async (message: DeviceMessage): Promise<void> => {
    const { call, method } = message;
    if (!isMethod(method))
      throw new CallError("unknown_method", `This host does not know "${method}". It may be older than this device.`);
    const params = parsed(method, message.params);
    authorize(grant, method, params as { session?: unknown }, now());
    if (method === "session.follow") return follow(call, params as Params<"session.follow">);
    if (method === "feed.follow") return followFeed(call, params as Params<"feed.follow">);
    if (method === "terminal.follow") return followTerminal(call, params as Params<"terminal.follow">);
    if (method === "session.unfollow" || method === "terminal.unfollow") {
      const end = method === "session.unfollow" ? unfollow : unfollowTerminal;
      end((params as Params<"session.unfollow">).session);
      send(Streams.calls, { t: "reply", call, ok: {} });
      return;
    }
    const ok = await result(method, params, message);
    const stream = method === "session.page" ? Streams.bulk : Streams.calls;
    send(stream, { t: "reply", call, ok });
  };

  const result = (method: Exclude<Method, FollowMethod>, params: unknown, message: DeviceMessage): unknown => {
    // One cast, where the table's types meet the message: `params` was parsed by the row of this very method.
    if (METHODS[method].kind === "query") return (desk.queries as Loose)[method]?.(params, caller);
    if (message.intent === undefined) throw new CallError("bad_params", `${method} is an intent: it needs an id.`);
    return (desk.intents as Loose)[method]?.(params, message.intent, caller);
  };

  const hear = async (message: DeviceMessage): Promise<void> => {
    if (underway >= MAX_CALLS_UNDERWAY) {
      send(
        Streams.calls,
        faultOf(message.call, new CallError("too_many", "Too many calls at once. Wait for answers.")),
      );
      return;
    }
    underway += 1;
    try {
      await carryOut(message);
    } catch (error) {
      if (!(error instanceof CallError)) options.log("a call failed", { method: message.method, error: String(error) });
      send(Streams.calls, faultOf(message.call, error));
    } finally {
      underway -= 1;
    }
  };

  /** Answered, not cut off: a device that comes back with the same call would be cut off again for ever. */
  const refuseLarge = (call: number, size: number): void => {
    const message = `This call has ${size} bytes; a host takes ${MAX_CALL_BYTES} at most. Send less at once.`;
    send(Streams.calls, faultOf(call, new CallError("bad_params", message)));
  };

  pipe.listen({
    message(_stream, bytes) {
      let message: DeviceMessage;
      try {
        message = decodeDeviceMessage(bytes);
      } catch {
        options.log("a device sent what is not a message", { device: caller.device });
        pipe.close("malformed");
        return;
      }
      if (bytes.length > MAX_CALL_BYTES) return refuseLarge(message.call, bytes.length);
      return hear(message);
    },
    drained(stream) {
      if (stream === Streams.entries) for (const following of followed.values()) following.pump();
      else if (stream === Streams.terminal) for (const screen of screens.values()) screen.pump();
      else if (stream === Streams.asks) feed?.pump();
    },
    ended() {
      for (const following of followed.values()) following[Symbol.dispose]();
      followed.clear();
      for (const screen of screens.values()) screen[Symbol.dispose]();
      screens.clear();
      feed?.[Symbol.dispose]();
      options.ended();
    },
  });
  send(Streams.calls, {
    t: "welcome",
    host: desk.host.id,
    name: desk.host.name,
    version: desk.host.version,
    device: caller.device,
    grant,
    now: now(),
    features: [...FEATURES],
    ...(options.direct ? { direct: options.direct } : {}),
  });
  return { close: (reason) => pipe.close(reason) };
}

type Loose = Readonly<Record<string, (...args: unknown[]) => unknown>>;

function parsed(method: Method, params: unknown): unknown {
  const result = v.safeParse(METHODS[method].params, params);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue);
  throw new CallError("bad_params", `${method}: ${where === null ? "" : `${where}: `}${issue.message}`);
}

function faultOf(call: number, error: unknown): HostMessage {
  if (error instanceof CallError) {
    const { code, message, details } = error;
    return { t: "fault", call, error: { code, message, ...(details === undefined ? {} : { details }) } };
  }
  if (error instanceof StorageError) return { t: "fault", call, error: { code: "storage", message: error.message } };
  const message = "The host failed at this. Nothing was done; its log says why (flybridge logs).";
  return { t: "fault", call, error: { code: "internal", message } };
}

/** Entries in messages of about PAGE_CHARS, for one message has a limit and one entry may be large. */
function* parts(entries: readonly Entry[]): Generator<Entry[]> {
  let part: Entry[] = [];
  let chars = 0;
  for (const entry of entries) {
    const size = entries.length === 1 ? 0 : JSON.stringify(entry.fact).length;
    if (part.length > 0 && chars + size > PAGE_CHARS) {
      yield part;
      part = [];
      chars = 0;
    }
    part.push(entry);
    chars += size;
  }
  if (part.length > 0) yield part;
}
