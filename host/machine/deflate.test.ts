import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { webInflate } from "@flybridge/transport/inflate-web.ts";

import { nodeDeflate, nodeInflate } from "./deflate.ts";

const LIMIT = 10_000;
const page = new TextEncoder().encode('{"t":"entries"}'.repeat(200));

describe("deflating on the host", () => {
  it("is read by the host itself and by a browser", async () => {
    const small = nodeDeflate(page);
    assert.ok(small.length < page.length / 4);
    assert.deepEqual(await nodeInflate(small, LIMIT), page);
    assert.deepEqual(await webInflate(small, LIMIT), page);
  });

  it("refuses bombs, cut ones, tails and garbage", () => {
    const small = nodeDeflate(page);
    const bad = [
      nodeDeflate(new Uint8Array(LIMIT + 1)),
      small.slice(0, -1),
      Uint8Array.of(...small, 0),
      new Uint8Array(40).fill(255),
    ];
    for (const bytes of bad) assert.throws(() => nodeInflate(bytes, LIMIT));
  });
});
