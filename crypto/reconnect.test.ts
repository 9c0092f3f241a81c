import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { nobleKey, nobleSuite } from "./noble.ts";
import { answerReconnect, beginReconnect } from "./reconnect.ts";
import type { AgreementKey } from "./suite.ts";
import { fault, LOW_ORDER_POINTS } from "./suite.contract.ts";
import { filled, fixedSuite, flipped } from "./vectors.contract.ts";

const suite = nobleSuite((length) => new Uint8Array(randomBytes(length)));
const hostKey = nobleKey(filled(0x11));
const deviceKey = nobleKey(filled(0x22));
const prologue = filled(0x33, 50);
const continuity = filled(0x55);
const [hello, answer] = [filled(0x66, 20), filled(0x77, 10)];

const begin = (changes: Partial<Parameters<typeof beginReconnect>[0]> = {}) =>
  beginReconnect({
    suite: fixedSuite(filled(0x88)),
    hostKey: hostKey.publicKey,
    deviceKey,
    prologue,
    continuity,
    payload: hello,
    ...changes,
  });
const asked = (message1: Uint8Array, bytes = prologue) =>
  answerReconnect({ suite: fixedSuite(filled(0x99)), hostKey, prologue: bytes }, message1);

describe("reconnecting", () => {
  it("takes one round trip and makes one channel", async () => {
    const device = await beginReconnect({
      suite,
      hostKey: hostKey.publicKey,
      deviceKey,
      prologue,
      continuity,
      payload: hello,
    });
    const host = await answerReconnect({ suite, hostKey, prologue }, device.message1);
    assert.deepEqual(host.deviceKey, deviceKey.publicKey);
    assert.deepEqual(host.payload, hello);
    const replied = await host.reply(continuity, answer);
    const finished = await device.finish(replied.message2);
    assert.deepEqual(finished.payload, answer);
    assert.deepEqual(finished.channel.hash, replied.channel.hash);
    assert.deepEqual(finished.channel.continuity, replied.channel.continuity);
    assert.deepEqual(replied.channel.opener.open(finished.channel.sealer.seal(hello)), hello);
    assert.deepEqual(finished.channel.opener.open(replied.channel.sealer.seal(answer)), answer);
    assert.deepEqual([device.message1.length, replied.message2.length], [96 + hello.length, 48 + answer.length]);
  });

  it("shows neither device key nor payload nor continuity to who listens", async () => {
    const device = await begin();
    const { message2 } = await (await asked(device.message1)).reply(continuity, answer);
    const wire = Buffer.concat([device.message1, message2]);
    for (const hidden of [deviceKey.publicKey, hello, answer, continuity]) assert.equal(wire.indexOf(hidden), -1);
  });

  it("believes a replayed message 1 until the first record, and no longer", async () => {
    const device = await begin();
    await (await asked(device.message1)).reply(continuity, answer);
    // Who recorded message 1 gets an answer, as the rules say, and then has nothing that opens.
    const replayed = await answerReconnect({ suite, hostKey, prologue }, device.message1);
    assert.deepEqual(replayed.deviceKey, deviceKey.publicKey);
    const { message2, channel } = await replayed.reply(continuity, answer);
    const owner = await device.finish((await (await asked(device.message1)).reply(continuity, answer)).message2);
    const stolen = owner.channel.sealer.seal(hello);
    assert.throws(() => channel.opener.open(stolen), fault("broken"));
    assert.throws(() => channel.opener.open(message2), fault("spent"));
  });
});

describe("reconnecting refuses", () => {
  it("any byte of either message changed, by any of two bits", async () => {
    const { message1 } = await begin();
    const { message2 } = await (await asked(message1)).reply(continuity, answer);
    for (const bit of [0x01, 0x80]) {
      for (let at = 0; at < message1.length; at += 1) {
        await assert.rejects(asked(flipped(message1, at, bit)), fault("broken"), `message 1, byte ${at}`);
      }
      for (let at = 0; at < message2.length; at += 1) {
        const device = await begin();
        await assert.rejects(device.finish(flipped(message2, at, bit)), fault("broken"), `message 2, byte ${at}`);
      }
    }
  });

  it("either message cut or extended", async () => {
    const { message1 } = await begin();
    const { message2 } = await (await asked(message1)).reply(continuity, answer);
    for (let length = 0; length < message1.length; length += 5) {
      await assert.rejects(asked(message1.slice(0, length)), fault("broken"));
    }
    await assert.rejects(asked(new Uint8Array([...message1, 0])), fault("broken"));
    for (let length = 0; length < message2.length; length += 5) {
      await assert.rejects((await begin()).finish(message2.slice(0, length)), fault("broken"));
    }
    await assert.rejects((await begin()).finish(new Uint8Array([...message2, 0])), fault("broken"));
  });

  it("another continuity secret, whether made up by the host or too old", async () => {
    for (const other of [suite.random(32), flipped(continuity, 0, 1)]) {
      const device = await begin();
      const host = await (await asked(device.message1)).reply(other, answer);
      await assert.rejects(device.finish(host.message2), fault("broken"));
    }
  });

  it("another host, another prologue, the answer to another message 1", async () => {
    await assert.rejects(asked((await begin({ hostKey: nobleKey(filled(0x12)).publicKey })).message1), fault("broken"));
    await assert.rejects(asked((await begin()).message1, flipped(prologue, 0, 1)), fault("broken"));
    const other = await (await asked((await begin({ suite })).message1)).reply(continuity, answer);
    await assert.rejects((await begin()).finish(other.message2), fault("broken"));
  });

  it("a device that says another's key without having it", async () => {
    const thief = nobleKey(filled(0x23));
    const lie = { publicKey: deviceKey.publicKey, agree: (theirs: Uint8Array) => thief.agree(theirs) };
    await assert.rejects(asked((await begin({ deviceKey: lie })).message1), fault("broken"));
  });

  it("to be walked twice, or on after a failure", async () => {
    const device = await begin();
    const host = await asked(device.message1);
    const { message2 } = await host.reply(continuity, answer);
    await assert.rejects(host.reply(continuity, answer), fault("spent"));
    await device.finish(message2);
    await assert.rejects(device.finish(message2), fault("spent"));
    const other = await begin();
    await assert.rejects(other.finish(flipped(message2, 0, 1)), fault("broken"));
    await assert.rejects(other.finish(message2), fault("spent"));
  });

  it("a continuity secret that is not 32 bytes or is zero, a host key of another length", async () => {
    for (const bad of [filled(1, 31), filled(1, 33), filled(0)]) {
      await assert.rejects(begin({ continuity: bad }), fault("weak_key"));
      await assert.rejects((await asked((await begin()).message1)).reply(bad, answer), fault("weak_key"));
    }
    for (const length of [0, 31, 33]) await assert.rejects(begin({ hostKey: filled(1, length) }), fault("weak_key"));
  });

  it("keys of low order wherever one enters: host's static, both ephemerals, device's static", async () => {
    for (const point of LOW_ORDER_POINTS) {
      await assert.rejects(begin({ hostKey: point }), fault("weak_key"), "the host's static key");
      const device = await begin();
      const { message2 } = await (await asked(device.message1)).reply(continuity, answer);
      const first = new Uint8Array([...point, ...device.message1.slice(32)]);
      await assert.rejects(asked(first), fault("weak_key"), "message 1's ephemeral");
      const second = new Uint8Array([...point, ...message2.slice(32)]);
      await assert.rejects(device.finish(second), fault("weak_key"), "message 2's ephemeral");

      const honest = nobleKey(filled(0x88));
      const zero: AgreementKey = { publicKey: point, agree: () => filled(0) };
      const liar = await begin({ deviceKey: zero, suite: { ...suite, generateKey: () => honest } });
      await assert.rejects(asked(liar.message1), fault("weak_key"), "message 1's static key");
    }
  });
});
