/** Somebody at the door who is no device: raw frames over a WebSocket; and links on which what a device says is spoilt. */
import { readFileSync } from "node:fs";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { type ClientOptions, WebSocket } from "ws";

export class Stranger {
  readonly socket: WebSocket;
  /** What the host said, in order. */
  readonly frames: Uint8Array[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #heard = (): void => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer) => {
      this.frames.push(new Uint8Array(data));
      this.#heard();
    });
    // A host that closes while we write resets the connection: the close says all there is to say.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#heard();
      }),
    );
  }

  /** Resolves when the host has said hello. */
  static async at(port: number, options: ClientOptions = {}): Promise<Stranger> {
    const stranger = new Stranger(new WebSocket(`ws://127.0.0.1:${port}${LINK_PATH}`, options));
    await stranger.heard(1);
    return stranger;
  }

  /** Resolves when the host has said so many frames, or has closed. */
  heard(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#heard = () => {
        if (this.frames.length >= count || this.socket.readyState >= WebSocket.CLOSING) resolve();
      };
      this.#heard();
    });
  }

  say(...frames: (Uint8Array | string)[]): void {
    for (const frame of frames) this.socket.send(frame);
  }
}

/** A link whose frames pass through `spoil`: what it gives is sent in their place. `index` counts them from 0. */
export function spoilt(link: Link, spoil: (frame: Uint8Array, index: number) => readonly Uint8Array[]): Link {
  let index = 0;
  return {
    listen: (events) => link.listen(events),
    send(frame) {
      for (const sent of spoil(frame, index++)) link.send(sent);
    },
    get buffered() {
      return link.buffered;
    },
    close: (detail) => link.close(detail),
  };
}

/** Memory of a process that is in RAM now, in bytes (proc(5)). */
export function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
