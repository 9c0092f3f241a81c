/**
 * The host's side of a handshake. It refuses in one way only: an offer that is unknown, used, late or withdrawn, a wrong
 * secret, a device that is unknown or revoked, a message that does not verify: the same work, then the link ends with the
 * same words. Why is told to the host's own caller alone.
 */
import { CONTINUITY_TAG_BYTES, nextContinuity } from "@flybridge/crypto/continuity.ts";
import { answerPairing } from "@flybridge/crypto/pairing.ts";
import { answerReconnect } from "@flybridge/crypto/reconnect.ts";
import { type AgreementKey, KEY_BYTES } from "@flybridge/crypto/suite.ts";
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import {
  decodeDeviceHello,
  type DeviceHello,
  encodeHostHello,
  EXPORTER_FEATURE,
  HANDSHAKE_MS,
  type HostHello,
} from "@flybridge/protocol/relay.ts";
import { OLDEST_VERSION, VERSION } from "@flybridge/protocol/version.ts";
import type { Deflate } from "../deflate.ts";
import type { Inbox } from "../inbox.ts";
import type { Link } from "../link.ts";
import type { SecurePipe } from "../pipe.ts";
import {
  type Allow,
  type Common,
  DEFLATE_FEATURE,
  handshake,
  HandshakeError,
  isReady,
  pipeOver,
  prologueFor,
  type Route,
  WAITS_FOR_NOBODY,
  WAITS_FOR_PERSON,
} from "../secure.ts";

export interface AcceptOptions extends Common {
  readonly hostKey: AgreementKey;
  readonly hostId: string;
  /** The secret of an offer that is open now. */
  secretOf(offer: Uint8Array): Uint8Array | undefined;
  /** Whether a person has to let in who comes with this offer; of one that is not open, as of one that is. */
  confirms(offer: Uint8Array): boolean;
  /**
   * Message 3 verified. Uses the offer up, once and for good, before it returns; true once the device is written down.
   * Until a person has let it in where `confirms` said so, the link has `CONFIRM_MS` instead of `HANDSHAKE_MS`.
   */
  consume(offer: Uint8Array, candidate: Candidate): boolean | Promise<boolean>;
  /** The secret of a device that may come in, by its `continuityTag`. Message 1 is replayable: changes nothing. */
  continuityOf(deviceKey: Uint8Array, tag: Uint8Array): Uint8Array | undefined;
  /**
   * The device is there now and holds `used`. True stores `next` as its secret; false refuses it, for instance because
   * `used` was replaced before, which shows that two copies of the device exist. A word refuses it too, and is the
   * goodbye that it gets: it has proved who it is.
   */
  advance(deviceKey: Uint8Array, used: Uint8Array, next: Uint8Array): boolean | string;
}

/** Who used an offer. */
export interface Candidate {
  readonly deviceKey: Uint8Array;
  readonly payload: Uint8Array;
  readonly continuity: Uint8Array;
  /** Handshake hash, 32 bytes. */
  readonly hash: Uint8Array;
  /** Its link ended. */
  readonly gone: AbortSignal;
}

interface AcceptedCommon {
  readonly deviceKey: Uint8Array;
  readonly payload: Uint8Array;
  readonly hello: DeviceHello;
  readonly pipe: SecurePipe;
  /** The secret of the next reconnect; `consume` or `advance` has it already. */
  readonly continuity: Uint8Array;
}

export type Accepted =
  | ({ readonly kind: "paired"; readonly offer: Uint8Array } & AcceptedCommon)
  | ({ readonly kind: "returned" } & AcceptedCommon);

/**
 * Host's side. "paired" resolves when message 3 has verified and the offer is consumed, "returned" when the device's
 * first record has verified and its secret has advanced. Rejects with `HandshakeError`; the link is closed then, with
 * the same words for every fault.
 */
export function acceptOver(link: Link, options: AcceptOptions): Promise<Accepted> {
  return handshake(link, options, "host", async (inbox, allow) => {
    const [oldest, newest] = options.versions ?? [OLDEST_VERSION, VERSION];
    const hostHello = encodeHostHello({
      flybridge: 1,
      versions: [oldest, newest],
      host: options.hostId as HostHello["host"],
      ...(options.route?.kind === "direct" && options.route.exporter ? { features: [EXPORTER_FEATURE] } : {}),
    });
    link.send(hostHello);
    const deviceHello = await inbox.next();
    const hello = decodeDeviceHello(deviceHello);
    if (!hello) throw new HandshakeError("violation", "not a device's hello");
    if (hello.v < oldest || hello.v > newest) throw new HandshakeError("version", `version ${hello.v}`);
    const route = hello.features.includes(EXPORTER_FEATURE) ? options.route : unbound(options.route);
    const prologue = prologueFor(route, hello.v, hello.purpose, options.hostId, hostHello, deviceHello);
    const message1 = await inbox.next();
    const deflate = hello.features.includes(DEFLATE_FEATURE) ? options.deflate : undefined;
    const met: Met = { link, inbox, allow, options, hello, prologue, message1, deflate };
    return hello.purpose === "pair" ? acceptPairing(met) : acceptReturn(met);
  });
}

/** A device that said what it wants, and has proved nothing. */
interface Met {
  readonly link: Link;
  readonly inbox: Inbox;
  readonly allow: Allow;
  readonly options: AcceptOptions;
  readonly hello: DeviceHello;
  readonly prologue: Uint8Array;
  readonly message1: Uint8Array;
  readonly deflate: Deflate | undefined;
}

async function acceptPairing(met: Met): Promise<Accepted> {
  const { link, inbox, allow, options, hello, prologue, message1, deflate } = met;
  const asked = await answerPairing({ ...options, prologue }, message1);
  const { offer } = asked;
  // For no offer, chance: message 3 then fails after the same work as with a wrong secret.
  const secret = options.secretOf(offer) ?? options.suite.random(KEY_BYTES);
  const waits = options.confirms(offer);
  const replied = await asked.reply(secret, new Uint8Array([waits ? WAITS_FOR_PERSON : WAITS_FOR_NOBODY]));
  link.send(replied.message2);
  const { deviceKey, payload, channel } = await replied.finish(await inbox.next());
  const { continuity, hash } = channel;
  if (waits) allow(CONFIRM_MS + HANDSHAKE_MS);
  const isIn = await options.consume(offer, { deviceKey, payload, continuity, hash, gone: inbox.gone });
  if (!isIn) throw new HandshakeError("refused", "the offer was not consumed");
  const { pipe } = pipeOver(link, channel, options, undefined, deflate);
  pipe.announce();
  inbox.handOver(pipe);
  return { kind: "paired", offer, deviceKey, payload, hello, pipe, continuity };
}

async function acceptReturn(met: Met): Promise<Accepted> {
  const { link, inbox, options, hello, prologue, message1, deflate } = met;
  const asked = await answerReconnect({ ...options, prologue }, message1);
  const { deviceKey } = asked;
  if (asked.payload.length < CONTINUITY_TAG_BYTES) throw new HandshakeError("violation", "no continuity tag");
  const tag = asked.payload.subarray(0, CONTINUITY_TAG_BYTES);
  // For no such device, chance: it finds that message 2 does not verify, and its first record never will.
  const used = options.continuityOf(deviceKey, tag) ?? options.suite.random(KEY_BYTES);
  const { message2, channel } = await asked.reply(used, new Uint8Array(0));
  const continuity = nextContinuity(used, channel.hash);
  const advance = () => options.advance(deviceKey, used, continuity);
  const { pipe, ready } = pipeOver(link, channel, options, undefined, deflate, advance);
  link.send(message2);
  inbox.handOver(pipe);
  await isReady(ready, inbox, "refused");
  return { kind: "returned", deviceKey, payload: asked.payload.subarray(tag.length), hello, pipe, continuity };
}

/** For a device that cannot look into its TLS. */
function unbound(route: Route | undefined): Route | undefined {
  return route?.kind === "direct" ? { kind: "direct" } : route;
}
