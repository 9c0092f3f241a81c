/** Peers of a relay frame by frame: what a host, a device or nobody in particular says, in whichever order a test wants. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type HeldSigningKey, type SigningKey, signingKey } from "@flybridge/crypto/identity.ts";
import { signOpening } from "@flybridge/crypto/proof.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import {
  type AccountMethod,
  type AccountParams,
  type AccountResult,
  ToMember,
} from "@flybridge/protocol/relay/account.ts";
import { costOf, creditFrame, frameOf, FrameType, parseFrame } from "@flybridge/protocol/relay/circuit.ts";
import {
  Answer,
  decode,
  encode,
  type FromHost,
  type Opening,
  RELAY_FRAME_BYTES,
  RELAY_PATH,
  RelayHello,
  ToHost,
} from "@flybridge/protocol/relay/words.ts";
import { WebSocket } from "ws";

const NONCE_BYTES = 32;
/** A test that waits longer waits for what never comes. */
const PATIENCE_MS = 20_000;
const OFFER_MS = 60_000;

/** A relay as a peer finds it. */
export interface Place {
  readonly port: number;
  /** What is signed. */
  readonly origin: string;
}

export class Peer {
  readonly socket: WebSocket;
  /** What the relay said, its hello first. */
  readonly frames: Uint8Array[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  isClosed = false;
  readonly #watchers = new Set<() => void>();
  #lastCall = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data: Buffer) => {
      this.frames.push(new Uint8Array(data));
      this.#look();
    });
    // The close says all there is to say.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => {
        this.isClosed = true;
        this.#look();
        resolve({ code, reason: reason.toString() });
      }),
    );
  }

  /** Nothing was said on it yet. `from` is its address in the eyes of a relay that trusts this machine as its proxy. */
  static async at({ port }: Pick<Place, "port">, from?: string): Promise<Peer> {
    const peer = new Peer(
      new WebSocket(`ws://127.0.0.1:${port}${RELAY_PATH}`, {
        maxPayload: RELAY_FRAME_BYTES,
        perMessageDeflate: false,
        ...(from === undefined ? {} : { headers: { "x-forwarded-for": from, "x-forwarded-proto": "https" } }),
      }),
    );
    await peer.until("a hello", () => peer.frames[0]);
    return peer;
  }

  /** One that has said what it wants; the relay's answer may be a refusal. */
  static async open(place: Place, key: SigningKey, opening: Opening, from?: string): Promise<Opened> {
    const peer = await Peer.at(place, from);
    peer.say(await peer.signed(place.origin, key, opening));
    return { peer, answer: await peer.answer() };
  }

  get nonce(): Uint8Array {
    const hello = this.frames[0] && decode(RelayHello, this.frames[0]);
    const nonce = hello && fromBase64Url(hello.nonce, NONCE_BYTES);
    if (!nonce) throw new Error("no hello");
    return nonce;
  }

  signed(origin: string, key: SigningKey, opening: Opening): Promise<Uint8Array> {
    return signOpening(key, origin, this.nonce, encode(opening));
  }

  say(...frames: (Uint8Array | string)[]): void {
    for (const frame of frames) this.socket.send(frame);
  }

  /** Rejects when it is closed without one. */
  async answer(): Promise<Answer> {
    const frame = await this.until("an answer", () => this.frames[1]);
    const answer = decode(Answer, frame);
    if (!answer) throw new Error(`no answer: ${Buffer.from(frame).toString()}`);
    return answer;
  }

  /** Whether it answers a ping. */
  async isAlive(): Promise<boolean> {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    const pong = once(this.socket, "pong").then(() => true);
    this.socket.ping();
    return Promise.race([pong, this.closed.then(() => false)]);
  }

  /** Why it was refused after it had been let in, or undefined where it was only closed. */
  async refusal(): Promise<string | undefined> {
    await this.closed;
    const answers = this.frames.map((frame) => decode(Answer, frame));
    const refused = answers.find((answer) => answer?.t === "refused");
    return refused?.t === "refused" ? refused.code : undefined;
  }

  /** As a host, to the relay. */
  tell(message: FromHost): void {
    this.say(frameOf(FrameType.control, 0, encode(message)));
  }

  /** As a host, what the relay told it. */
  get told(): ToHost[] {
    return this.frames.slice(2).flatMap((bytes) => {
      const frame = parseFrame(bytes);
      return (frame?.type === FrameType.control && decode(ToHost, frame.payload)) || [];
    });
  }

  /** As a member. */
  async call<M extends AccountMethod>(method: M, params: AccountParams<M>): Promise<AccountResult<M>> {
    const id = ++this.#lastCall;
    this.say(encode({ t: "call", id, method, params }));
    const reply = await this.until(`an answer to ${method}`, () =>
      this.heard.find((one) => one.t === "reply" && one.id === id),
    );
    if (reply.t !== "reply" || reply.error) throw new Error(JSON.stringify(reply));
    return reply.ok as AccountResult<M>;
  }

  /** As a member, what the relay said. */
  get heard(): ToMember[] {
    return this.frames.slice(2).flatMap((frame) => decode(ToMember, frame) ?? []);
  }

  /** Rejects when the relay closes before. */
  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(late);
        this.#watchers.delete(look);
      };
      const look = (): void => {
        const found = find();
        if (found === undefined && !this.isClosed) return;
        stop();
        if (found === undefined) reject(new Error(`closed before ${what}`));
        else resolve(found);
      };
      const late = setTimeout(() => {
        stop();
        reject(new Error(`never: ${what}`));
      }, PATIENCE_MS);
      this.#watchers.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }
}

export interface Opened {
  readonly peer: Peer;
  readonly answer: Answer;
}

/** A host that says back whatever its one device says, and that device: as a relay has them. */
export class Couple {
  readonly host: Peer;
  readonly device: Peer;
  /** The host's number of it. */
  readonly circuit: number;
  /** Bytes that the host was sent. */
  heard = 0;
  /** Whether it says back what it hears, and gives back what it was sent. */
  echoes = true;

  private constructor(host: Peer, device: Peer, circuit: number) {
    this.host = host;
    this.device = device;
    this.circuit = circuit;
    host.socket.on("message", (data: Buffer) => {
      const frame = parseFrame(data);
      if (frame?.type !== FrameType.data || frame.circuit !== circuit) return;
      this.heard += frame.payload.length;
      if (!this.echoes) return;
      host.say(creditFrame(circuit, costOf(frame.payload)), frameOf(FrameType.data, circuit, frame.payload));
    });
  }

  static async meet(place: Place, node = place): Promise<Couple> {
    const [key, offered] = [newKey(), newKey()];
    const opening = { t: "host", hs: chance(32), rendezvous: chance(12) } as const;
    const { peer: host, answer } = await Peer.open(place, key, opening);
    if (answer.t !== "welcome") throw new Error(answer.message);
    const device = await joined(host, node, offered, opening.rendezvous);
    const circuit = await host.until("a circuit", () =>
      host.frames.map(parseFrame).find((frame) => frame?.type === FrameType.open),
    );
    return new Couple(host, device, circuit.circuit);
  }

  /** Milliseconds of a round trip. */
  async trip(): Promise<number> {
    const said = Buffer.from(chance(48));
    const back = new Promise<void>((resolve) => {
      const hear = (data: Buffer): void => {
        if (!data.equals(said)) return;
        this.device.socket.off("message", hear);
        resolve();
      };
      this.device.socket.on("message", hear);
    });
    const began = performance.now();
    this.device.say(said);
    await Promise.race([
      back,
      Promise.race([this.device.closed, this.host.closed]).then(({ code, reason }) => {
        throw new Error(`cut off: ${code} ${reason}`);
      }),
    ]);
    // What was said is of no use to anybody any more.
    this.device.frames.length = Math.min(this.device.frames.length, 2);
    this.host.frames.length = Math.min(this.host.frames.length, 3);
    return performance.now() - began;
  }

  close(): void {
    this.device.socket.terminate();
    this.host.socket.terminate();
  }
}

/** A device at that host's, by an offer that the host makes for it. */
export async function joined(host: Peer, place: Place, key: HeldSigningKey, rendezvous: string): Promise<Peer> {
  host.tell({ t: "offer", key: toBase64Url(key.publicKey), until: Date.now() + OFFER_MS });
  for (;;) {
    const { peer, answer } = await Peer.open(place, key, { t: "join", rendezvous, by: { kind: "offer" } });
    if (answer.t === "welcome") {
      // A host has few of them at once.
      host.tell({ t: "withdraw", key: toBase64Url(key.publicKey) });
      return peer;
    }
    // What two sockets say has no order.
    if (answer.code !== "no_offer") throw new Error(answer.message);
  }
}

function newKey(): HeldSigningKey {
  return signingKey(new Uint8Array(randomBytes(32)));
}

function chance(bytes: number): string {
  return toBase64Url(new Uint8Array(randomBytes(bytes)));
}
