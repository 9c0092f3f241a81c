import assert from "node:assert/strict";
import nodeCrypto from "node:crypto";
import { describe, it } from "node:test";
import { argon2id, argon2idAsync } from "@noble/hashes/argon2.js";
import fc from "fast-check";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { Lock, Stretching } from "@flybridge/protocol/relay/account.ts";
import { decode, encode } from "@flybridge/protocol/relay/words.ts";
import {
  accountKeys,
  lockOf,
  MAX_LABEL_BYTES,
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
import { framed } from "./framing.ts";
import { bytes, filled, flipped, hex } from "./vectors.contract.ts";

const PLACE = { origin: "https://relay.example", email: "a@b.example" };
/** The cheapest that is taken, so that the tests are quick. */
const CHEAP: Stretching = { salt: toBase64Url(filled(0x02, 16)), memory: 19_456, passes: 2 };
const SECRET = filled(0x0a);
const NONCE = filled(0x0b, 12);

describe("Argon2id", () => {
  it("is RFC 9106's (§5.3)", async () => {
    const [password, salt] = [filled(0x01), filled(0x02, 16)];
    const options = { t: 3, m: 32, p: 4, dkLen: 32, key: filled(0x03, 8), personalization: filled(0x04, 12) };
    const tag = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert.equal(hex(argon2id(password, salt, options)), tag);
    assert.equal(hex(await argon2idAsync(password, salt, options)), tag);
  });
});

describe("a passphrase", () => {
  it("becomes the same keys as by another's Argon2id", async (t) => {
    const stretching = newStretching(filled(0x02, 16));
    assert.deepEqual(decode(Stretching, encode(stretching)), stretching);
    const begun = performance.now();
    const { auth, wrapping } = await stretch("correct horse battery staple", stretching, PLACE);
    t.diagnostic(
      `${stretching.memory / 1024} MiB, ${stretching.passes} passes: ${Math.round(performance.now() - begun)} ms`,
    );
    // Node 24 has it since 24.7.
    if (!("argon2Sync" in nodeCrypto)) return t.skip("this Node has no Argon2");
    const theirs = nodeCrypto.argon2Sync("argon2id", {
      message: "correct horse battery staple",
      nonce: filled(0x02, 16),
      parallelism: 1,
      memory: stretching.memory,
      passes: stretching.passes,
      tagLength: 64,
      associatedData: framed(["flybridge account", PLACE.origin, PLACE.email]),
    });
    assert.equal(hex(auth) + hex(wrapping), theirs.toString("hex"));
  });

  it("leaves the page alive meanwhile", async () => {
    let turns = 0;
    let isDone = false;
    const turn = (): void => {
      turns += 1;
      if (!isDone) setTimeout(turn);
    };
    turn();
    await stretch("correct horse", CHEAP, PLACE);
    isDone = true;
    assert.ok(turns >= 3, `${turns} turns`);
  });

  it("is the same however it was typed, and another with another salt, relay or e-mail", async () => {
    const auths = await Promise.all(
      [
        stretch("\u00e4 passphrase \ufb01ve", CHEAP, PLACE),
        stretch("a\u0308 passphrase five", CHEAP, PLACE),
        stretch("a passphrase five", CHEAP, PLACE),
        stretch("\u00e4 passphrase five ", CHEAP, PLACE),
        stretch("\u00e4 passphrase five", { ...CHEAP, salt: toBase64Url(filled(3, 16)) }, PLACE),
        stretch("\u00e4 passphrase five", CHEAP, { ...PLACE, origin: "https://relay.examples" }),
        stretch("\u00e4 passphrase five", CHEAP, { ...PLACE, email: "b@b.example" }),
        stretch("\u00e4 passphrase five", { ...CHEAP, memory: CHEAP.memory + 8 }, PLACE),
        stretch("\u00e4 passphrase five", { ...CHEAP, passes: 3 }, PLACE),
      ].map(async (keys) => hex((await keys).auth)),
    );
    assert.equal(auths[0], auths[1]);
    assert.equal(new Set(auths).size, auths.length - 1);
  });

  it("is made nothing of where a relay asks for too little or too much", async () => {
    const asked: [Partial<Stretching>, RegExp][] = [
      [{ memory: 19_455 }, /easier to guess/u],
      [{ memory: 8, passes: 16 }, /easier to guess/u],
      [{ passes: 1, memory: 65_536 }, /easier to guess/u],
      [{ salt: "" }, /easier to guess/u],
      [{ memory: 262_145 }, /more work/u],
      [{ memory: 131_072, passes: 9 }, /more work/u],
    ];
    for (const [change, message] of asked)
      await assert.rejects(stretch("correct horse", { ...CHEAP, ...change }, PLACE), {
        name: "StretchingRefused",
        message,
      });
  });
});

describe("a recovery code", () => {
  const code = recoveryCodeOf(filled(0xc7, 20));

  it("is four groups of nine, and is read back however it is typed", () => {
    assert.match(code, /^[0-9a-hjkmnp-tv-z]{9}(?:-[0-9a-hjkmnp-tv-z]{9}){3}$/u);
    const keys = recoveryKeys(code);
    assert.ok(keys);
    assert.notDeepEqual(keys.auth, keys.wrapping);
    const zeros = recoveryCodeOf(filled(0, 20));
    for (const [typed, same] of [
      [` ${code.toUpperCase()}\n`, code],
      [code.replaceAll("-", ""), code],
      [code.replaceAll("-", " - "), code],
      [zeros.replaceAll("0", "o"), zeros],
    ] as const)
      assert.deepEqual(recoveryKeys(typed), recoveryKeys(same));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (chance) => {
        assert.ok(recoveryKeys(recoveryCodeOf(chance)));
      }),
    );
  });

  it("is found to be mistyped at every single character, and when it is cut", () => {
    for (let at = 0; at < code.length; at += 1) {
      if (code[at] === "-") continue;
      for (const wrong of "0123456789abcdefghjkmnpqrstvwxyz!")
        if (wrong !== code[at])
          assert.equal(recoveryKeys(code.slice(0, at) + wrong + code.slice(at + 1)), undefined, `${at} ${wrong}`);
    }
    for (let length = 0; length < code.length; length += 1)
      assert.equal(recoveryKeys(code.slice(0, length)), undefined);
    for (const more of ["0", "00", code]) assert.equal(recoveryKeys(code + more), undefined);
  });
});

describe("an account's secret", () => {
  const lock = recoveryKeys(recoveryCodeOf(filled(0xc7, 20)))!;
  const other = recoveryKeys(recoveryCodeOf(filled(0xc8, 20)))!;
  const kept = lockOf(lock, SECRET, NONCE);

  it("opens under its own lock only, and not with one bit changed", () => {
    assert.deepEqual(decode(Lock, encode(kept)), kept);
    assert.equal(kept.auth, toBase64Url(lock.auth));
    assert.deepEqual(openSecret(lock.wrapping, kept.sealed), SECRET);
    for (const key of [other.wrapping, lock.auth])
      assert.throws(() => openSecret(key, kept.sealed), { name: "SealError", fault: "broken" });
    const raw = new Uint8Array(Buffer.from(kept.sealed, "base64url"));
    for (let at = 0; at < raw.length; at += 1)
      assert.throws(() => openSecret(lock.wrapping, toBase64Url(flipped(raw, at, 1 << (at % 8)))), { fault: "broken" });
    for (let length = 0; length < kept.sealed.length; length += 1)
      assert.throws(() => openSecret(lock.wrapping, kept.sealed.slice(0, length)), { fault: "broken" });
    for (const text of [`${kept.sealed}A`, `${kept.sealed.slice(0, -1)}=`, "é"])
      assert.throws(() => openSecret(lock.wrapping, text), { fault: "broken" });
    // A label is sealed in the same way and must not be taken for it.
    const label = sealLabel(lock.wrapping, "device", "k", "x".repeat(32), NONCE);
    assert.throws(() => openSecret(lock.wrapping, label), { fault: "broken" });
    assert.throws(() => lockOf(lock, filled(1, 31), NONCE), { fault: "weak_key" });
  });

  it("gives keys of which none is another's", () => {
    const { key, labels } = accountKeys(SECRET);
    const host = "h".repeat(56);
    const all = [
      SECRET,
      key.publicKey,
      labels,
      pairingSecretOf(SECRET, host),
      pairingSecretOf(SECRET, "i".repeat(56)),
      pairingSecretOf(filled(0x0c), host),
      accountKeys(filled(0x0c)).key.publicKey,
      accountKeys(filled(0x0c)).labels,
    ].map(hex);
    assert.equal(new Set(all).size, all.length);
    const offers = [
      pairingOfferOf(key.publicKey, host),
      pairingOfferOf(key.publicKey, "i".repeat(56)),
      pairingOfferOf(labels, host),
    ].map(hex);
    assert.equal(new Set(offers).size, 3);
    assert.deepEqual(
      offers.map((offer) => offer.length),
      [16, 16, 16],
    );
    for (const short of [filled(1, 31), bytes("")]) {
      assert.throws(() => accountKeys(short), { fault: "weak_key" });
      assert.throws(() => pairingSecretOf(short, host), { fault: "weak_key" });
      assert.throws(() => pairingOfferOf(short, host), { fault: "weak_key" });
    }
  });
});

describe("a label", () => {
  const { labels } = accountKeys(SECRET);
  const text = JSON.stringify({ name: "Nora's phone \u{1f4f1}", kind: "phone" });
  const sealed = sealLabel(labels, "device", "key", text, NONCE);

  it("opens as what it is of, and as nothing else", () => {
    assert.equal(openLabel(labels, "device", "key", sealed), text);
    for (const [key, kind, about] of [
      [labels, "host", "key"],
      [labels, "device", "other"],
      [labels, "device", ""],
      [filled(1), "device", "key"],
    ] as const)
      assert.throws(() => openLabel(key, kind, about, sealed), { fault: "broken" });
    const raw = new Uint8Array(Buffer.from(sealed, "base64url"));
    for (let at = 0; at < raw.length; at += 1)
      assert.throws(() => openLabel(labels, "device", "key", toBase64Url(flipped(raw, at, 1 << (at % 8)))), {
        fault: "broken",
      });
  });

  it("tells little of its length, and fits a relay", () => {
    const length = (name: string): number => sealLabel(labels, "host", "h", name, NONCE).length;
    assert.equal(length(""), length("n".repeat(64)));
    assert.ok(length("n".repeat(65)) > length("n".repeat(64)));
    for (const name of ["", "a", "n".repeat(MAX_LABEL_BYTES)]) {
      const one = sealLabel(labels, "host", "h", name, NONCE);
      assert.ok(decode(Lock, encode({ auth: "A".repeat(43), sealed: one })));
      assert.equal(openLabel(labels, "host", "h", one), name);
    }
    assert.throws(() => length("n".repeat(MAX_LABEL_BYTES + 1)), RangeError);
  });
});
