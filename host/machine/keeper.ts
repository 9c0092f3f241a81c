/**
 * The host's end of the keeper: finds it by its socket, starts one if none answers, sends orders, hears reports.
 */
import type { ChildExit, ChildState, FailureCode, Order, SpawnOrder } from "@flybridge/keeper/wire.ts";

export type { ChildExit, ChildState, SpawnOrder } from "@flybridge/keeper/wire.ts";

/** What a host may tell a child that exists. Fire and forget: what came of it arrives as an event. */
export type ChildOrder = Extract<
  Order,
  { type: "input" | "endInput" | "read" | "ack" | "resize" | "signal" | "forget" }
>;

export interface KeeperPlace {
  /** In a folder of its own, 0700. */
  readonly socketPath: string;
  readonly spoolFolder: string;
}

/**
 * Contract of a connection to the keeper: it is whole until `lost` or `close`, and is not mended afterwards; connect
 * again and read `children`. The keeper and the children live on, whatever becomes of a connection.
 */
export interface Keeper extends Disposable {
  /** The keeper's process, and the children as they were at the hello; later news come as events. */
  readonly hello: { readonly pid: number; readonly startedAt: number; readonly children: ReadonlyMap<string, ChildState> };
  /** Repeating a child's id answers the child there is, dead or alive. Rejects with KeeperError; never throws. */
  spawn(order: SpawnOrder): Promise<ChildState>;
  /**
   * Orders take effect in the order sent. Never throws but for a frame over the limit (an input above 32 MiB); after
   * the end it does nothing. Of a living child nothing is delivered before `read`.
   */
  send(order: ChildOrder): void;
  /** Ends all children and the keeper; resolves when it is gone, 3 s later at most if a child ignores SIGTERM. */
  shutdown(): Promise<void>;
  /** Leaves the keeper alone. No event follows. */
  [Symbol.dispose](): void;
}

/** What the keeper tells. Handlers are called in order, one at a time, and must not throw. */
export interface KeeperEvents {
  /** Contiguous from the offset of the last `read`. Answer with `ack`: at 1 MiB not taken the keeper waits. */
  output(child: string, offset: number, bytes: Uint8Array): void;
  /** stderr, best effort. */
  errors(child: string, offset: number, bytes: Uint8Array): void;
  /** Once when it dies, and again on each `read` of a dead child. Output goes on until `end` was delivered. */
  exit(child: string, exit: ChildExit & { readonly end: number; readonly errorsTail: Uint8Array }): void;
  /** `taken`: the keeper has it, and puts it in once; stop repeating it. Else a failure: it was not put in. */
  settled(child: string, id: string, outcome: "taken" | FailureCode): void;
  /** Last. `replaced`: another host took over. `gone`: the keeper died, or the socket broke. */
  lost(reason: { readonly code: "replaced" | "gone" | "wire_broken"; readonly message: string }): void;
}

export type KeeperErrorCode =
  | FailureCode
  /** No keeper answers, and none was to be started. */
  | "not_running"
  | "start_failed"
  /** A keeper of another version is running: end it with `flybridge down --all`. */
  | "wire_version"
  /** The folder of the socket belongs to somebody else, or is open to others. */
  | "folder_not_private"
  | "lost";

export class KeeperError extends Error {
  readonly code: KeeperErrorCode;
  constructor(code: KeeperErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where the keeper of a state folder is found; a socket's path must fit in 100 bytes, so it may be elsewhere. */
export declare function keeperPlace(stateFolder: string): KeeperPlace;

export declare function connectKeeper(options: {
  readonly place: KeeperPlace;
  readonly events: KeeperEvents;
  /** Start one, detached, if none answers. */
  readonly start: boolean;
}): Promise<Keeper>;
