import assert from "node:assert/strict";
import { createHash, createPrivateKey, sign as nodeSign } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  checkHostId,
  groupsOf,
  HOST_ID_CHARS,
  hostIdOf,
  sign,
  signingKey,
  verify,
  verifyBytes as verifyBytesNoble,
} from "./identity.ts";
import { verifyBytesNode } from "./verify-node.ts";
import { fault } from "./suite.contract.ts";
import { bytes, filled, flipped, hex, vectorsOf, type Wycheproof } from "./vectors.contract.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const keys = fc.uint8Array({ minLength: 32, maxLength: 32 });

interface Ed25519Group {
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly {
    readonly tcId: number;
    readonly msg: string;
    readonly sig: string;
    readonly result: string;
  }[];
}

/** Every encoding of an Ed25519 point of order 1, 2, 4 or 8, the non-canonical ones too. Zero is of order 4. */
const LOW_ORDER_KEYS = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].flatMap((point) => [bytes(point), flipped(bytes(point), 31, 0x80)]);

describe("a host id", () => {
  it("holds all of SHA-256(HS.pub || HI.pub)", () => {
    fc.assert(
      fc.property(keys, keys, (hs, hi) => {
        const id = hostIdOf(hs, hi);
        assert.equal(id.length, HOST_ID_CHARS);
        const data = [...id].filter((_, at) => at % 14 !== 13);
        const bits = data.map((char) => ALPHABET.indexOf(char).toString(2).padStart(5, "0")).join("");
        const hash = createHash("sha256").update(hs).update(hi).digest();
        assert.equal(BigInt(`0b${bits.slice(0, 256)}`), BigInt(`0x${hash.toString("hex")}`));
        assert.match(bits.slice(256), /^0000$/);
      }),
    );
  });

  it("is told from its keys' order, and wants both whole", () => {
    assert.notEqual(hostIdOf(filled(1), filled(2)), hostIdOf(filled(2), filled(1)));
    assert.throws(() => hostIdOf(filled(1, 31), filled(2)), fault("weak_key"));
    assert.throws(() => hostIdOf(filled(1), filled(2, 33)), fault("weak_key"));
  });

  it("is shown in 8 groups of 7 and read back as people type it", () => {
    const id = hostIdOf(filled(1), filled(2));
    const groups = groupsOf(id);
    assert.match(groups, /^([0-9a-z]{7}-){7}[0-9a-z]{7}$/);
    for (const typed of [
      id,
      groups,
      groups.toUpperCase(),
      ` ${groups.replaceAll("-", " ")}\n`,
      groups.replaceAll("0", "O").replaceAll("1", "l"),
      groups.replaceAll("0", "o").replaceAll("1", "I"),
    ]) {
      assert.equal(checkHostId(typed), id);
    }
  });

  it("with any one character wrong is not one", () => {
    fc.assert(
      fc.property(keys, fc.nat(HOST_ID_CHARS - 1), fc.nat(31), (hs, at, value) => {
        const id = hostIdOf(hs, filled(2));
        const wrong = ALPHABET.charAt(value);
        fc.pre(id[at] !== wrong);
        assert.equal(checkHostId(id.slice(0, at) + wrong + id.slice(at + 1)), undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it("with two neighbours swapped is not one, but for the pair 0 and z", () => {
    fc.assert(
      fc.property(keys, fc.nat(HOST_ID_CHARS - 2), (hs, at) => {
        const id = hostIdOf(hs, filled(2));
        const [one = "", other = ""] = [id[at], id[at + 1]];
        // A swap across two checked parts changes both sums, so it is found as two single wrong characters.
        fc.pre(one !== other && [one, other].toSorted().join("") !== "0z");
        assert.equal(checkHostId(id.slice(0, at) + other + one + id.slice(at + 2)), undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it("is nothing else", () => {
    const id = hostIdOf(filled(1), filled(2));
    for (const text of [
      "",
      id.slice(0, -1),
      `${id}0`,
      id.replace(/./, "u"),
      "0".repeat(55),
      "é".repeat(56),
      "-".repeat(10_000),
    ]) {
      assert.equal(checkHostId(text), undefined);
    }
    // Check digits right, but with a bit set that no hash sets.
    for (const last of "12345fg") {
      const chunk = "0".repeat(12) + last;
      const candidates = [...ALPHABET].map((check) => checkHostId("0".repeat(42) + chunk + check)).filter(Boolean);
      assert.equal(candidates.length, last === "g" ? 1 : 0);
    }
  });
});

describe("signatures", () => {
  it("are RFC 8032's, as node:crypto makes them", () => {
    fc.assert(
      fc.property(keys, fc.uint8Array({ maxLength: 100 }), (secret, message) => {
        fc.pre(secret.some((byte) => byte !== 0));
        const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), secret]);
        const theirs = nodeSign(null, message, createPrivateKey({ key: der, format: "der", type: "pkcs8" }));
        assert.equal(hex(signingKey(secret).sign(message) as Uint8Array), hex(theirs));
      }),
      { numRuns: 20 },
    );
  });

  it("are for one purpose, one list of fields, one key", async () => {
    const key = signingKey(filled(1));
    const [one, other] = [filled(3, 4), filled(5, 6)];
    const signature = await sign(key, "relay ticket", one, other);
    assert.ok(verify(key.publicKey, signature, "relay ticket", one, other));
    const joined = new Uint8Array([...one, ...other]);
    assert.ok(!verify(key.publicKey, signature, "relay ticket", joined));
    assert.ok(!verify(key.publicKey, signature, "relay ticket", joined, filled(0, 0)));
    assert.ok(!verify(key.publicKey, signature, "relay ticket", other, one));
    assert.ok(!verify(key.publicKey, signature, "relay ticket", one));
    assert.ok(!verify(key.publicKey, signature, "relay challenge", one, other));
    assert.ok(!verify(signingKey(filled(2)).publicKey, signature, "relay ticket", one, other));
    assert.ok(!verifyBytesNoble(key.publicKey, signature, joined));
  });

  it("are not made with a secret of zeros or of another length", () => {
    for (const bad of [filled(0), filled(1, 31), filled(1, 64)])
      assert.throws(() => signingKey(bad), fault("weak_key"));
  });
});

for (const [name, verifyBytes] of [
  ["in JavaScript", verifyBytesNoble],
  ["by Node", verifyBytesNode],
] as const)
  describe(`signatures, checked ${name},`, () => {
    it("verify as Wycheproof says", (t) => {
      const file = vectorsOf<Wycheproof<Ed25519Group>>("wycheproof/ed25519_test.json");
      if (file === undefined) return t.skip("no vectors");
      let tried = 0;
      for (const group of file.testGroups) {
        for (const test of group.tests) {
          const taken = verifyBytes(bytes(group.publicKey.pk), bytes(test.sig), bytes(test.msg));
          assert.equal(taken, test.result === "valid", `tcId ${test.tcId}`);
          tried += 1;
        }
      }
      assert.equal(tried, file.numberOfTests);
    });

    it("with any bit turned over, cut or extended are none", () => {
      const key = signingKey(filled(1));
      const message = filled(7, 20);
      const signature = key.sign(message) as Uint8Array;
      assert.ok(verifyBytes(key.publicKey, signature, message));
      for (let at = 0; at < signature.length; at += 1) {
        for (const bit of [0x01, 0x80]) assert.ok(!verifyBytes(key.publicKey, flipped(signature, at, bit), message));
      }
      for (const bad of [signature.slice(0, 63), new Uint8Array([...signature, 0]), filled(0, 0), filled(0, 64)]) {
        assert.ok(!verifyBytes(key.publicKey, bad, message));
      }
    });

    it("under a key of low order, or no key, never verify", () => {
      for (const point of LOW_ORDER_KEYS) {
        // s = 0 and R of low order satisfies the equation for such keys wherever it is not refused.
        for (const r of LOW_ORDER_KEYS) {
          for (const message of [filled(1, 1), filled(2, 1), filled(3, 1), filled(4, 1)]) {
            assert.ok(!verifyBytes(point, new Uint8Array([...r, ...filled(0)]), message), hex(point));
          }
        }
      }
      for (const length of [0, 31, 33]) assert.ok(!verifyBytes(filled(1, length), filled(1, 64), filled(1)));
    });
  });

describe("the two ways of checking a signature", () => {
  it("say the same of any key, signature and message, good or spoilt", () => {
    const spoilt = fc.record({
      secret: fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((secret) => secret.some((byte) => byte !== 0)),
      message: fc.uint8Array({ maxLength: 64 }),
      where: fc.constantFrom("nowhere", "key", "signature", "message"),
      at: fc.nat(),
      by: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(spoilt, ({ secret, message, where, at, by }) => {
        const key = signingKey(secret);
        const parts = { key: key.publicKey.slice(), signature: key.sign(message).slice(), message: message.slice() };
        if (where !== "nowhere") {
          const bytes = parts[where];
          if (bytes.length > 0) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ by;
        }
        const { key: of, signature, message: said } = parts;
        assert.equal(verifyBytesNode(of, signature, said), verifyBytesNoble(of, signature, said));
      }),
      { numRuns: 200 },
    );
  });
});
