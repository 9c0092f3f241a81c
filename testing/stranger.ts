/** Somebody at the door who is no device: raw frames over a WebSocket; and links on which what a device says is spoilt. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { encodeDeviceHello, LINK_PATH, PRE_AUTH_FRAME_BYTES, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { type ClientOptions, WebSocket } from "ws";

const hello = (purpose: "pair" | "reconnect"): Uint8Array => encodeDeviceHello({ v: 1, purpose, features: [] });
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const chance = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));

/** What no device says first, and what comes of it is the same: the end. */
export const MALFORMED: Readonly<Record<string, readonly (Uint8Array | string)[]>> = {
  "an empty frame": [new Uint8Array(0)],
  "one byte": [chance(1)],
  "noise of the largest size": [chance(PRE_AUTH_FRAME_BYTES)],
  "noise over the largest size": [chance(PRE_AUTH_FRAME_BYTES + 1)],
  "a frame of a whole record": [chance(RECORD_BYTES)],
  "a frame over a whole record": [chance(RECORD_BYTES + 1)],
  "a frame of a megabyte": [chance(1024 * 1024)],
  "a text frame": ["hello"],
  "a hello as text": [new TextDecoder().decode(hello("pair"))],
  "empty JSON": [text("{}")],
  "JSON cut short": [hello("pair").subarray(0, -1)],
  "another purpose": [text('{"v":1,"purpose":"rule","features":[]}')],
  "a version nobody speaks": [text('{"v":60000,"purpose":"pair","features":[]}')],
  "a hello that is not ASCII": [text('{"v":1,"purpose":"pair","features":["é"]}')],
  "a prototype": [text('{"__proto__":{"v":1,"purpose":"pair","features":[]}}')],
  "noise as message 1": [hello("pair"), chance(56)],
  "noise as message 1 of a return": [hello("reconnect"), chance(128)],
  "an empty message 1": [hello("reconnect"), new Uint8Array(0)],
  "a key of zeros": [hello("pair"), new Uint8Array(56)],
  "the hello twice": [hello("pair"), hello("pair")],
  "six frames at once": [hello("pair"), ...Array.from({ length: 5 }, () => chance(56))],
};

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
