/**
 * A host's place at this node: its one socket, the circuits that go over it, and who may open one. What a device shows is
 * judged here, where the host's key and its open offers are in memory: a join costs no look into the store.
 */
import { KNOCK_MS, TICKET_MS, ticketIn } from "@flybridge/crypto/proof.ts";
import { verifyBytesNode } from "@flybridge/crypto/verify-node.ts";
import {
  CIRCUIT_WINDOW_BYTES,
  closeFrame,
  costOf,
  creditFrame,
  creditIn,
  frameOf,
  FrameType,
  MAX_CIRCUITS,
  parseFrame,
  reasonIn,
} from "@flybridge/protocol/relay/circuit.ts";
import {
  type Caller,
  decode,
  encode,
  FromHost,
  type JoinBy,
  type RefusedCode,
  type TicketBody,
  type ToHost,
} from "@flybridge/protocol/relay/words.ts";
import type { CircuitEnd, DeviceEnd } from "./end.ts";

/** Offers that a host has open at once; it makes at most three, and some are on the way out. */
const MAX_OFFERS = 16;
/** Keys whose tickets no longer count; the oldest give way, and their circuits end in the handshake. */
const MAX_REVOKED = 1_024;
/** Milliseconds in which a host says whether an old ticket is renewed. */
const RENEW_MS = 10_000;
/** Joins that wait for a host's word at once. */
const MAX_ASKED = 64;
/** Bytes in a host's socket at which the devices that fill it are held. */
const HOST_HIGH_BYTES = 1024 * 1024;
/** Milliseconds by which two clocks may differ before a ticket's end looks wrong. */
const SKEW_MS = 5 * 60_000;
const CONTROL = 0;
/** Circuit numbers are 32 bits; 0 is the socket itself. */
const LAST_CIRCUIT = 0xffff_ffff;
const NOTHING = new Uint8Array(0);

/** What a seat needs of the host's socket. */
export interface SeatSocket {
  send(frame: Uint8Array, gone?: () => void): void;
  /** Both as one frame. */
  sendAfter(first: Uint8Array, rest: Uint8Array, gone?: () => void): void;
  readonly buffered: number;
  /** Reads no more, or again. */
  pause(): void;
  resume(): void;
  close(reason: string): void;
}

export interface Seated {
  readonly host: string;
  readonly rendezvous: string;
  /** HI, 32 bytes. */
  readonly key: Uint8Array;
  /** The account it is under, base64url. */
  readonly account: string | undefined;
}

export interface Join {
  readonly rendezvous: string;
  readonly by: JoinBy;
  /** That the device proved to hold, base64url. */
  readonly key: string;
  /** Of a device that came by its session. */
  readonly account?: string | undefined;
}

export type Joined =
  | { readonly kind: "joined"; readonly end: CircuitEnd; readonly ticket?: string }
  | { readonly kind: "refused"; readonly code: RefusedCode };

export interface SeatEvents {
  /** A control message that is not about circuits. */
  control(message: Extract<FromHost, { t: "kept" | "renew" | "account" }>): void;
  /** The host broke the rules. The socket is closed. */
  violated(detail: string): void;
  /** Frames of circuits, for the counters. */
  forwarded(bytes: number): void;
}

interface Circuit {
  readonly device: DeviceEnd;
  readonly key: string;
  readonly ticket: string | undefined;
  /** What stands before each of its frames to the host. */
  readonly header: Uint8Array;
  /** Bytes that the host may still send. */
  window: number;
}

export class Seat {
  readonly seated: Seated;
  readonly #socket: SeatSocket;
  readonly #events: SeatEvents;
  readonly #origin: string;
  readonly #now: () => number;
  account: string | undefined;
  readonly #circuits = new Map<number, Circuit>();
  readonly #byTicket = new Map<string, number>();
  /** Tickets of which two copies were seen. */
  readonly #doubled = new Set<string>();
  readonly #offers = new Map<string, number>();
  readonly #revoked = new Set<string>();
  readonly #asked = new Map<number, (ticket: string | undefined) => void>();
  readonly #held = new Set<DeviceEnd>();
  /** How often its host is held. */
  #holds = 0;
  #lastCircuit = CONTROL;
  #lastAsk = 0;
  #ended = false;

  constructor(
    seated: Seated,
    around: {
      readonly socket: SeatSocket;
      readonly events: SeatEvents;
      /** The relay's own, which tickets name. */
      readonly origin: string;
      readonly now: () => number;
    },
  ) {
    this.seated = seated;
    this.account = seated.account;
    this.#socket = around.socket;
    this.#events = around.events;
    this.#origin = around.origin;
    this.#now = around.now;
  }

  get circuits(): number {
    return this.#circuits.size;
  }

  tell(message: ToHost): void {
    this.#socket.send(frameOf(FrameType.control, CONTROL, encode(message)));
  }

  /** A frame from the host. */
  frame(bytes: Uint8Array): void {
    const frame = parseFrame(bytes);
    if (!frame) return this.#violate("not a frame");
    const { type, circuit, payload } = frame;
    if (type === FrameType.control) return this.#control(payload);
    const found = this.#circuits.get(circuit);
    // It ended here while this was on the way.
    if (!found) return;
    if (type === FrameType.data) {
      found.window -= costOf(payload);
      if (found.window < 0) return this.#end(circuit, found, "more was sent than there was credit for");
      this.#events.forwarded(payload.length);
      found.device.data(payload);
    } else if (type === FrameType.credit) {
      const bytesMore = creditIn(payload);
      if (bytesMore === undefined) return this.#violate("not credit");
      found.device.credit(bytesMore);
    } else if (type === FrameType.close) {
      this.#forget(circuit, found);
      found.device.close(reasonIn(payload));
    } else this.#violate("a host opens no circuits");
  }

  async join(join: Join, device: DeviceEnd): Promise<Joined> {
    if (this.#circuits.size >= MAX_CIRCUITS) return refused("too_many");
    const { by, key } = join;
    switch (by.kind) {
      case "offer":
        return (this.#offers.get(key) ?? 0) > this.#now() ? this.#open(by, key, device) : refused("no_offer");
      case "session":
        return join.account !== undefined && join.account === this.account
          ? this.#open(by, key, device)
          : refused("host_away");
      case "ticket":
        return this.#joinByTicket(by, key, device);
    }
  }

  /** Closes every circuit; the socket is the caller's. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const { device } of this.#circuits.values()) device.close(reason);
    this.#circuits.clear();
    this.#byTicket.clear();
    this.#held.clear();
    for (const answer of this.#asked.values()) answer(undefined);
    this.#asked.clear();
  }

  close(reason: string): void {
    this.#socket.close(reason);
  }

  /** Its socket took something: whoever was held goes on. */
  readonly #drained = (): void => {
    if (this.#socket.buffered > HOST_HIGH_BYTES / 2) return;
    for (const device of this.#held) device.release();
    this.#held.clear();
  };

  async #joinByTicket(by: Extract<JoinBy, { kind: "ticket" }>, key: string, device: DeviceEnd): Promise<Joined> {
    const body = this.#ticketIn(by.ticket, key);
    if (!body || this.#revoked.has(key)) return refused("bad_ticket");
    if (this.#doubled.has(body.id)) return refused("ticket_doubled");
    if (body.until <= this.#now()) {
      const ticket = await this.#renewed(key);
      const fresh = ticket === undefined ? undefined : this.#ticketIn(ticket, key);
      // What came from the host, it may have withdrawn since.
      if (ticket === undefined || !fresh || fresh.until <= this.#now() || this.#revoked.has(key))
        return refused("bad_ticket");
      return this.#open(by, key, device, fresh.id, ticket);
    }
    const circuit = this.#byTicket.get(body.id);
    const other = circuit === undefined ? undefined : this.#circuits.get(circuit);
    if (circuit !== undefined && other) {
      const isAlive = await other.device.isAlive();
      if (isAlive && this.#circuits.get(circuit) === other) {
        this.#doubled.add(body.id);
        this.#end(circuit, other, "this ticket was used from somewhere else");
        this.tell({ t: "doubled", key });
        return refused("ticket_doubled");
      }
      // A phone that changed its network: what it had before is gone, and does not know it yet.
      if (this.#circuits.get(circuit) === other) this.#end(circuit, other, "replaced");
    }
    return this.#open(by, key, device, body.id);
  }

  #ticketIn(ticket: string, key: string): TicketBody | undefined {
    const body = ticketIn(ticket, this.seated.key, verifyBytesNode);
    const now = this.#now();
    const isOurs =
      body?.relay === this.#origin &&
      body.host === this.seated.host &&
      body.rendezvous === this.seated.rendezvous &&
      body.device === key;
    return isOurs && body.until <= now + TICKET_MS + SKEW_MS && body.until > now - KNOCK_MS ? body : undefined;
  }

  #renewed(key: string): Promise<string | undefined> {
    if (this.#asked.size >= MAX_ASKED || this.#ended) return Promise.resolve(undefined);
    const ask = ++this.#lastAsk;
    return new Promise((resolve) => {
      const late = setTimeout(() => answer(undefined), RENEW_MS);
      const answer = (ticket: string | undefined): void => {
        clearTimeout(late);
        this.#asked.delete(ask);
        resolve(ticket);
      };
      this.#asked.set(ask, answer);
      this.tell({ t: "renew", ask, key });
    });
  }

  #open(by: JoinBy, key: string, device: DeviceEnd, ticketId?: string, ticket?: string): Joined {
    if (this.#ended) return refused("host_away");
    do this.#lastCircuit = this.#lastCircuit === LAST_CIRCUIT ? 1 : this.#lastCircuit + 1;
    while (this.#circuits.has(this.#lastCircuit));
    const id = this.#lastCircuit;
    const circuit: Circuit = {
      device,
      key,
      ticket: ticketId,
      header: frameOf(FrameType.data, id, NOTHING),
      window: CIRCUIT_WINDOW_BYTES,
    };
    this.#circuits.set(id, circuit);
    if (ticketId !== undefined) this.#byTicket.set(ticketId, id);
    this.#socket.send(frameOf(FrameType.open, id, encode({ by: by.kind, key } satisfies Caller)));
    return { kind: "joined", end: this.#hostEnd(id, circuit), ...(ticket === undefined ? {} : { ticket }) };
  }

  #hostEnd(id: number, circuit: Circuit): CircuitEnd {
    const isOpen = (): boolean => this.#circuits.get(id) === circuit;
    return {
      data: (frame) => {
        if (!isOpen()) return;
        this.#events.forwarded(frame.length);
        if (this.#socket.buffered > HOST_HIGH_BYTES && !this.#held.has(circuit.device)) {
          this.#held.add(circuit.device);
          circuit.device.hold();
        }
        // As long as somebody is held, the last of all frames too: by then there is room.
        if (this.#held.size === 0) this.#socket.sendAfter(circuit.header, frame);
        else this.#socket.sendAfter(circuit.header, frame, this.#drained);
      },
      credit: (bytes) => {
        if (!isOpen()) return;
        circuit.window += bytes;
        this.#socket.send(creditFrame(id, bytes));
      },
      close: (reason) => {
        if (!isOpen()) return;
        this.#forget(id, circuit);
        this.#socket.send(closeFrame(id, reason));
      },
      // Its circuits come over one socket, and so they wait for each other.
      hold: () => {
        this.#holds += 1;
        this.#socket.pause();
      },
      release: () => {
        this.#holds -= 1;
        if (this.#holds === 0) this.#socket.resume();
      },
    };
  }

  #control(payload: Uint8Array): void {
    const message = decode(FromHost, payload);
    if (!message) return this.#violate("not a word of a host's");
    switch (message.t) {
      case "offer":
        if (this.#offers.size >= MAX_OFFERS) this.#dropOldOffers();
        if (this.#offers.size < MAX_OFFERS) this.#offers.set(message.key, message.until);
        return;
      case "withdraw":
        this.#offers.delete(message.key);
        return;
      case "renewed":
        this.#asked.get(message.ask)?.(message.ticket);
        return;
      case "revoke":
        this.#revoke(message.key);
        return;
      case "readmit":
        this.#revoked.delete(message.key);
        return;
      case "kept":
      case "renew":
      case "account":
        this.#events.control(message);
    }
  }

  #dropOldOffers(): void {
    const now = this.#now();
    for (const [key, until] of this.#offers) if (until <= now) this.#offers.delete(key);
  }

  #revoke(key: string): void {
    if (this.#revoked.size >= MAX_REVOKED) {
      const [oldest] = this.#revoked;
      if (oldest !== undefined) this.#revoked.delete(oldest);
    }
    this.#revoked.add(key);
    for (const [id, circuit] of this.#circuits) if (circuit.key === key) this.#end(id, circuit, "revoked");
  }

  /** On both sides. */
  #end(id: number, circuit: Circuit, reason: string): void {
    this.#forget(id, circuit);
    circuit.device.close(reason);
    this.#socket.send(closeFrame(id, reason));
  }

  #forget(id: number, circuit: Circuit): void {
    this.#circuits.delete(id);
    this.#held.delete(circuit.device);
    if (circuit.ticket !== undefined && this.#byTicket.get(circuit.ticket) === id)
      this.#byTicket.delete(circuit.ticket);
  }

  #violate(detail: string): void {
    this.#events.violated(detail);
    this.#socket.close(detail);
  }
}

function refused(code: RefusedCode): Joined {
  return { kind: "refused", code };
}
