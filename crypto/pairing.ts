/**
 * Pairing: a device that knows the host's key and an offer's secret becomes known to the host.
 *
 *     Noise_XKpsk3            device                                  host
 *     <- s                    HS.pub, from the connection string
 *     -> e, es                offer id            (56 bytes)     ->   looks the offer up
 *     <- e, ee                host's payload      (48 + n)       <-
 *     -> s, se, psk           device's payload    (64 + n)       ->   consumes the offer, then tells it is done
 *
 * The host is authenticated before the device says who it is, and the device's key travels sealed. Whether the offer
 * exists shows only when message 3 fails: for an unknown, used or expired offer the host calls `reply` with 32 random
 * bytes as the secret, so that the answer and the work are the same as for a wrong secret.
 *
 * Each step returns the next one; there is no way to say them out of order, and to say one twice throws "spent".
 */
import { channelOf, type Channel } from "./channel.ts";
import { Handshake, type Pattern } from "./handshake.ts";
import { SealError, type AgreementKey, type Suite } from "./suite.ts";

/** Bytes of an offer id. It names the offer and is no secret. */
export const OFFER_BYTES = 8;

export const XKpsk3: Pattern = {
  name: "XKpsk3",
  known: ["responder"],
  messages: [
    ["e", "es"],
    ["e", "ee"],
    ["s", "se", "psk"],
  ],
};

export interface PairingBegun {
  readonly message1: Uint8Array;
  finish(message2: Uint8Array, payload: Uint8Array): Promise<PairingFinished>;
}

export interface PairingFinished {
  readonly message3: Uint8Array;
  /** Of message 2: what the host said of itself. */
  readonly payload: Uint8Array;
  /** Speak at once, believe nothing yet: the host has taken this device only when its first record arrives. */
  readonly channel: Channel;
}

export interface PairingAsked {
  /** Which offer, 8 bytes. Anyone who knows HS.pub can send this; it proves nothing. */
  readonly offer: Uint8Array;
  /** `secret`: the offer's 32 bytes, or as many random ones when there is no such offer. */
  reply(secret: Uint8Array, payload: Uint8Array): Promise<PairingReplied>;
}

export interface PairingReplied {
  readonly message2: Uint8Array;
  finish(message3: Uint8Array): Promise<PairingProven>;
}

/** The device holds the private half of `deviceKey` and knew the offer's secret. */
export interface PairingProven {
  readonly deviceKey: Uint8Array;
  readonly payload: Uint8Array;
  readonly channel: Channel;
}

/** Device's side. `hostKey` is HS.pub, 32 bytes; `secret` the offer's, 32 bytes. Throws "weak_key" on useless keys. */
export async function beginPairing(p: {
  readonly suite: Suite;
  readonly hostKey: Uint8Array;
  readonly deviceKey: AgreementKey;
  readonly prologue: Uint8Array;
  readonly offer: Uint8Array;
  readonly secret: Uint8Array;
}): Promise<PairingBegun> {
  requireOffer(p.offer);
  const handshake = new Handshake({
    suite: p.suite,
    pattern: XKpsk3,
    role: "initiator",
    prologue: p.prologue,
    localStatic: p.deviceKey,
    remoteStatic: p.hostKey,
  });
  handshake.providePsk(p.secret);
  return {
    message1: await handshake.write(p.offer),
    async finish(message2, payload) {
      const answer = await handshake.read(message2);
      const message3 = await handshake.write(payload);
      return { message3, payload: answer, channel: channelOf(p.suite, handshake) };
    },
  };
}

/** Host's side. Throws "broken" when message 1 is not for this host and prologue, "weak_key" for a useless key. */
export async function answerPairing(
  p: { readonly suite: Suite; readonly hostKey: AgreementKey; readonly prologue: Uint8Array },
  message1: Uint8Array,
): Promise<PairingAsked> {
  const handshake = new Handshake({
    suite: p.suite,
    pattern: XKpsk3,
    role: "responder",
    prologue: p.prologue,
    localStatic: p.hostKey,
  });
  const offer = await handshake.read(message1);
  requireOffer(offer);
  return {
    offer,
    async reply(secret, payload) {
      handshake.providePsk(secret);
      return {
        message2: await handshake.write(payload),
        async finish(message3) {
          const said = await handshake.read(message3);
          return { deviceKey: handshake.remoteStatic, payload: said, channel: channelOf(p.suite, handshake) };
        },
      };
    },
  };
}

function requireOffer(offer: Uint8Array): void {
  if (offer.length !== OFFER_BYTES) throw new SealError("broken", `An offer id is ${OFFER_BYTES} bytes.`);
}
