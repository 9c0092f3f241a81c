/** The host's end of its socket at a relay: a link for each circuit, and what relay and host say to each other. */
import {
  CIRCUIT_WINDOW_BYTES,
  closeFrame,
  costOf,
  CREDIT_STEP_BYTES,
  creditFrame,
  creditIn,
  frameOf,
  FrameType,
  MAX_CIRCUITS,
  parseFrame,
  reasonIn,
} from "@flybridge/protocol/relay/circuit.ts";
import { Caller, decode, encode, type FromHost, ToHost } from "@flybridge/protocol/relay/words.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { HIGH_WATER_BYTES, type Link, type LinkEnd, type LinkEvents, LOW_WATER_BYTES } from "./link.ts";
import { Listener } from "./listener.ts";

const CONTROL = 0;

export interface CircuitsEvents {
  opened(caller: Caller, link: Link): void;
  control(message: ToHost): void;
  /** Once, last; every circuit has ended before. */
  ended(end: LinkEnd): void;
}

/** Takes the link over, on which the relay has welcomed the host. */
export class Circuits {
  readonly #link: Link;
  readonly #events: CircuitsEvents;
  readonly #circuits = new Map<number, Circuit>();

  constructor(link: Link, events: CircuitsEvents) {
    this.#link = link;
    this.#events = events;
    link.listen({
      frame: (bytes) => this.#frame(bytes),
      drained: () => this.#drained(),
      ended: (end) => {
        this.#endAll(end);
        events.ended(end);
      },
    });
  }

  tell(message: FromHost): void {
    this.#link.send(frameOf(FrameType.control, CONTROL, encode(message)));
  }

  close(detail: string): void {
    this.#link.close(detail);
  }

  #frame(bytes: Uint8Array): void {
    const frame = parseFrame(bytes);
    if (!frame) return this.#violate("a relay sent what is no frame");
    const { type, circuit: id, payload } = frame;
    switch (type) {
      case FrameType.control: {
        const message = decode(ToHost, payload);
        // A newer relay may say what this host does not know.
        if (message) this.#events.control(message);
        return;
      }
      case FrameType.open:
        return this.#open(id, payload);
      case FrameType.data:
        return this.#circuits.get(id)?.receive(payload);
      case FrameType.credit: {
        const more = creditIn(payload);
        if (more === undefined) return this.#violate("a relay gave what is no credit");
        return this.#circuits.get(id)?.credit(more);
      }
      case FrameType.close: {
        const circuit = this.#circuits.get(id);
        this.#circuits.delete(id);
        return circuit?.end({ kind: "closed", detail: reasonIn(payload) });
      }
    }
  }

  #open(id: number, payload: Uint8Array): void {
    const caller = decode(Caller, payload);
    if (!caller || id === CONTROL || this.#circuits.has(id) || this.#circuits.size >= MAX_CIRCUITS)
      return this.#violate("a relay opened what cannot be a circuit");
    const circuit = new Circuit(id, this.#link, () => this.#circuits.delete(id));
    this.#circuits.set(id, circuit);
    this.#events.opened(caller, circuit);
  }

  #drained(): void {
    // In turns, so that the first of them does not fill the socket again alone.
    let isSending = true;
    while (isSending && this.#link.buffered <= HIGH_WATER_BYTES) {
      isSending = false;
      for (const circuit of this.#circuits.values()) isSending = circuit.sendOne() || isSending;
    }
  }

  #violate(detail: string): void {
    this.#link.close(detail);
    this.#endAll({ kind: "violation", detail });
  }

  #endAll(end: LinkEnd): void {
    for (const circuit of this.#circuits.values()) circuit.end(end);
    this.#circuits.clear();
  }
}

class Circuit implements Link {
  readonly #id: number;
  readonly #link: Link;
  readonly #forget: () => void;
  readonly #listener = new Listener({
    // No credit is given for what nobody hears, so an honest relay never sends more.
    maxUnheardBytes: CIRCUIT_WINDOW_BYTES,
    costOf,
    heard: (frame) => this.#heard(frame),
  });
  /** Payload bytes that the relay still takes. */
  #window = CIRCUIT_WINDOW_BYTES;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #high = false;
  /** Heard and not given back yet. */
  #taken = 0;
  /** Why it was closed here, while what was sent before still waits. */
  #closing: string | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(id: number, link: Link, forget: () => void) {
    this.#id = id;
    this.#link = link;
    this.#forget = forget;
  }

  get buffered(): number {
    return this.#waitingBytes;
  }

  listen(events: LinkEvents): void {
    this.#listener.listen(events);
  }

  send(frame: Uint8Array): void {
    if (this.#listener.hasEnded) return;
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    this.#flush();
    if (this.#waitingBytes > HIGH_WATER_BYTES) this.#high = true;
  }

  close(detail: string, lingerMs?: number): void {
    if (lingerMs !== undefined && this.#waiting.length > 0)
      this.#lingering ??= setTimeout(() => this.#drop(), lingerMs);
    if (this.#listener.hasEnded) return;
    this.#listener.drop();
    this.#closing = detail;
    this.#listener.end({ kind: "closed", detail });
    this.#flush();
  }

  /** From the relay. */
  receive(frame: Uint8Array): void {
    if (this.#listener.hasEnded) return;
    if (frame.length > RECORD_BYTES) return this.#violate(`a frame of ${frame.length} bytes`);
    if (!this.#listener.frame(frame)) this.#violate("too much before anybody listened");
  }

  credit(bytes: number): void {
    this.#window += bytes;
    this.#flush();
  }

  /** Whether there was one, and it went. */
  sendOne(): boolean {
    const [frame] = this.#waiting;
    if (!frame || costOf(frame) > this.#window) return false;
    this.#waiting.shift();
    this.#waitingBytes -= frame.length;
    this.#window -= costOf(frame);
    this.#link.send(frameOf(FrameType.data, this.#id, frame));
    this.#settle();
    return true;
  }

  /** From the relay, or with its socket. */
  end(end: LinkEnd): void {
    this.#drop();
    this.#listener.end(end);
  }

  #flush(): void {
    while (this.#link.buffered <= HIGH_WATER_BYTES && this.sendOne());
    this.#settle();
  }

  /** Tells that there is room again, or, of what was closed, that all has gone. */
  #settle(): void {
    if (this.#high && this.#waitingBytes <= LOW_WATER_BYTES) {
      this.#high = false;
      this.#listener.drained();
    }
    if (this.#closing !== undefined && this.#waiting.length === 0) {
      this.#link.send(closeFrame(this.#id, this.#closing));
      this.#closing = undefined;
      clearTimeout(this.#lingering);
      this.#forget();
    }
  }

  /** What waits is sent no more. */
  #drop(): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    clearTimeout(this.#lingering);
    this.#settle();
  }

  #heard(frame: Uint8Array): void {
    this.#taken += costOf(frame);
    if (this.#taken < CREDIT_STEP_BYTES || this.#listener.hasEnded) return;
    this.#link.send(creditFrame(this.#id, this.#taken));
    this.#taken = 0;
  }

  #violate(detail: string): void {
    this.#listener.drop();
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#closing = detail;
    this.#listener.end({ kind: "violation", detail });
    this.#settle();
  }
}
