import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { frameOf, FrameType } from "@flybridge/protocol/relay/circuit.ts";
import { encode, type FromHost, RENDEZVOUS_BYTES } from "@flybridge/protocol/relay/words.ts";
import type { DeviceEnd } from "./end.ts";
import { type Joined, Seat, type SeatSocket } from "./seat.ts";

const NOW = 1_700_000_000_000;
const RENDEZVOUS = toBase64Url(new Uint8Array(RENDEZVOUS_BYTES));
/** More than a seat lets wait for its host, and about half of it. */
const MUCH = new Uint8Array(1024 * 1024 + 1);
const HALF = new Uint8Array(700 * 1024);

/** A host's socket that takes what it was sent one frame after the other, when it is told to. */
class SlowSocket implements SeatSocket {
  buffered = 0;
  readonly #waiting: { readonly bytes: number; readonly gone: (() => void) | undefined }[] = [];

  send(frame: Uint8Array, gone?: () => void): void {
    this.sendAfter(frame, new Uint8Array(0), gone);
  }
  sendAfter(first: Uint8Array, rest: Uint8Array, gone?: () => void): void {
    const bytes = first.length + rest.length;
    this.buffered += bytes;
    this.#waiting.push({ bytes, gone });
  }
  pause(): void {}
  resume(): void {}
  close(): void {}

  /** False when nothing waits. */
  take(): boolean {
    const next = this.#waiting.shift();
    if (!next) return false;
    this.buffered -= next.bytes;
    next.gone?.();
    return true;
  }
}

class HeldDevice implements DeviceEnd {
  isHeld = false;
  data(): void {}
  credit(): void {}
  close(): void {}
  hold(): void {
    this.isHeld = true;
  }
  release(): void {
    this.isHeld = false;
  }
  isAlive(): Promise<boolean> {
    return Promise.resolve(true);
  }
}

function seated(): {
  readonly socket: SlowSocket;
  join(): Promise<[HeldDevice, Extract<Joined, { kind: "joined" }>["end"]]>;
} {
  const socket = new SlowSocket();
  const seat = new Seat(
    { host: "h".repeat(56), rendezvous: RENDEZVOUS, key: new Uint8Array(32), account: undefined },
    {
      socket,
      origin: "https://relay.example",
      now: () => NOW,
      events: { control() {}, violated: (detail) => assert.fail(detail), forwarded() {} },
    },
  );
  let offers = 0;
  return {
    socket,
    async join() {
      const key = toBase64Url(new Uint8Array(32).fill(++offers));
      const offer: FromHost = { t: "offer", key, until: NOW + 1 };
      seat.frame(frameOf(FrameType.control, 0, encode(offer)));
      const device = new HeldDevice();
      const joined = await seat.join({ rendezvous: RENDEZVOUS, by: { kind: "offer" }, key }, device);
      assert.ok(joined.kind === "joined");
      return [device, joined.end];
    },
  };
}

describe("a seat", () => {
  it("holds the devices that fill its host's socket, and lets them go on when there is room", async () => {
    const { socket, join } = seated();
    const [device, end] = await join();
    end.data(new Uint8Array(10));
    assert.equal(device.isHeld, false);
    end.data(MUCH);
    assert.equal(device.isHeld, false, "the one that fills it was on its way");
    end.data(new Uint8Array(10));
    assert.equal(device.isHeld, true);
    while (socket.take());
    assert.equal(device.isHeld, false);
  });

  it("lets a device go on that was held when there was more, whatever others sent since", async () => {
    const { socket, join } = seated();
    const [held, end] = await join();
    const [, other] = await join();
    while (socket.take());
    end.data(MUCH);
    end.data(new Uint8Array(10));
    assert.equal(held.isHeld, true);
    // Of what fills it all but the last frame goes; another device sends what fits, and then nobody sends any more.
    socket.take();
    other.data(HALF);
    socket.take();
    assert.equal(held.isHeld, true, "there is no room yet");
    while (socket.take());
    assert.equal(held.isHeld, false);
  });
});
