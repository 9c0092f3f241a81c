import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Handshake } from "./handshake.ts";
import { nobleKey, nobleSuite } from "./noble.ts";
import { answerPairing, beginPairing, OFFER_BYTES, XKpsk3 } from "./pairing.ts";
import type { AgreementKey } from "./suite.ts";
import { fault, LOW_ORDER_POINTS } from "./suite.contract.ts";
import { filled, fixedSuite, flipped } from "./vectors.contract.ts";

const suite = nobleSuite((length) => new Uint8Array(randomBytes(length)));
const hostKey = nobleKey(filled(0x11));
const deviceKey = nobleKey(filled(0x22));
const prologue = filled(0x33, 50);
const offer = filled(0x44, OFFER_BYTES);
const secret = filled(0x55);
const [hello, answer] = [filled(0x66, 20), filled(0x77, 10)];

/** With fixed ephemerals, so that a conversation can be walked again up to the step that is tampered with. */
const begin = (changes: Partial<Parameters<typeof beginPairing>[0]> = {}) =>
  beginPairing({
    suite: fixedSuite(filled(0x88)),
    hostKey: hostKey.publicKey,
    deviceKey,
    prologue,
    offer,
    secret,
    ...changes,
  });
const asked = (message1: Uint8Array, bytes = prologue) =>
  answerPairing({ suite: fixedSuite(filled(0x99)), hostKey, prologue: bytes }, message1);

async function whole() {
  const device = await begin();
  const host = await (await asked(device.message1)).reply(secret, answer);
  const finished = await device.finish(host.message2, hello);
  return { message1: device.message1, message2: host.message2, message3: finished.message3, device: finished, host };
}

describe("pairing", () => {
  it("makes one channel out of a key, an offer and its secret", async () => {
    const device = await beginPairing({ suite, hostKey: hostKey.publicKey, deviceKey, prologue, offer, secret });
    const host = await answerPairing({ suite, hostKey, prologue }, device.message1);
    assert.deepEqual(host.offer, offer);
    const replied = await host.reply(secret, answer);
    const finished = await device.finish(replied.message2, hello);
    assert.deepEqual(finished.payload, answer);
    const proven = await replied.finish(finished.message3);
    assert.deepEqual(proven.deviceKey, deviceKey.publicKey);
    assert.deepEqual(proven.payload, hello);
    assert.deepEqual(proven.channel.hash, finished.channel.hash);
    assert.deepEqual(proven.channel.continuity, finished.channel.continuity);
    assert.notDeepEqual(proven.channel.continuity, proven.channel.hash);
    assert.deepEqual(proven.channel.opener.open(finished.channel.sealer.seal(hello)), hello);
    assert.deepEqual(finished.channel.opener.open(proven.channel.sealer.seal(answer)), answer);
  });

  it("has messages of the sizes it documents", async () => {
    const { message1, message2, message3 } = await whole();
    assert.deepEqual([message1.length, message2.length, message3.length], [56, 48 + answer.length, 64 + hello.length]);
  });

  it("shows neither offer, secret nor device key to who listens", async () => {
    const { message1, message2, message3 } = await whole();
    const wire = Buffer.concat([message1, message2, message3]);
    for (const hidden of [offer, secret, deviceKey.publicKey, hello, answer]) assert.equal(wire.indexOf(hidden), -1);
  });

  it("gives no two pairings the same hash or continuity", async () => {
    const channels = await Promise.all(
      [1, 2].map(async () => {
        const device = await begin({ suite });
        const host = await (await asked(device.message1)).reply(secret, answer);
        return (await device.finish(host.message2, hello)).channel;
      }),
    );
    assert.notDeepEqual(channels[0]?.hash, channels[1]?.hash);
    assert.notDeepEqual(channels[0]?.continuity, channels[1]?.continuity);
  });
});

describe("pairing refuses", () => {
  it("any byte of any message changed, by any of two bits", async () => {
    const { message1, message2, message3 } = await whole();
    for (const bit of [0x01, 0x80]) {
      for (let at = 0; at < message1.length; at += 1) {
        await assert.rejects(asked(flipped(message1, at, bit)), fault("broken"), `message 1, byte ${at}`);
      }
      for (let at = 0; at < message2.length; at += 1) {
        const device = await begin();
        await assert.rejects(
          device.finish(flipped(message2, at, bit), hello),
          fault("broken"),
          `message 2, byte ${at}`,
        );
      }
      for (let at = 0; at < message3.length; at += 1) {
        const host = await (await asked(message1)).reply(secret, answer);
        await assert.rejects(host.finish(flipped(message3, at, bit)), fault("broken"), `message 3, byte ${at}`);
      }
    }
  });

  it("any message cut or extended", async () => {
    const { message1, message2, message3 } = await whole();
    const bad = (message: Uint8Array) => [
      message.slice(0, 0),
      message.slice(0, 31),
      message.slice(0, -1),
      message.slice(1),
      new Uint8Array([...message, 0]),
    ];
    for (const message of bad(message1)) await assert.rejects(asked(message), fault("broken"));
    for (const message of bad(message2)) await assert.rejects((await begin()).finish(message, hello), fault("broken"));
    for (const message of bad(message3)) {
      const host = await (await asked(message1)).reply(secret, answer);
      await assert.rejects(host.finish(message), fault("broken"));
    }
  });

  it("a wrong secret and a secret made up for an unknown offer, in the same step and words", async () => {
    const words = await Promise.all(
      [flipped(secret, 31, 1), suite.random(32)].map(async (wrong) => {
        const device = await begin();
        const host = await (await asked(device.message1)).reply(wrong, answer);
        const { message3 } = await device.finish(host.message2, hello);
        return host.finish(message3).then(
          () => assert.fail("it was taken"),
          (error: unknown) => (fault("broken")(error) ? String(error) : assert.fail(String(error))),
        );
      }),
    );
    assert.equal(words[0], words[1]);
  });

  it("another host, another prologue", async () => {
    const other = nobleKey(filled(0x12));
    const { message1 } = await begin({ hostKey: other.publicKey });
    await assert.rejects(asked(message1), fault("broken"));
    await assert.rejects(asked((await begin()).message1, flipped(prologue, 49, 1)), fault("broken"));
  });

  it("the messages of another pairing", async () => {
    const [one, other] = [await begin(), await begin({ suite })];
    const host = await (await asked(other.message1)).reply(secret, answer);
    await assert.rejects(one.finish(host.message2, hello), fault("broken"));

    const { message3 } = await other.finish(host.message2, hello);
    const later = await (await answerPairing({ suite, hostKey, prologue }, other.message1)).reply(secret, answer);
    await assert.rejects(later.finish(message3), fault("broken"), "a recorded conversation, replayed to the host");
  });

  it("to be walked twice", async () => {
    const { message1, message2, message3, host, device } = await whole();
    await host.finish(message3);
    await assert.rejects(host.finish(message3), fault("spent"));
    const again = await begin();
    await again.finish(message2, hello);
    await assert.rejects(again.finish(message2, hello), fault("spent"));
    const question = await asked(message1);
    await question.reply(secret, answer);
    await assert.rejects(question.reply(secret, answer), fault("spent"));
    assert.equal(device.channel.hash.length, 32);
  });

  it("to go on after a failure", async () => {
    const { message1, message2, message3 } = await whole();
    const device = await begin();
    await assert.rejects(device.finish(flipped(message2, 40, 1), hello), fault("broken"));
    await assert.rejects(device.finish(message2, hello), fault("spent"));
    const host = await (await asked(message1)).reply(secret, answer);
    await assert.rejects(host.finish(flipped(message3, 40, 1)), fault("broken"));
    await assert.rejects(host.finish(message3), fault("spent"));
  });

  it("an offer that is not 8 bytes, a secret that is not 32 or is zero, a host key of another length", async () => {
    for (const length of [0, 7, 9]) {
      await assert.rejects(begin({ offer: filled(1, length) }), fault("broken"));
      const device = new Handshake({
        suite,
        pattern: XKpsk3,
        role: "initiator",
        prologue,
        localStatic: deviceKey,
        remoteStatic: hostKey.publicKey,
      });
      await assert.rejects(asked(await device.write(filled(1, length))), fault("broken"));
    }
    for (const bad of [filled(1, 31), filled(1, 33), filled(0)]) {
      await assert.rejects(begin({ secret: bad }), fault("weak_key"));
      await assert.rejects((await asked((await begin()).message1)).reply(bad, answer), fault("weak_key"));
    }
    for (const length of [0, 31, 33]) await assert.rejects(begin({ hostKey: filled(1, length) }), fault("weak_key"));
  });

  it("keys of low order wherever one enters: host's static, both ephemerals, device's static", async () => {
    for (const point of LOW_ORDER_POINTS) {
      await assert.rejects(begin({ hostKey: point }), fault("weak_key"), "the host's static key");

      const { message1, message2 } = await whole();
      await assert.rejects(asked(withEphemeral(message1, point)), fault("weak_key"), "message 1's ephemeral");
      const device = await begin();
      await assert.rejects(device.finish(withEphemeral(message2, point), hello), fault("weak_key"), "message 2's");

      // A device that lies about its static key: the agreement it would need is zero, so it can compute it.
      const liar = await begin({ deviceKey: { publicKey: point, agree: () => filled(0) } satisfies AgreementKey });
      const host = await (await asked(liar.message1)).reply(secret, answer);
      const { message3 } = await liar.finish(host.message2, hello);
      await assert.rejects(host.finish(message3), fault("weak_key"), "message 3's static key");
    }
  });
});

const withEphemeral = (message: Uint8Array, point: Uint8Array): Uint8Array =>
  new Uint8Array([...point, ...message.slice(32)]);
