/**
 * A socket from its opening on: the relay says a nonce, the peer signs what it wants, and is seated, joined, or made a
 * member, or told why not. What is refused costs a signature to check and no look into the store.
 */
import { randomBytes } from "node:crypto";
import { openingIn } from "@flybridge/crypto/proof.ts";
import { verifyBytesNode } from "@flybridge/crypto/verify-node.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import { CIRCUIT_WINDOW_BYTES, costOf, CREDIT_STEP_BYTES } from "@flybridge/protocol/relay/circuit.ts";
import {
  decode,
  encode,
  type FromHost,
  Opening,
  OPENING_BYTES,
  OPENING_MS,
  type RefusedCode,
  type Session,
  type ToHost,
  type Welcome,
} from "@flybridge/protocol/relay/words.ts";
import type { CircuitEnd, DeviceEnd } from "../circuits/end.ts";
import type { Hub } from "../circuits/hub.ts";
import type { PeerSocket } from "./socket.ts";

const NONCE_BYTES = 32;
/** Milliseconds of silence after which a host is gone: it pings every five seconds, and all of its devices wait. */
const HOST_PATIENCE_MS = 15_000;
/** Milliseconds after which a relay that cannot look something up may be asked again. */
const UNAVAILABLE_MS = 2_000;
/** Calls of one member that wait. */
const MAX_CALLS = 16;

export type HostOpening = Extract<Opening, { t: "host" }>;
export type JoinOpening = Extract<Opening, { t: "join" }>;
export type MemberOpening = Extract<Opening, { t: "member" }>;

/** The socket of a host or a member, as what ends sessions sees it. */
export interface Held {
  /** Base64url. */
  readonly key: string;
  tell(message: ToHost): void;
  close(code: RefusedCode): void;
}

export interface AdmittedHost {
  /** Base32, derived from its keys. */
  readonly host: string;
  readonly account: string | undefined;
  readonly session: Session;
  /** What its control messages bring about. */
  control(
    message: Extract<FromHost, { t: "kept" | "renew" | "account" }>,
  ): Promise<{ readonly account?: string } | void>;
  gone(): void;
}

export interface AdmittedMember {
  readonly session?: Session;
  readonly registered: boolean;
  /** Answers a call; what it answers is sent. */
  call(frame: Uint8Array): Promise<Uint8Array>;
  gone(): void;
}

/** Who may: the rules over the store. All reject when the store is away. */
export interface Access {
  /** `from` is the peer's address. */
  host(opening: HostOpening, held: Held, from: string): Promise<AdmittedHost | RefusedCode>;
  /** The account of a device that comes by its session. */
  accountOf(
    key: string,
    session: string | undefined,
    from: string,
  ): Promise<{ readonly account: string } | RefusedCode>;
  member(
    opening: MemberOpening,
    held: Held,
    send: (frame: Uint8Array) => void,
    from: string,
  ): Promise<AdmittedMember | RefusedCode>;
  readonly registration: Welcome["registration"];
}

export interface Peers {
  /** As peers dial it. */
  origin(): string;
  readonly app: boolean;
  /** Named to hosts. */
  readonly ice: readonly IceServer[];
  readonly hub: Hub;
  readonly access: Access;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}

const MESSAGES: Record<RefusedCode, string> = {
  bad_opening: "This relay did not understand, or the signature is not of the key that was named. Update both sides.",
  not_registered:
    "This relay lets in whom it knows: get an invitation from whoever runs it, and give it with flybridge remote add.",
  closed: "This relay takes nobody new. Ask whoever runs it.",
  session_reused:
    "This sign-in was used from somewhere else; it was ended. Sign in again, and see who else has this key.",
  session_ended: "This sign-in has ended. Sign in again.",
  bad_ticket: "The host does not let this device in by the relay. Connect to it directly once, or pair again.",
  ticket_doubled: "What lets this device in was used from somewhere else; both were cut off. Connect directly once.",
  no_offer: "This link was used before, has expired, or was withdrawn. Show a new one on the host.",
  host_away: "The host is not connected to this relay. See that it runs and is online.",
  too_many: "Too much is going on at this relay. Try again in a while.",
  unavailable: "The relay cannot look up what it needs now. Try again in a moment.",
};

/** Takes the socket over. `settled` once: it is a stranger no more, or gone. */
export function receive(socket: PeerSocket, from: string, peers: Peers, settled: () => void): void {
  const nonce = randomBytes(NONCE_BYTES);
  let isSettled = false;
  const settle = (): void => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(late);
    settled();
  };
  const late = setTimeout(() => socket.terminate(), OPENING_MS);
  let isOpened = false;
  socket.listen({
    frame(frame) {
      // Anything before the answer is out of turn, and so is a second opening.
      if (isOpened) return socket.terminate();
      isOpened = true;
      // From here on it is we who take our time.
      clearTimeout(late);
      void open(socket, frame, nonce, from, peers)
        .catch((error: unknown) => {
          peers.log("a peer could not be let in", { error: String(error) });
          refuse(socket, "unavailable");
        })
        .finally(settle);
    },
    closed: settle,
  });
  socket.send(encode({ relay: 1, nonce: toBase64Url(nonce), now: peers.now() }));
}

async function open(
  socket: PeerSocket,
  frame: Uint8Array,
  nonce: Uint8Array,
  from: string,
  peers: Peers,
): Promise<void> {
  const signed = frame.length <= OPENING_BYTES ? openingIn(frame, peers.origin(), nonce, verifyBytesNode) : undefined;
  const opening = signed && decode(Opening, signed.body);
  if (!signed || !opening) return refuse(socket, "bad_opening");
  const key = toBase64Url(signed.key);
  switch (opening.t) {
    case "host":
      return seat(socket, opening, key, from, peers);
    case "join":
      return join(socket, opening, key, from, peers);
    case "member":
      return admit(socket, opening, key, from, peers);
  }
}

async function seat(
  socket: PeerSocket,
  opening: HostOpening,
  key: string,
  from: string,
  { hub, access, app, ice, now, log }: Peers,
): Promise<void> {
  const place: { seat?: ReturnType<Hub["seat"]> } = {};
  const held: Held = {
    key,
    tell: (message) => place.seat?.tell(message),
    close: (code) => refuse(socket, code),
  };
  const admitted = await access.host(opening, held, from);
  if (typeof admitted === "string") return refuse(socket, admitted);
  const { host, account, session } = admitted;
  const keyBytes = fromBase64Url(key, 32) ?? new Uint8Array(32);
  welcome(socket, {
    now: now(),
    session,
    app,
    ...(ice.length > 0 ? { ice: [...ice] } : {}),
  });
  const own = hub.seat({ host, rendezvous: opening.rendezvous, key: keyBytes, account }, socket, {
    control(message) {
      admitted
        .control(message)
        .then((changed) => {
          if (changed) own.account = changed.account;
        })
        .catch((error: unknown) => log("a host's word could not be heeded", { error: String(error) }));
    },
    violated: (detail) => log("a host broke the rules", { detail }),
  });
  place.seat = own;
  socket.patienceMs = HOST_PATIENCE_MS;
  socket.listen({
    frame: (bytes) => own.frame(bytes),
    closed() {
      hub.leave(own);
      admitted.gone();
    },
  });
}

async function join(
  socket: PeerSocket,
  opening: JoinOpening,
  key: string,
  from: string,
  { hub, access, now }: Peers,
): Promise<void> {
  const { rendezvous, by } = opening;
  const found = by.kind === "session" ? await access.accountOf(key, by.session, from) : undefined;
  if (typeof found === "string") return refuse(socket, found);
  const device = new SocketEnd(socket);
  const joined = await hub.join({ rendezvous, by, key, account: found?.account }, device);
  if (joined.kind === "refused") return refuse(socket, joined.code);
  welcome(socket, { now: now(), ...(joined.ticket === undefined ? {} : { ticket: joined.ticket }) });
  device.begin(joined.end);
}

async function admit(
  socket: PeerSocket,
  opening: MemberOpening,
  key: string,
  from: string,
  { access, now }: Peers,
): Promise<void> {
  const held: Held = { key, tell: () => {}, close: (code) => refuse(socket, code) };
  const send = (frame: Uint8Array): void => socket.send(frame);
  const member = await access.member(opening, held, send, from);
  if (typeof member === "string") return refuse(socket, member);
  const { session, registered } = member;
  const { registration } = access;
  welcome(socket, {
    now: now(),
    registered,
    ...(registration === undefined ? {} : { registration }),
    ...(session === undefined ? {} : { session }),
  });
  let before: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  socket.listen({
    frame(frame) {
      if (waiting >= MAX_CALLS) return refuse(socket, "too_many");
      waiting += 1;
      // One after the other: what a person does in one window is in order.
      before = before.then(async () => {
        socket.send(await member.call(frame));
        waiting -= 1;
      });
      before.catch(() => socket.terminate());
    },
    closed: () => member.gone(),
  });
}

/** A joined device's socket as the end of its circuit. */
class SocketEnd implements DeviceEnd {
  readonly #socket: PeerSocket;
  #host: CircuitEnd | undefined;
  /** Bytes that the host gave this side to send. */
  #window = CIRCUIT_WINDOW_BYTES;
  #holds = 0;
  #isClosed = false;
  /** Bytes for the device that were not given back to the host. */
  #passed = 0;
  /** What the host said before the device was told that it has joined. */
  #early: Uint8Array[] = [];

  constructor(socket: PeerSocket) {
    this.#socket = socket;
  }

  begin(host: CircuitEnd): void {
    this.#host = host;
    this.#socket.listen({
      frame: (bytes) => {
        this.#window -= costOf(bytes);
        if (this.#window <= 0) this.#socket.pause();
        host.data(bytes);
      },
      closed: () => {
        this.#isClosed = true;
        host.close("the device is gone");
      },
    });
    for (const frame of this.#early.splice(0)) this.data(frame);
  }

  data(frame: Uint8Array): void {
    if (this.#isClosed) return;
    if (!this.#host) return void this.#early.push(frame);
    this.#passed += costOf(frame);
    if (this.#passed < CREDIT_STEP_BYTES) return this.#socket.send(frame);
    const passed = this.#passed;
    this.#passed = 0;
    this.#socket.send(frame, () => {
      if (!this.#isClosed) this.#host?.credit(passed);
    });
  }

  credit(bytes: number): void {
    this.#window += bytes;
    if (this.#window <= CIRCUIT_WINDOW_BYTES) return this.#flow();
    const reason = "more was given back than had been sent";
    this.#host?.close(reason);
    this.close(reason);
  }

  hold(): void {
    this.#holds += 1;
    this.#socket.pause();
  }

  release(): void {
    this.#holds -= 1;
    this.#flow();
  }

  isAlive(): Promise<boolean> {
    return this.#socket.isAlive();
  }

  close(reason: string): void {
    this.#isClosed = true;
    this.#socket.close(reason);
  }

  #flow(): void {
    if (this.#holds === 0 && this.#window > 0 && !this.#isClosed) this.#socket.resume();
  }
}

function welcome(socket: PeerSocket, what: Omit<Welcome, "t">): void {
  socket.send(encode({ t: "welcome", ...what } satisfies Welcome));
}

function refuse(socket: PeerSocket, code: RefusedCode): void {
  const after = code === "unavailable" || code === "too_many" ? { after: UNAVAILABLE_MS } : {};
  socket.send(encode({ t: "refused", code, message: MESSAGES[code], ...after }));
  socket.close(code);
}
