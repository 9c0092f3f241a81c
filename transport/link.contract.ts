/** What every link must do, run by each implementation. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";

import { HIGH_WATER_BYTES, type Link, type LinkEnd } from "./link.ts";

export interface LinkPair {
  readonly ends: readonly [Link, Link];
  /** The frame limit that both ends were made with; frames of this size pass. */
  readonly maxFrameBytes: number;
  dispose(): Promise<void> | void;
}

/** Hears everything on one end. */
export class Ear {
  readonly frames: Uint8Array[] = [];
  readonly ends: LinkEnd[] = [];
  drains = 0;
  #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = [];

  constructor(link: Link) {
    link.listen({
      frame: (bytes) => {
        this.frames.push(new Uint8Array(bytes));
        this.#look();
      },
      drained: () => {
        this.drains++;
        this.#look();
      },
      ended: (end) => {
        this.ends.push(end);
        this.#look();
      },
    });
  }

  until(met: (ear: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ met: () => met(this), resolve });
      this.#look();
    });
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ met, resolve }) => {
      if (!met()) return true;
      resolve();
      return false;
    });
  }
}

export function linkContract(name: string, makePair: () => Promise<LinkPair> | LinkPair): void {
  const on = (title: string, run: (a: Link, b: Link, pair: LinkPair) => Promise<void>) => {
    it(title, async () => {
      const pair = await makePair();
      try {
        await run(...pair.ends, pair);
      } finally {
        await pair.dispose();
      }
    });
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

  describe(`link: ${name}`, () => {
    on("moves frames whole, in order, unchanged, both ways", async (a, b, { maxFrameBytes }) => {
      const frames = [0, 1, 125, 126, 65_535, 3].map((size) => patterned(Math.min(size, maxFrameBytes)));
      const [earA, earB] = [new Ear(a), new Ear(b)];
      for (const frame of frames) {
        a.send(frame.slice());
        b.send(frame.slice());
      }
      await earA.until((ear) => ear.frames.length === frames.length);
      await earB.until((ear) => ear.frames.length === frames.length);
      assert.deepEqual(earA.frames.map(digest), frames.map(digest));
      assert.deepEqual(earB.frames.map(digest), frames.map(digest));
    });

    on("keeps what is sent before the other side listens, and its end", async (a, b) => {
      a.send(patterned(7));
      a.send(patterned(8));
      await turn();
      const first = new Ear(a);
      a.close("early");
      await first.until((ear) => ear.ends.length === 1);
      await turn();
      const late = new Ear(b);
      await late.until((ear) => ear.ends.length === 1);
      assert.deepEqual(late.frames.map(digest), [patterned(7), patterned(8)].map(digest));
      assert.equal(late.ends[0]?.kind, "closed");
    });

    on("ends once on both sides, with nothing after", async (a, b) => {
      const [earA, earB] = [new Ear(a), new Ear(b)];
      a.close("done");
      assert.equal(earA.ends.length, 0, "not inside close");
      a.close("again");
      a.send(patterned(3));
      b.send(patterned(4));
      await earA.until((ear) => ear.ends.length > 0);
      await earB.until((ear) => ear.ends.length > 0);
      b.close("late");
      b.send(patterned(5));
      await turn();
      assert.deepEqual(earA.ends, [{ kind: "closed", detail: "done" }]);
      assert.deepEqual(earB.ends, [{ kind: "closed", detail: "done" }]);
      assert.equal(earA.frames.length + earB.frames.length, 0);
    });

    on("hears nothing after its own close, even from inside a frame", async (a, b) => {
      let heard = 0;
      const ended = new Promise<LinkEnd>((resolve) => {
        b.listen({
          frame: () => {
            heard++;
            b.close("enough");
          },
          drained() {},
          ended: resolve,
        });
      });
      for (let count = 0; count < 5; count++) a.send(patterned(9));
      assert.equal((await ended).kind, "closed");
      await turn();
      assert.equal(heard, 1);
    });

    on("ends as a violation when a frame is over the limit", async (a, b, { maxFrameBytes }) => {
      const [earA, earB] = [new Ear(a), new Ear(b)];
      a.send(patterned(maxFrameBytes + 1));
      await earB.until((ear) => ear.ends.length > 0);
      await earA.until((ear) => ear.ends.length > 0);
      assert.equal(earB.ends[0]?.kind, "violation");
      assert.equal(earB.frames.length, 0);
      assert.equal(earB.ends.length + earA.ends.length, 2);
    });

    on("tells once that it drained, after it had been full", async (a, b, { maxFrameBytes }) => {
      const [earA, earB] = [new Ear(a), new Ear(b)];
      assert.equal(a.buffered, 0);
      let sent = 0;
      while (a.buffered <= HIGH_WATER_BYTES) {
        a.send(new Uint8Array(maxFrameBytes));
        sent++;
      }
      await earA.until((ear) => ear.drains > 0);
      await earB.until((ear) => ear.frames.length === sent);
      await turn();
      assert.equal(earA.drains, 1);
      assert.equal(earB.drains, 0);
    });
  });
}

function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff);
}

/** Short enough to read when two differ. */
function digest(bytes: Uint8Array): string {
  return `${bytes.length}:${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}`;
}
