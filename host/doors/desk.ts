/** What a door needs of the host behind it: the method table, carried out. */
import type { Grant } from "@flybridge/protocol/grant.ts";
import type { DeviceId, HostId, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import type { FollowResult, IntentMethod, Params, QueryMethod, Result } from "@flybridge/protocol/methods.ts";
import type { FeedSink, ScreenSink, Sink } from "../core/ports.ts";

/** Who calls. */
export interface Caller {
  readonly device: DeviceId;
  readonly grant: Grant;
  /** Its connection is over, or its grant is: what it asked for and is not done yet is not to be done. */
  readonly ended: AbortSignal;
}

/** Queries that begin a stream; the door serves them, for it owns the streams. */
export type FollowMethod =
  | "session.follow"
  | "session.unfollow"
  | "feed.follow"
  | "terminal.follow"
  | "terminal.unfollow";

export type Queries = {
  readonly [M in Exclude<QueryMethod, FollowMethod>]: (
    params: Params<M>,
    caller: Caller,
  ) => Result<M> | Promise<Result<M>>;
};
export type Intents = {
  readonly [M in IntentMethod]: (params: Params<M>, intent: IntentId, caller: Caller) => Result<M> | Promise<Result<M>>;
};

/** Something that is followed. Disposing ends it. */
export interface Following extends Disposable {
  /** The sink is ready again. */
  pump(): void;
}

export interface Desk {
  readonly host: { readonly id: HostId; readonly name: string; readonly version: string };
  readonly queries: Queries;
  readonly intents: Intents;
  /** Throws `CallError("not_found")`. */
  follow(
    session: SessionId,
    from: number | undefined,
    sink: Sink,
    caller: Caller,
  ): { readonly answer: FollowResult; readonly following: Following };
  /** Throws `CallError`: "not_found", or "wrong_state" when the session is no terminal. */
  followTerminal(
    session: SessionId,
    from: number | undefined,
    caller: Caller,
    sink: ScreenSink,
  ): { readonly answer: Result<"terminal.follow">; readonly following: Following };
  followFeed(from: number, sink: FeedSink): { readonly answer: Result<"feed.follow">; readonly following: Following };
}
