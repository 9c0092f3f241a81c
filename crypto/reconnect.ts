/**
 * Reconnecting: a paired device and its host, in one round trip.
 *
 *     Noise_IKpsk2            device                                  host
 *     <- s                    HS.pub, kept since pairing
 *     -> e, es, s, ss         device's payload    (96 + n)       ->   looks the device up
 *     <- e, ee, se, psk       host's payload      (48 + n)       <-
 *        first record                                            ->   only now is the device there
 *
 * Message 1 can be replayed by anyone who recorded it (Noise §7.7): it shows that the device spoke once, not that it
 * speaks now. Its payload must therefore be harmless twice, and the host changes no state for it (takes over no older
 * connection, writes no last-seen, raises no alarm) until `channel.opener` has opened the first record.
 *
 * An unknown or revoked device gets the same work and an answer that looks the same: the host calls `reply` with 32
 * random bytes, and the device finds that message 2 does not verify.
 */
import { channelOf, type Channel } from "./channel.ts";
import { Handshake, type Pattern } from "./handshake.ts";
import type { AgreementKey, Suite } from "./suite.ts";

export const IKpsk2: Pattern = {
  name: "IKpsk2",
  known: ["responder"],
  messages: [
    ["e", "es", "s", "ss"],
    ["e", "ee", "se", "psk"],
  ],
};

export interface ReconnectBegun {
  readonly message1: Uint8Array;
  finish(message2: Uint8Array): Promise<ReconnectFinished>;
}

/** The host is there now, and holds the continuity secret. */
export interface ReconnectFinished {
  readonly payload: Uint8Array;
  readonly channel: Channel;
}

export interface ReconnectAsked {
  /** 32 bytes. Authentic, but perhaps replayed: see above. */
  readonly deviceKey: Uint8Array;
  readonly payload: Uint8Array;
  /** `continuity`: the device's 32 bytes, or as many random ones when it has no business here. */
  reply(continuity: Uint8Array, payload: Uint8Array): Promise<ReconnectReplied>;
}

export interface ReconnectReplied {
  readonly message2: Uint8Array;
  /** Opens nothing until a device that is there now, with that continuity secret, speaks. */
  readonly channel: Channel;
}

/** Device's side. `hostKey` is HS.pub; `continuity` the current psk, 32 bytes. Throws "weak_key" on useless keys. */
export async function beginReconnect(p: {
  readonly suite: Suite;
  readonly hostKey: Uint8Array;
  readonly deviceKey: AgreementKey;
  readonly prologue: Uint8Array;
  readonly continuity: Uint8Array;
  readonly payload: Uint8Array;
}): Promise<ReconnectBegun> {
  const handshake = new Handshake({
    suite: p.suite,
    pattern: IKpsk2,
    role: "initiator",
    prologue: p.prologue,
    localStatic: p.deviceKey,
    remoteStatic: p.hostKey,
  });
  handshake.providePsk(p.continuity);
  return {
    message1: await handshake.write(p.payload),
    async finish(message2) {
      const payload = await handshake.read(message2);
      return { payload, channel: channelOf(p.suite, handshake) };
    },
  };
}

/** Host's side. Throws "broken" when message 1 is not for this host and prologue, "weak_key" for a useless key. */
export async function answerReconnect(
  p: { readonly suite: Suite; readonly hostKey: AgreementKey; readonly prologue: Uint8Array },
  message1: Uint8Array,
): Promise<ReconnectAsked> {
  const handshake = new Handshake({
    suite: p.suite,
    pattern: IKpsk2,
    role: "responder",
    prologue: p.prologue,
    localStatic: p.hostKey,
  });
  const payload = await handshake.read(message1);
  return {
    deviceKey: handshake.remoteStatic,
    payload,
    async reply(continuity, answer) {
      handshake.providePsk(continuity);
      const message2 = await handshake.write(answer);
      return { message2, channel: channelOf(p.suite, handshake) };
    },
  };
}
