import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { nobleKey, nobleOpen, nobleSeal, nobleSuite } from "./noble.ts";
import { answerPairing, beginPairing } from "./pairing.ts";
import { suiteContract } from "./suite.contract.ts";
import fc from "fast-check";
import { nodeKey, nodeSuite } from "./suite-node.ts";

const noble = nobleSuite((length) => new Uint8Array(randomBytes(length)));
const node = nodeSuite();

suiteContract("node", node, nodeKey);

describe("the suite for Node and the one for any platform", () => {
  it("know the same public key by the same secret, and agree on the same", async () => {
    for (let run = 0; run < 20; run += 1) {
      const [one, other] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))];
      assert.deepEqual(nodeKey(one).publicKey, nobleKey(one).publicKey);
      assert.deepEqual(
        await nodeKey(one).agree(nobleKey(other).publicKey),
        await nobleKey(other).agree(nodeKey(one).publicKey),
      );
    }
  });

  it("seal the same bytes at every size, and open each other's", () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 65_519 }));
    fc.assert(
      fc.property(sizes, fc.nat(64), (size, extra) => {
        const [key, nonce, associated] = [randomBytes(32), randomBytes(12), randomBytes(extra)];
        const plain = new Uint8Array(randomBytes(size));
        const sealed = nobleSeal(key, nonce, associated, plain);
        assert.deepEqual(node.seal(key, nonce, associated, plain), sealed);
        assert.deepEqual(node.open(key, nonce, associated, sealed), plain);
        assert.deepEqual(nobleOpen(key, nonce, associated, sealed), plain);
      }),
      { numRuns: 60 },
    );
  });

  it("pair, whichever of them has which", async () => {
    const prologue = new Uint8Array([1]);
    const [offer, secret] = [new Uint8Array(8).fill(2), new Uint8Array(32).fill(3)];
    for (const [ofDevice, ofHost] of [
      [noble, node],
      [node, noble],
    ] as const) {
      const [deviceKey, hostKey] = [await ofDevice.generateKey(), await ofHost.generateKey()];
      const device = await beginPairing({
        suite: ofDevice,
        hostKey: hostKey.publicKey,
        deviceKey,
        prologue,
        offer,
        secret,
      });
      const host = await answerPairing({ suite: ofHost, hostKey, prologue }, device.message1);
      const replied = await host.reply(secret, new Uint8Array(4000));
      const finished = await device.finish(replied.message2, new Uint8Array(3000));
      const proven = await replied.finish(finished.message3);
      const flood = new Uint8Array(randomBytes(60_000));
      assert.deepEqual(finished.channel.opener.open(proven.channel.sealer.seal(flood)), flood);
      assert.deepEqual(proven.channel.opener.open(finished.channel.sealer.seal(flood)), flood);
    }
  });

  it("never give a view into Node's shared buffer pool", () => {
    const { buffer } = node.random(8);
    assert.equal(buffer.byteLength, 8);
  });
});
