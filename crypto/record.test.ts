import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nobleSuite } from "./noble.ts";
import { MAX_PLAINTEXT_BYTES, MAX_RECORD_BYTES, Opener, REKEY_RECORDS, Sealer } from "./record.ts";
import { fault } from "./suite.contract.ts";
import { filled, flipped } from "./vectors.contract.ts";

const KEY = filled(0x42);
const suite = nobleSuite(filled.bind(undefined, 1));
const pipe = () => ({ sealer: new Sealer(suite, KEY), opener: new Opener(suite, KEY) });

/** Noise's AEAD straight from node:crypto: nothing of ours in it. */
function byHand(key: Uint8Array, nonce: bigint, plaintext: Uint8Array): Uint8Array {
  const iv = Buffer.alloc(12);
  iv.writeBigUInt64LE(nonce, 4);
  const cipher = createCipheriv("chacha20-poly1305", key, iv, { authTagLength: 16 });
  return new Uint8Array(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}
const stepped = (key: Uint8Array): Uint8Array => byHand(key, 2n ** 64n - 1n, filled(0)).slice(0, 32);

describe("records", () => {
  it("come out as they went in, in order, whatever they are", () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(messages, (plain) => {
        const { sealer, opener } = pipe();
        for (const message of plain) assert.deepEqual(opener.open(sealer.seal(message)), message);
      }),
      { numRuns: 50 },
    );
  });

  it("are Noise transport messages, and the key steps every 4,096 of them while the counter goes on", () => {
    const { sealer, opener } = pipe();
    let key = KEY;
    for (let at = 0; at <= 2 * REKEY_RECORDS + 1; at += 1) {
      if (at > 0 && at % REKEY_RECORDS === 0) key = stepped(key);
      const message = filled(at % 251, 8);
      const record = sealer.seal(message);
      if (at < 3 || Math.abs((at % REKEY_RECORDS) - REKEY_RECORDS / 2) > REKEY_RECORDS / 2 - 3) {
        assert.deepEqual(record, byHand(key, BigInt(at), message), `record ${at}`);
      }
      assert.deepEqual(opener.open(record), message);
    }
  });

  it("does not open with the key of before a step", () => {
    const { sealer } = pipe();
    for (let at = 0; at < REKEY_RECORDS; at += 1) sealer.seal(filled(0, 0));
    assert.notDeepEqual(sealer.seal(filled(1, 8)), byHand(KEY, BigInt(REKEY_RECORDS), filled(1, 8)));
  });

  it("hold at most 65,519 bytes, 65,535 on the wire; too much is refused and nothing is used up", () => {
    const { sealer, opener } = pipe();
    assert.throws(() => sealer.seal(filled(1, MAX_PLAINTEXT_BYTES + 1)), fault("broken"));
    const record = sealer.seal(filled(1, MAX_PLAINTEXT_BYTES));
    assert.equal(record.length, MAX_RECORD_BYTES);
    assert.equal(record.length, 65_535);
    assert.deepEqual(opener.open(record), filled(1, MAX_PLAINTEXT_BYTES));
    assert.throws(() => pipe().opener.open(new Uint8Array([...record, 0])), fault("broken"));
  });
});

describe("a record that is not the next one shuts the opener for good", () => {
  const [first, second, third] = (() => {
    const { sealer } = pipe();
    return [sealer.seal(filled(1, 40)), sealer.seal(filled(2, 40)), sealer.seal(filled(3, 40))] as const;
  })();

  const refused = (bad: Uint8Array, before: readonly Uint8Array[] = [first], right = second) => {
    const { opener } = pipe();
    for (const record of before) opener.open(record);
    assert.throws(() => opener.open(bad), fault("broken"));
    assert.throws(() => opener.open(right), fault("spent"));
    assert.throws(() => opener.open(right), fault("spent"));
  };

  it("any bit turned over", () => {
    for (let at = 0; at < second.length; at += 1) {
      for (let bit = 1; bit < 256; bit *= 2) refused(flipped(second, at, bit));
    }
  });
  it("cut anywhere", () => {
    for (let length = 0; length < second.length; length += 1) refused(second.slice(0, length));
  });
  it("extended", () => {
    for (const extra of [1, 16, 1000]) refused(new Uint8Array([...second, ...filled(0, extra)]));
  });
  it("replayed", () => refused(first, [first]));
  it("replayed later", () => refused(first, [first, second], third));
  it("out of order", () => refused(second, [], first));
  it("after one that was dropped", () => refused(third, [first]));
  it("of the other direction or another connection", () => {
    refused(new Sealer(suite, filled(0x43)).seal(filled(2, 40)), []);
  });
});
