/** Between the nodes of one relay: who has a host, and frames to another node. At most once, in order from one node. */
import type { RefusedCode } from "@flybridge/protocol/relay/words.ts";

export interface BusEvents {
  /** Another node asks for a host of this one's; what is returned is its answer. */
  asked(rendezvous: string, request: Uint8Array): Promise<Uint8Array>;
  /** Another node asks this one something about a circuit. */
  queried(request: Uint8Array): Promise<Uint8Array>;
  frame(bytes: Uint8Array): void;
  /** There is room again, after `isFull`. */
  drained(): void;
  /** A host is at that node from now on, and not here. */
  moved(rendezvous: string, node: string): void;
  /** The sockets of these keys are to be closed, wherever they are. */
  ended(keys: readonly string[], code: RefusedCode): void;
  /** What was on the way is lost, in either direction, and nothing comes to this node's old name any more. */
  cut(): void;
}

/**
 * Contract (run by `busContract`): a host that no node has claimed is answered for at once, by nothing; frames of one node
 * to another arrive whole and in the order in which they were sent, until `cut` or a refusal. While there is no bus,
 * nothing waits for it: what is asked is rejected, what is sent is refused. It comes back by itself, with all claims.
 */
export interface Bus extends AsyncDisposable {
  /**
   * This node's name: nobody else's, and another after each start and each cut. So whoever speaks to the old one finds out
   * that what was on the way is lost.
   */
  readonly node: string;
  readonly isConnected: boolean;
  listen(events: BusEvents): void;
  /** To all other nodes. */
  end(keys: readonly string[], code: RefusedCode): void;
  /** This node answers for that host until the result is disposed of. Of two nodes it is the one that claimed last. */
  claim(rendezvous: string): Disposable;
  /** Undefined when no node has it. Rejects with `BusAway`. */
  ask(rendezvous: string, request: Uint8Array): Promise<Uint8Array | undefined>;
  /** Undefined when there is no such node. Rejects with `BusAway`. */
  query(node: string, request: Uint8Array): Promise<Uint8Array | undefined>;
  /** So much waits that whoever sends should wait for `drained`. */
  readonly isFull: boolean;
  /** False when far too much waits already, or there is no bus: it was not taken. Of a small one, only long after. */
  send(node: string, frame: Uint8Array): boolean;
}

/** There is no bus now, or no answer came in time. */
export class BusAway extends Error {
  override readonly name = "BusAway";
}
