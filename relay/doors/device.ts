/** A device's socket: it is joined to its host, and carries one circuit. */
import { CIRCUIT_WINDOW_BYTES, costOf, CREDIT_STEP_BYTES } from "@flybridge/protocol/relay/circuit.ts";
import type { CircuitEnd, DeviceEnd } from "../circuits/end.ts";
import type { JoinOpening, Peers } from "./admission.ts";
import { refuse, welcome } from "./answer.ts";
import type { PeerSocket } from "./socket.ts";

/** Milliseconds after the end of a circuit until its device's socket is torn: one that was revoked is to be gone within a second. */
const GOODBYE_MS = 500;

export async function joinDevice(
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
    this.#socket.close(reason, GOODBYE_MS);
  }

  #flow(): void {
    if (this.#holds === 0 && this.#window > 0 && !this.#isClosed) this.#socket.resume();
  }
}
