/**
 * One connection from a host: frames in, reports out, and how much output it may be sent.
 */
import type { Socket } from "node:net";
import type { Child } from "./child.ts";
import { Failure } from "./program.ts";
import {
  decodeOrder,
  encodeReport,
  FRAME_MAX_BYTES,
  FrameReader,
  HELLO_FRAME_MAX_BYTES,
  IN_FLIGHT_MAX_BYTES,
  type Order,
  OUTPUT_FRAME_BYTES,
  type Report,
  TERMINAL_IN_FLIGHT_MAX_BYTES,
  WireError,
} from "./wire.ts";

/** Above this the socket is given no more output; what is small and rare, such as exits, it is given always. */
const SOCKET_HIGH_BYTES = 256 * 1024;
const HELLO_TIMEOUT_MS = 5_000;
/** That a key was put in is said with its echo, which somebody waits for; where none comes, after this. */
const CONFIRM_MS = 4;

/** Output on its way: `taken` <= `next`, and what lies between is in flight. */
interface Delivery {
  readonly child: Child;
  next: number;
  taken: number;
  /** More goes at the end of this turn of the loop. */
  due: boolean;
}

export interface ConnectionEvents {
  order(connection: Connection, order: Order): void;
  /** Once, last. */
  closed(connection: Connection): void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #deliveries = new Map<string, Delivery>();
  readonly #reader = new FrameReader(HELLO_FRAME_MAX_BYTES);
  readonly #greetingTimer: NodeJS.Timeout;
  /** What was put into terminals and is not confirmed yet, oldest first. */
  #unconfirmed: Report[] = [];
  #confirmTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, events: ConnectionEvents) {
    this.#socket = socket;
    this.#greetingTimer = setTimeout(() => socket.destroy(), HELLO_TIMEOUT_MS);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of this.#reader.push(chunk)) {
          // What came with or after the frame that made us leave is not heard.
          if (socket.destroyed || socket.writableEnded) return;
          const order = decodeOrder(frame);
          if (order) events.order(this, order);
          else this.report({ type: "unsupported", code: frame.code });
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        socket.destroy();
      }
    });
    socket.on("drain", () => this.#deliverAll());
    socket.on("error", () => {});
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      clearTimeout(this.#greetingTimer);
      clearTimeout(this.#confirmTimer);
      this.#endDeliveries();
      events.closed(this);
    });
  }

  /** The peer is a host of our version: large frames may come. */
  greeted(): void {
    clearTimeout(this.#greetingTimer);
    this.#reader.maxBytes = FRAME_MAX_BYTES;
  }

  report(report: Report): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    // Held back to the end of this turn of the loop, so that one system call carries all that is ready.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    for (const part of encodeReport(report)) this.#socket.write(part);
  }

  /** This input is applied. */
  confirm(child: Child, id: string): void {
    const taken: Report = { type: "taken", child: child.id, id, inputs: child.inputCount };
    if (child.kind !== "terminal") return this.report(taken);
    this.#unconfirmed.push(taken);
    this.#confirmTimer ??= setTimeout(() => this.#confirmAll(), CONFIRM_MS);
  }

  /** Says this and leaves. */
  leave(last: Report): void {
    this.report(last);
    this.#endDeliveries();
    this.#socket.end();
    // A peer that never reads would keep the socket for ever.
    this.#socket.setTimeout(HELLO_TIMEOUT_MS, () => this.#socket.destroy());
  }

  /** Delivers this child's output from this offset, or from the first byte still held. */
  read(child: Child, from: number): void {
    const next = Math.min(Math.max(from, child.spool.start), child.spool.end);
    this.#deliveries.set(child.id, { child, next, taken: next, due: false });
    child.taken(next);
    const { errorsStart } = child.state;
    if (child.errorsTail.byteLength > 0) {
      this.report({ type: "errors", child: child.id, offset: errorsStart, bytes: child.errorsTail });
    }
    this.grew(child);
    if (child.exit) this.exited(child);
  }

  taken(child: Child, offset: number): void {
    const delivery = this.#deliveries.get(child.id);
    if (!delivery) return;
    delivery.taken = Math.min(Math.max(delivery.taken, offset), delivery.next);
    child.taken(delivery.taken);
    this.#deliver(delivery);
  }

  forget(child: Child): void {
    this.#deliveries.delete(child.id);
  }

  /** The first of it goes at once, what else comes in this turn of the loop together: a terminal is read in 4 KiB pieces. */
  grew(child: Child): void {
    const delivery = this.#deliveries.get(child.id);
    if (!delivery || delivery.due) return;
    this.#deliver(delivery);
    this.#confirmAll();
    delivery.due = true;
    setImmediate(() => {
      delivery.due = false;
      if (this.#deliveries.get(child.id) === delivery) this.#deliver(delivery);
    });
  }

  errors(child: Child, offset: number, bytes: Uint8Array): void {
    if (!this.#deliveries.has(child.id) || this.#congested) return;
    this.report({ type: "errors", child: child.id, offset, bytes });
  }

  exited(child: Child): void {
    if (!child.exit) return;
    // After the exit it would be taken for lost.
    this.#confirmAll();
    const { code, signal } = child.exit;
    this.report({ type: "exit", child: child.id, code, signal, end: child.spool.end, bytes: child.errorsTail });
  }

  #confirmAll(): void {
    clearTimeout(this.#confirmTimer);
    this.#confirmTimer = undefined;
    const reports = this.#unconfirmed;
    this.#unconfirmed = [];
    for (const report of reports) this.report(report);
  }

  #endDeliveries(): void {
    for (const { child } of this.#deliveries.values()) child.taken(null);
    this.#deliveries.clear();
  }

  get #congested(): boolean {
    return this.#socket.writableLength > SOCKET_HIGH_BYTES;
  }

  /** One frame of each child in turn, so that a child that never stops does not keep the others waiting. */
  #deliverAll(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (const delivery of this.#deliveries.values()) moved = this.#deliverFrame(delivery) || moved;
    }
  }

  #deliver(delivery: Delivery): void {
    while (this.#deliverFrame(delivery));
  }

  /** False if nothing was sent: nothing there, too much in flight, or the socket is full. */
  #deliverFrame(delivery: Delivery): boolean {
    const { child } = delivery;
    // A host may have stored, from an earlier connection, what this one has not been sent yet.
    delivery.next = Math.max(delivery.next, child.spool.start);
    delivery.taken = Math.max(delivery.taken, Math.min(child.spool.start, delivery.next));
    const { next, taken } = delivery;
    const inFlightMax = child.kind === "terminal" ? TERMINAL_IN_FLIGHT_MAX_BYTES : IN_FLIGHT_MAX_BYTES;
    const room = Math.min(OUTPUT_FRAME_BYTES, inFlightMax - (next - taken));
    if (room <= 0 || next >= child.spool.end || this.#congested) return false;
    let bytes: Uint8Array;
    try {
      bytes = child.spool.read(next, room);
    } catch {
      this.#deliveries.delete(child.id);
      const { code, message } = new Failure("spool_unreadable", "the disk did not give back what it was given");
      this.report({ type: "failed", order: "read", child: child.id, id: null, code, message });
      return false;
    }
    delivery.next += bytes.byteLength;
    this.report({ type: "output", child: child.id, offset: next, bytes });
    return true;
  }
}
