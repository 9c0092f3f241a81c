/**
 * The project's own vectors: both conversations and the records after them, byte for byte. They hold the seal to what
 * it was when others' vectors passed, in a checkout that has none, and any change of them to a new protocol version.
 *
 * `FLYBRIDGE_WRITE_GOLDEN=1 node --test crypto/golden.test.ts` writes the file anew.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  accountKeys,
  lockOf,
  newStretching,
  openLabel,
  openSecret,
  pairingOfferOf,
  pairingSecretOf,
  recoveryCodeOf,
  recoveryKeys,
  sealLabel,
  stretch,
} from "./account.ts";
import type { Channel } from "./channel.ts";
import { continuityTag, nextContinuity } from "./continuity.ts";
import { hostIdOf, sign, signingKey } from "./identity.ts";
import { nobleKey } from "./noble.ts";
import { answerPairing, beginPairing } from "./pairing.ts";
import { prologueOf } from "./prologue.ts";
import { answerReconnect, beginReconnect } from "./reconnect.ts";
import { REKEY_RECORDS } from "./record.ts";
import { filled, fixedSuite, hex } from "./vectors.contract.ts";

const FILE = new URL("golden.json", import.meta.url);
type Golden = Readonly<Record<string, Readonly<Record<string, string>>>>;

const hostKey = nobleKey(filled(0x11));
const deviceKey = nobleKey(filled(0x22));
const identity = signingKey(filled(0x33));
const hostId = hostIdOf(hostKey.publicKey, identity.publicKey);
const text = (words: string) => new Uint8Array(Buffer.from(words));

const prologue = (purpose: "pair" | "reconnect") =>
  prologueOf({
    version: 1,
    purpose,
    transport: "websocket",
    hostId,
    relayOrigin: "https://relay.example",
    rendezvous: "r-1",
    hostHello: text("hello from a host"),
    deviceHello: text("hello from a device"),
    exporter: filled(0, 0),
  });

/** Records before and after the first step of the key, both ways; every one goes through both ends. */
function recordsOf(device: Channel, host: Channel): Record<string, string> {
  const records: Record<string, string> = {};
  for (let at = 0; at <= REKEY_RECORDS; at += 1) {
    const [up, down] = [device.sealer.seal(text(`up ${at}`)), host.sealer.seal(text(`down ${at}`))];
    assert.deepEqual(host.opener.open(up), text(`up ${at}`));
    assert.deepEqual(device.opener.open(down), text(`down ${at}`));
    if (at < 2 || at >= REKEY_RECORDS - 1) Object.assign(records, { [`up ${at}`]: hex(up), [`down ${at}`]: hex(down) });
  }
  return records;
}

async function account(): Promise<Golden[string]> {
  const [secret, nonce] = [filled(0xaa), filled(0xbb, 12)];
  const place = { origin: "https://relay.example", email: "nora@example.org" };
  const stretched = await stretch("correct horse battery", newStretching(filled(0xcc, 16)), place);
  const code = recoveryCodeOf(Uint8Array.from({ length: 20 }, (_, at) => at * 13));
  const recovered = recoveryKeys(code);
  assert.ok(recovered);
  const [lock, recovery] = [lockOf(stretched, secret, nonce), lockOf(recovered, secret, nonce)];
  assert.deepEqual(openSecret(stretched.wrapping, lock.sealed), secret);
  assert.deepEqual(openSecret(recovered.wrapping, recovery.sealed), secret);
  const { key, labels } = accountKeys(secret);
  const label = sealLabel(labels, "device", "a key", "a phone", nonce);
  assert.equal(openLabel(labels, "device", "a key", label), "a phone");
  return {
    auth: lock.auth,
    sealed: lock.sealed,
    code,
    "recovery auth": recovery.auth,
    "recovery sealed": recovery.sealed,
    key: hex(key.publicKey),
    label,
    pairing: hex(pairingSecretOf(secret, hostId)),
    offer: hex(pairingOfferOf(key.publicKey, hostId)),
  };
}

async function make(): Promise<Golden> {
  const [initiator, responder] = [fixedSuite(filled(0x44), filled(0x66)), fixedSuite(filled(0x55), filled(0x77))];
  const [offer, secret] = [filled(0x88, 8), filled(0x99)];

  const pairing = {
    suite: initiator,
    hostKey: hostKey.publicKey,
    deviceKey,
    prologue: prologue("pair"),
    offer,
    secret,
  };
  const begun = await beginPairing(pairing);
  const asked = await answerPairing({ suite: responder, hostKey, prologue: prologue("pair") }, begun.message1);
  const replied = await asked.reply(secret, text("host's payload"));
  const finished = await begun.finish(replied.message2, text("device's payload"));
  const proven = await replied.finish(finished.message3);

  const { continuity } = finished.channel;
  const again = await beginReconnect({
    suite: initiator,
    hostKey: hostKey.publicKey,
    deviceKey,
    prologue: prologue("reconnect"),
    continuity,
    payload: continuityTag(continuity),
  });
  const known = await answerReconnect({ suite: responder, hostKey, prologue: prologue("reconnect") }, again.message1);
  const back = await known.reply(continuity, text("host's payload"));
  const there = await again.finish(back.message2);

  return {
    identity: {
      hostId,
      signature: hex(await sign(identity, "golden", text("one"), text("two"))),
      prologue: hex(prologue("pair")),
    },
    pairing: {
      message1: hex(begun.message1),
      message2: hex(replied.message2),
      message3: hex(finished.message3),
      hash: hex(proven.channel.hash),
      continuity: hex(proven.channel.continuity),
      ...recordsOf(finished.channel, proven.channel),
    },
    reconnect: {
      message1: hex(again.message1),
      message2: hex(back.message2),
      hash: hex(there.channel.hash),
      next: hex(nextContinuity(continuity, there.channel.hash)),
      ...recordsOf(there.channel, back.channel),
    },
    account: await account(),
  };
}

describe("golden vectors", () => {
  it("are what the seal makes today", async () => {
    const today = await make();
    if (process.env["FLYBRIDGE_WRITE_GOLDEN"] === "1") writeFileSync(FILE, `${JSON.stringify(today, undefined, 2)}\n`);
    assert.deepEqual(today, JSON.parse(readFileSync(FILE, "utf8")));
  });
});
