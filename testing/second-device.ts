/**
 * A second device, written from PROTOCOL.md alone, to show that the page is enough. It deflates nothing. ARCHITECTURE.md's
 * table holds it to importing nothing of ours.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { on } from "node:events";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { WebSocket } from "ws";

const [RECORD_BYTES, OPENING_BYTES, FRAME_BYTES] = [65_535, 1024, 16_384];
const [MESSAGE_BYTES, CALL_BYTES, BULK_BYTES] = [8 * 1024 * 1024, 7 * 1024 * 1024, 65_536];
const [OPENING_MS, CONFIRMING_MS, SILENCE_MS, PING_MS] = [10_000, 120_000, 45_000, 30_000];
const [CONTROL, CALLS, TERMINAL, BULK, STREAMS] = [0, 1, 4, 5, 32];
const [READY, CREDIT, PING, PONG, BYE] = [1, 2, 3, 4, 5];
const [NOTHING, LAST_NONCE] = [new Uint8Array(0), 2n ** 64n - 1n];

/** What the device stores: whoever has it is the device. */
export interface Kept {
  readonly key: Uint8Array;
  readonly host: string;
  readonly hostKey: Uint8Array;
  readonly addresses: readonly string[];
  /** Newest first: two until the host has shown that it has the newer one (R24). */
  readonly secrets: readonly Uint8Array[];
}

type Keep = (kept: Kept) => void;
type Told = Readonly<Record<string, unknown>>;

/** Another host, or one that does not know what this device came with. */
export class Refused extends Error {}

/** The second checks R01 by itself. */
const { getPublicKey, getSharedSecret: agree } = x25519;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const of = (...bytes: number[]): Uint8Array => new Uint8Array(bytes);
const u16 = (number: number): Uint8Array => of(number >> 8, number & 255);
const u32 = (number: number): Uint8Array => join(u16(number >>> 16), u16(number & 65_535));
const field = (bytes: Uint8Array): Uint8Array => join(u32(bytes.length), bytes);

/** R04. The string is a password. */
export function parseConnection(text: string) {
  const form = /^flybridge:\/\/([^/?]+)\/([\w-]{11})\.([\w-]{43})\.([\w-]{43})(?:\?(.*))?$/iu;
  const found = form.exec(text.replaceAll(/\s/gu, ""));
  assert(found && text.length <= 1084, "this is no connection string");
  const [, first = "", offer = "", secret = "", hostKey = "", query = ""] = found;
  const bytes = (token: string): Uint8Array => {
    assert.equal(Buffer.from(token, "base64url").toString("base64url"), token, "a token in another spelling");
    return Buffer.from(token, "base64url");
  };
  const others = query.split("&").flatMap((given) => (given.startsWith("h=") ? [given.slice(2)] : []));
  const addresses = [first, ...others].slice(0, 8).map(decodeURIComponent);
  return { addresses, offer: bytes(offer), secret: bytes(secret), hostKey: bytes(hostKey) };
}

/** UUIDv7 (RFC 9562): the name of an intent until it is settled (R36). */
export function newIntent(): string {
  const [time, rest] = [Date.now().toString(16).padStart(12, "0"), randomBytes(10).toString("hex")];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6, 18)}`;
}

/** Seals or opens under a key and its counter (Noise rev 34 §5.1), which takes its steps by itself (R28). */
function cipherOf(key: Uint8Array) {
  let counter = 0n;
  const at = (number: bigint, ad: Uint8Array) => {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64LE(number, 4);
    return chacha20poly1305(key, nonce, ad);
  };
  return (way: "encrypt" | "decrypt", bytes: Uint8Array, ad: Uint8Array = NOTHING): Uint8Array => {
    const done = at(counter++, ad)[way](bytes);
    if (counter % 4096n === 0n) key = at(LAST_NONCE, NOTHING).encrypt(new Uint8Array(32)).subarray(0, 32);
    return done;
  };
}

/** The state of an initiator who knows the responder's static key (Noise rev 34 §5.2, §9). */
class Noise {
  h: Uint8Array;
  ck: Uint8Array;
  #cipher = cipherOf(NOTHING);

  constructor(name: string, prologue: Uint8Array, responder: Uint8Array) {
    this.ck = this.h = sha256(utf8(name));
    this.mixHash(prologue);
    this.mixHash(responder);
  }

  mixHash(data: Uint8Array): Uint8Array {
    this.h = sha256(join(this.h, data));
    return data;
  }

  mixKey(ikm: Uint8Array, isPsk = false): void {
    const [ck, second, third] = this.outputs(ikm);
    this.ck = ck;
    if (isPsk) this.mixHash(second);
    this.#cipher = cipherOf(isPsk ? third : second);
  }

  /** The token `e`: where there is a psk, it goes into the key as well. */
  mixEphemeral(key: Uint8Array): Uint8Array {
    this.mixKey(this.mixHash(key));
    return key;
  }

  seal(plain: Uint8Array): Uint8Array {
    return this.mixHash(this.#cipher("encrypt", plain, this.h));
  }

  open(sealed: Uint8Array): Uint8Array {
    const plain = this.#cipher("decrypt", sealed, this.h);
    this.mixHash(sealed);
    return plain;
  }

  outputs(ikm: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
    const all = hkdf(sha256, ikm, this.ck, NOTHING, 96);
    return [all.slice(0, 32), all.slice(32, 64), all.slice(64)];
  }
}

/** A WebSocket (R10), as frames to be asked for one by one; it closes when none comes in time. */
class Link {
  readonly socket: WebSocket;
  readonly #frames: AsyncIterator<[Buffer, boolean]>;

  constructor(address: string) {
    const place = /:\d+$/u.test(address) ? address : `${address}:7683`;
    this.socket = new WebSocket(`ws://${place}/link`, { perMessageDeflate: false, maxPayload: RECORD_BYTES });
    this.#frames = on(this.socket, "message", { close: ["close"] }) as AsyncIterator<[Buffer, boolean]>;
  }

  async next(milliseconds = OPENING_MS, limit = OPENING_BYTES): Promise<Uint8Array> {
    const timer = setTimeout(() => this.socket.close(), milliseconds);
    const { value, done } = await this.#frames.next().finally(() => clearTimeout(timer));
    if (done) throw new Error("cut off");
    assert(value[1] && value[0].length <= limit, "R10, R12");
    return value[0];
  }
}

/** The hellos, and the first token of message 1, for the prologue (R14 to R17). */
async function greet(link: Link, purpose: "pair" | "reconnect", hostKey: Uint8Array, known?: string) {
  const theirs = await link.next();
  const { flybridge, versions, host } = JSON.parse(textOf(theirs));
  assert(theirs.every((byte) => byte < 0x80) && flybridge === 1 && versions[0] <= 1 && versions[1] >= 1, "R14, R15");
  if (known !== undefined && host !== known) throw new Refused(`this is another host: ${host}`);
  const mine = utf8(JSON.stringify({ v: 1, purpose, features: [] }));
  link.socket.send(mine);
  const fields = ["flybridge", "1", purpose, "direct", host, "", ""].map((text) => field(utf8(text)));
  const prologue = join(...fields, field(theirs), field(mine), field(NOTHING));
  const name = purpose === "pair" ? "XKpsk3" : "IKpsk2";
  const noise = new Noise(`Noise_${name}_25519_ChaChaPoly_SHA256`, prologue, hostKey);
  const ephemeral = x25519.utils.randomSecretKey();
  const e = noise.mixEphemeral(getPublicKey(ephemeral));
  noise.mixKey(agree(ephemeral, hostKey));
  const answer = async (middle: (theirs: Uint8Array) => void) => {
    const message = await link.next();
    const theirs = noise.mixEphemeral(message.subarray(0, 32));
    noise.mixKey(agree(ephemeral, theirs));
    middle(theirs);
    try {
      return { theirs, payload: noise.open(message.subarray(32)) };
    } catch (cause) {
      throw new Refused("message 2 does not verify (R18, R22)", { cause });
    }
  };
  return { noise, host: String(host), e, answer };
}

/** Pairs; `show` gets the six digits, when a person has to type them at the host (R61). */
export async function pair(connection: string, introduction: object, keep: Keep, show = (_digits: string): void => {}) {
  const { addresses, offer, secret, hostKey } = parseConnection(connection);
  const key = x25519.utils.randomSecretKey();
  return atOneOf(addresses, async (link) => {
    const { noise, host, e, answer } = await greet(link, "pair", hostKey);
    link.socket.send(join(e, noise.seal(offer)));
    const { theirs, payload } = await answer(() => {});
    const s = noise.seal(getPublicKey(key));
    noise.mixKey(agree(key, theirs));
    noise.mixKey(secret, true);
    link.socket.send(join(s, noise.seal(utf8(JSON.stringify(introduction)))));
    const waits = payload[0] === 1;
    if (waits) {
      const hash = sha256(join(field(utf8("flybridge")), field(utf8("confirmation")), field(noise.h)));
      show(String(Buffer.from(hash).readBigUInt64BE() % 1_000_000n).padStart(6, "0"));
    }
    const device = new SecondDevice(link, noise);
    device.hear(await link.next(waits ? CONFIRMING_MS : OPENING_MS));
    const psk = hkdf(sha256, join(utf8("flybridge continuity"), noise.h), noise.ck, NOTHING, 32);
    keep({ key, host, hostKey, addresses, secrets: [psk] });
    device.say(CONTROL, of(READY));
    void device.read();
    return device;
  });
}

/** Comes back, with each secret that the host may hold, the newest first (R24). */
export async function reconnect(kept: Kept, keep: Keep): Promise<SecondDevice> {
  const { key, hostKey, secrets } = kept;
  const [psk, ...older] = secrets;
  if (!psk) throw new Refused("the host does not know this device");
  const come = async (link: Link): Promise<SecondDevice> => {
    const { noise, e, answer } = await greet(link, "reconnect", hostKey, kept.host);
    const s = noise.seal(getPublicKey(key));
    noise.mixKey(agree(key, hostKey));
    link.socket.send(join(e, s, noise.seal(hkdf(sha256, psk, NOTHING, utf8("continuity tag"), 8))));
    await answer((theirs) => {
      noise.mixKey(agree(key, theirs));
      noise.mixKey(psk, true);
    });
    const next = hkdf(sha256, psk, noise.h, utf8("continuity"), 32);
    keep({ ...kept, secrets: [next, psk] });
    const device = new SecondDevice(link, noise);
    device.say(CONTROL, of(READY));
    device.hear(await link.next());
    keep({ ...kept, secrets: [next] });
    void device.read();
    return device;
  };
  return atOneOf(kept.addresses, come).catch((error: unknown) => {
    if (error instanceof Refused) return reconnect({ ...kept, secrets: older }, keep);
    throw error;
  });
}

async function atOneOf<T>([address, ...others]: readonly string[], work: (link: Link) => Promise<T>): Promise<T> {
  const link = new Link(String(address));
  return work(link).catch((error: unknown) => {
    link.socket.close();
    if (others.length === 0) throw error;
    return atOneOf(others, work);
  });
}

export class SecondDevice {
  /** All that the host said, in order. */
  readonly told: Told[] = [];
  readonly #link: Link;
  readonly #seal;
  readonly #open;
  readonly #out: { readonly stream: number; rest: Uint8Array }[] = [];
  readonly #in = Array.from({ length: STREAMS }, () => [] as Uint8Array[]);
  /** What may be sent on each stream, what may come, and what came and was not given back yet (R08). */
  readonly #credit = this.#in.map((_, stream) => windowOf(stream));
  readonly #window = [...this.#credit];
  readonly #used = this.#credit.map(() => 0);
  readonly #end = Promise.withResolvers<string>();
  /** With the reason that the host gave, or what went wrong. */
  readonly ended = this.#end.promise;
  #isReady = false;
  #calls = 0;
  #heard = Promise.withResolvers<void>();

  constructor(link: Link, noise: Noise) {
    this.#link = link;
    const [send, receive] = noise.outputs(NOTHING);
    this.#seal = cipherOf(send);
    this.#open = cipherOf(receive);
  }

  /** Resolves with the answer; rejects with the fault, which has a `code`. A repeat of an intent has its id (R36). */
  async call<T = unknown>(method: string, params: object, intent?: string): Promise<T> {
    const call = this.#calls++;
    const bytes = utf8(JSON.stringify({ t: "call", call, method, params, intent }));
    assert(bytes.length <= CALL_BYTES, "too large a call");
    this.say(bytes.length < BULK_BYTES ? CALLS : BULK, bytes);
    const { ok, error } = await this.until(({ t, call: its }) => (t === "reply" || t === "fault") && its === call);
    if (error !== undefined) throw Object.assign(new Error(), error);
    return ok as T;
  }

  /** The first message that is so; rejects when the connection has ended without it. */
  async until(isSo: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.told.find(isSo);
      if (found) return found;
      await Promise.race([this.#heard.promise, this.ended.then((reason) => assert.fail(reason))]);
    }
  }

  bye(): void {
    this.say(CONTROL, join(of(BYE), utf8("done")));
    this.#link.socket.close();
  }

  /** Takes one record. */
  hear(record: Uint8Array): void {
    const frames = framesOf(this.#open("decrypt", record));
    const [{ stream, data } = { stream: BULK, data: NOTHING }] = frames;
    assert(this.#isReady || (frames.length === 1 && stream === CONTROL && data[0] === READY), "R27");
    for (const frame of frames) this.#take(frame);
    this.#heard.resolve();
    this.#heard = Promise.withResolvers<void>();
  }

  #take({ stream, isLast, data }: Frame): void {
    if (stream === CONTROL) return this.#control(isLast, data);
    const cost = data.length + 4;
    assert((this.#window[stream]! -= cost) >= 0, "R08");
    const parts = this.#in[stream]!;
    parts.push(data);
    assert(parts.reduce((sum, part) => sum + part.length, 0) <= MESSAGE_BYTES, "R29");
    // This device draws no terminals.
    if (isLast && stream !== TERMINAL) this.told.push(JSON.parse(textOf(join(...parts))) as Told);
    if (isLast) parts.length = 0;
    const used = (this.#used[stream]! += cost);
    if (used < windowOf(stream) / 4) return;
    this.#used[stream] = 0;
    this.#window[stream]! += used;
    this.say(CONTROL, join(of(CREDIT, stream), u32(used)));
  }

  #control(isLast: boolean, data: Uint8Array): void {
    assert(isLast, "R30");
    const [kind, stream = STREAMS] = data;
    if (kind === READY && data.length === 1 && !this.#isReady) this.#isReady = true;
    else if (kind === CREDIT && data.length === 6 && stream < STREAMS) {
      this.#credit[stream]! += Buffer.from(data).readUInt32BE(2);
      assert(this.#credit[stream]! <= windowOf(stream), "R08");
      this.#flush();
    } else if (kind === PING && data.length === 5) this.say(CONTROL, join(of(PONG), data.subarray(1)));
    else if (kind === BYE) this.#end.resolve(textOf(data.subarray(1)));
    else if (kind === PONG && data.length === 5)
      this.told.push({ t: "pong", number: Buffer.from(data).readUInt32BE(1) });
    else assert.fail("R30");
  }

  /** Takes records until the end. */
  async read(): Promise<void> {
    const pings = setInterval(() => this.say(CONTROL, of(PING, 0, 0, 0, 0)), PING_MS);
    try {
      for (;;) this.hear(await this.#link.next(SILENCE_MS, RECORD_BYTES));
    } catch (error) {
      this.#end.resolve(String(error));
    }
    clearInterval(pings);
    this.#link.socket.close();
  }

  /** The order of the streams is that of their numbers; a sort keeps that of one stream's messages. */
  say(stream: number, rest: Uint8Array): void {
    this.#out.push({ stream, rest });
    this.#out.sort((a, b) => a.stream - b.stream);
    this.#flush();
  }

  /** What has credit goes, one frame to a record. */
  #flush(): void {
    for (let at = 0; at < this.#out.length;) {
      const { stream, rest } = this.#out[at]!;
      const size = Math.min(rest.length, FRAME_BYTES, stream === CONTROL ? Infinity : this.#credit[stream]! - 4);
      const isLast = size === rest.length;
      if (size < 0 || (size === 0 && !isLast)) {
        while (this.#out[at]?.stream === stream) at++;
        continue;
      }
      if (isLast) this.#out.splice(at, 1);
      else this.#out[at]!.rest = rest.subarray(size);
      this.#credit[stream]! -= stream === CONTROL ? 0 : size + 4;
      const plain = new Uint8Array(bucketOf(size + 4));
      plain.set(join(u16(size + 4), of(stream, isLast ? 1 : 0), u16(size), rest.subarray(0, size)));
      this.#link.socket.send(this.#seal("encrypt", plain));
    }
  }
}

type Frame = Readonly<{ stream: number; isLast: boolean; data: Uint8Array }>;

const windowOf = (stream: number): number => (stream === TERMINAL ? 131_072 : 262_144);

/** R25, for so many bytes of frames. */
function bucketOf(length: number): number {
  const whole = length + 2;
  return whole <= 16_384 ? Math.max(256, 2 ** Math.ceil(Math.log2(whole))) : Math.ceil(whole / 4096) * 4096;
}

/** All of a record's frames are checked before any is used (R25, R26). */
function framesOf(record: Uint8Array): Frame[] {
  const plain = Buffer.from(record);
  const end = 2 + plain.readUInt16BE();
  assert(plain.length === bucketOf(end - 2) && plain.length <= 61_440 && !plain.subarray(end).some(Boolean), "R25");
  const frames: Frame[] = [];
  for (let at = 2; at < end;) {
    const [stream, flags, size] = [plain.readUInt8(at), plain.readUInt8(at + 1), plain.readUInt16BE(at + 2)];
    const data = plain.subarray(at + 4, (at += 4 + size));
    assert(stream < STREAMS && flags <= 1 && size <= FRAME_BYTES && at <= end, "R26");
    frames.push({ stream, isLast: flags === 1, data });
  }
  return frames;
}
