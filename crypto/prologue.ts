/**
 * The prologue: everything both sides saw in the clear or assume about where they are, hashed into the handshake.
 *
 * Nothing in it is secret. An edit of any byte on the way, or a connection carried to another place than the device
 * meant, gives the two sides different prologues, and the first sealed byte does not verify.
 */
import { framed } from "./framing.ts";

export const PROTOCOL_NAME = "flybridge";

export interface PrologueFields {
  /** The protocol version both hellos agreed on. */
  readonly version: number;
  readonly purpose: "pair" | "reconnect";
  /** As the connection says it: "websocket", "memory" … */
  readonly transport: string;
  readonly hostId: string;
  /** "" when no relay is between. */
  readonly relayOrigin: string;
  /** "" when no relay is between. */
  readonly rendezvous: string;
  /** Both hellos exactly as they were on the wire, never re-encoded. */
  readonly hostHello: Uint8Array;
  readonly deviceHello: Uint8Array;
  /** TLS exporter (RFC 9266) of a native device on direct TLS; empty otherwise. */
  readonly exporter: Uint8Array;
}

/** Always ten fields in this order, each with its length: no two different prologues are the same bytes. */
export function prologueOf(fields: PrologueFields): Uint8Array {
  return framed([
    PROTOCOL_NAME,
    String(fields.version),
    fields.purpose,
    fields.transport,
    fields.hostId,
    fields.relayOrigin,
    fields.rendezvous,
    fields.hostHello,
    fields.deviceHello,
    fields.exporter,
  ]);
}
