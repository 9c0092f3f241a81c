import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";

import type { HostId } from "./ids.ts";
import {
  commonVersion,
  decodeDeviceHello,
  decodeHostHello,
  encodeDeviceHello,
  encodeHostHello,
  HANDSHAKE_PAYLOAD_BYTES,
  PRE_AUTH_FRAME_BYTES,
} from "./relay.ts";

const HOST = "abcdefghijklmnopqrstuvwxyz234567" as HostId;
const bytes = (text: string) => new TextEncoder().encode(text);

describe("hellos", () => {
  it("come back as they were sent, in UTF-8 JSON", () => {
    const hello = { flybridge: 1, versions: [1, 3], host: HOST } as const;
    const frame = encodeHostHello({ ...hello, versions: [1, 3] });
    assert.equal(new TextDecoder().decode(frame), JSON.stringify(hello));
    assert.deepEqual(decodeHostHello(frame), hello);
    const mine = { v: 2, purpose: "reconnect" as const, features: ["deflate"] };
    assert.deepEqual(decodeDeviceHello(encodeDeviceHello(mine)), mine);
  });

  it("ignore what only a newer peer knows", () => {
    const frame = bytes(`{"flybridge":1,"versions":[1,9],"host":"${HOST}","moon":"full"}`);
    assert.deepEqual(decodeHostHello(frame), { flybridge: 1, versions: [1, 9], host: HOST });
  });

  it("are refused when they are another outer version, not JSON, not ASCII, backwards or too long", () => {
    for (const text of [
      `{"flybridge":2,"versions":[1,1],"host":"${HOST}"}`,
      `{"flybridge":1,"versions":[2,1],"host":"${HOST}"}`,
      `{"flybridge":1,"versions":[1,1],"host":"${HOST}","é":1}`,
      `{"flybridge":1,"versions":[1,1],"host":"short"}`,
      `{"flybridge":1`,
      "null",
      `{"flybridge":1,"versions":[1,1],"host":"${HOST}"}`.padEnd(PRE_AUTH_FRAME_BYTES + 1),
    ])
      assert.equal(decodeHostHello(bytes(text)), undefined, text);
    assert.equal(decodeDeviceHello(bytes(`{"v":1,"purpose":"own","features":[]}`)), undefined);
    const many = Array.from({ length: 17 }, (_, index) => `f${index}`);
    assert.equal(decodeDeviceHello(bytes(JSON.stringify({ v: 1, purpose: "pair", features: many }))), undefined);
  });

  it("never throw on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (frame) => {
        decodeHostHello(frame);
        decodeDeviceHello(frame);
      }),
    );
  });

  it("leave room for both keys and both tags of a handshake message", () => {
    assert.equal(HANDSHAKE_PAYLOAD_BYTES + 32 + 32 + 16 + 16, PRE_AUTH_FRAME_BYTES);
  });
});

describe("the version of a conversation", () => {
  it("is the newest that both speak, or none", () => {
    assert.equal(commonVersion([1, 3], [2, 5]), 3);
    assert.equal(commonVersion([2, 5], [1, 3]), 3);
    assert.equal(commonVersion([4, 5], [1, 3]), undefined);
    assert.equal(commonVersion([1, 1], [1, 1]), 1);
  });
});
