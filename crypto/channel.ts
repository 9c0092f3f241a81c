/** What a finished handshake is for: two directions of records, a hash both sides share, and a secret that goes on. */
import { CONTINUITY_LABEL } from "./continuity.ts";
import type { Handshake } from "./handshake.ts";
import { Opener, Sealer } from "./record.ts";
import type { Suite } from "./suite.ts";

export interface Channel {
  readonly sealer: Sealer;
  readonly opener: Opener;
  /** Handshake hash, 32 bytes (Noise §11.2). The same on both sides and on no other channel; not a secret. */
  readonly hash: Uint8Array;
  /** 32 secret bytes, the same on both sides: after a pairing, the psk of the first reconnect. */
  readonly continuity: Uint8Array;
}

export function channelOf(suite: Suite, handshake: Handshake): Channel {
  const { sealKey, openKey, hash, exported } = handshake.split(CONTINUITY_LABEL);
  return { sealer: new Sealer(suite, sealKey), opener: new Opener(suite, openKey), hash, continuity: exported };
}
