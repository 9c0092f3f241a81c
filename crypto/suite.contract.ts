/** What every suite must do, tried on each of them with the same vectors. For tests only. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KEY_BYTES, SealError, TAG_BYTES, type AgreementKey, type SealFault, type Suite } from "./suite.ts";
import { bytes, filled, flipped, hex, vectorsOf, type Wycheproof } from "./vectors.contract.ts";

interface XdhTest {
  readonly tcId: number;
  readonly flags: readonly string[];
  readonly public: string;
  readonly private: string;
  readonly shared: string;
  readonly result: "valid" | "acceptable";
}

interface AeadGroup {
  readonly ivSize: number;
  readonly tests: readonly {
    readonly tcId: number;
    readonly key: string;
    readonly iv: string;
    readonly aad: string;
    readonly msg: string;
    readonly ct: string;
    readonly tag: string;
    readonly result: "valid" | "invalid";
  }[];
}

/**
 * Every encoding of a u coordinate of low order in 32 bytes: 0, 1, the two points of order eight, p - 1, and the
 * non-canonical p and p + 1; each also with the top bit, which X25519 ignores.
 */
export const LOW_ORDER_POINTS: readonly Uint8Array[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].flatMap((point) => [bytes(point), flipped(bytes(point), 31, 0x80)]);

export const fault =
  (kind: SealFault) =>
  (error: unknown): boolean =>
    error instanceof SealError && error.fault === kind;

export function suiteContract(name: string, suite: Suite, keyOf: (secret: Uint8Array) => AgreementKey): void {
  describe(`${name} keeps the contract of a suite`, () => {
    it("agrees as Wycheproof says", async (t) => {
      const file = vectorsOf<Wycheproof<{ tests: readonly XdhTest[] }>>("wycheproof/x25519_test.json");
      if (file === undefined) return t.skip("no vectors");
      let tried = 0;
      for (const test of file.testGroups.flatMap((group) => group.tests)) {
        const key = keyOf(bytes(test.private));
        const agree = async () => key.agree(bytes(test.public));
        // "acceptable" here: a twist, non-canonical or low-order public key, which RFC 7748 lets a library take or
        // refuse. We take all that give the right result, and refuse exactly those that give zero.
        if (test.flags.includes("ZeroSharedSecret")) {
          await assert.rejects(agree(), fault("weak_key"), `tcId ${test.tcId}`);
        } else {
          assert.equal(hex(await agree()), test.shared, `tcId ${test.tcId}`);
        }
        tried += 1;
      }
      assert.equal(tried, file.numberOfTests);
    });

    it("seals and opens as Wycheproof says", (t) => {
      const file = vectorsOf<Wycheproof<AeadGroup>>("wycheproof/chacha20_poly1305_test.json");
      if (file === undefined) return t.skip("no vectors");
      let tried = 0;
      for (const group of file.testGroups) {
        for (const test of group.tests) {
          const [key, nonce, aad] = [bytes(test.key), bytes(test.iv), bytes(test.aad)];
          const [plain, sealed] = [bytes(test.msg), bytes(test.ct + test.tag)];
          if (test.result === "valid") {
            assert.equal(hex(suite.seal(key, nonce, aad, plain)), hex(sealed), `tcId ${test.tcId}`);
            assert.equal(hex(suite.open(key, nonce, aad, sealed)), test.msg, `tcId ${test.tcId}`);
          } else {
            assert.throws(() => suite.open(key, nonce, aad, sealed), `tcId ${test.tcId}`);
          }
          tried += 1;
        }
      }
      assert.equal(tried, file.numberOfTests);
    });

    it("refuses every point of low order, in every encoding", async () => {
      const key = await suite.generateKey();
      for (const point of LOW_ORDER_POINTS) {
        await assert.rejects(async () => key.agree(point), fault("weak_key"), hex(point));
        await assert.rejects(async () => keyOf(filled(7)).agree(point), fault("weak_key"), hex(point));
      }
    });

    it("refuses a key of another length, and a private key of zeros", async () => {
      const key = await suite.generateKey();
      for (const length of [0, 31, 33, 64]) {
        await assert.rejects(async () => key.agree(filled(9, length)), fault("weak_key"));
        assert.throws(() => keyOf(filled(9, length)), fault("weak_key"));
      }
      assert.throws(() => keyOf(filled(0)), fault("weak_key"));
    });

    it("makes a new key each time, of 32 bytes, that both sides agree with", async () => {
      const [one, other] = [await suite.generateKey(), await suite.generateKey()];
      assert.equal(one.publicKey.length, KEY_BYTES);
      assert.notDeepEqual(one.publicKey, other.publicKey);
      assert.deepEqual(await one.agree(other.publicKey), await other.agree(one.publicKey));
    });

    it("refuses a sealed message changed, cut, extended or moved to another nonce, key or context", () => {
      const [key, nonce, aad] = [filled(1), filled(2, 12), filled(3, 5)];
      for (const size of [0, 1, 100, 4096]) {
        const sealed = suite.seal(key, nonce, aad, filled(4, size));
        assert.equal(sealed.length, size + TAG_BYTES);
        assert.deepEqual(suite.open(key, nonce, aad, sealed), filled(4, size));
        const step = Math.max(1, Math.floor(sealed.length / 64));
        for (let at = 0; at < sealed.length; at += step) {
          assert.throws(() => suite.open(key, nonce, aad, flipped(sealed, at, 0x10)), fault("broken"));
        }
        for (const bad of [sealed.slice(0, -1), sealed.slice(1), filled(0, 15), filled(0, 0), filled(0, size + 17)]) {
          assert.throws(() => suite.open(key, nonce, aad, bad), fault("broken"));
        }
        assert.throws(() => suite.open(filled(9), nonce, aad, sealed), fault("broken"));
        assert.throws(() => suite.open(key, filled(9, 12), aad, sealed), fault("broken"));
        assert.throws(() => suite.open(key, nonce, filled(3, 6), sealed), fault("broken"));
      }
    });

    it("gives chance of the length asked for", () => {
      assert.equal(suite.random(48).length, 48);
      assert.notDeepEqual(suite.random(16), suite.random(16));
    });
  });
}
