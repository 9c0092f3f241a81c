import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { describe, it } from "node:test";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { CONTINUITY_TAG_BYTES, continuityTag, nextContinuity } from "./continuity.ts";
import { fault } from "./suite.contract.ts";
import { bytes, filled, hex, vectorsOf, type Wycheproof } from "./vectors.contract.ts";

interface HkdfTest {
  readonly tcId: number;
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly size: number;
  readonly okm: string;
  readonly result: "valid" | "invalid";
}

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((value) => value.some((byte) => byte !== 0));

describe("continuity", () => {
  it("rests on an HKDF that does as Wycheproof says", (t) => {
    const file = vectorsOf<Wycheproof<{ tests: readonly HkdfTest[] }>>("wycheproof/hkdf_sha256_test.json");
    if (file === undefined) return t.skip("no vectors");
    let tried = 0;
    for (const test of file.testGroups.flatMap((group) => group.tests)) {
      const run = () => hkdf(sha256, bytes(test.ikm), bytes(test.salt), bytes(test.info), test.size);
      if (test.result === "valid") assert.equal(hex(run()), test.okm, `tcId ${test.tcId}`);
      else assert.throws(run, `tcId ${test.tcId}`);
      tried += 1;
    }
    assert.equal(tried, file.numberOfTests);
  });

  it("steps by HKDF-SHA256 of the secret, salted with the hash, as node:crypto computes it", () => {
    fc.assert(
      fc.property(secrets, secrets, (psk, hash) => {
        assert.deepEqual(nextContinuity(psk, hash), new Uint8Array(hkdfSync("sha256", psk, hash, "continuity", 32)));
        assert.deepEqual(
          continuityTag(psk),
          new Uint8Array(hkdfSync("sha256", psk, new Uint8Array(0), "continuity tag", CONTINUITY_TAG_BYTES)),
        );
      }),
    );
  });

  it("depends on both the secret and the channel", () => {
    const steps = [
      nextContinuity(filled(1), filled(2)),
      nextContinuity(filled(1), filled(3)),
      nextContinuity(filled(3), filled(2)),
      nextContinuity(filled(2), filled(1)),
    ];
    assert.equal(new Set(steps.map(hex)).size, steps.length);
  });

  it("takes neither a zero secret nor another length", () => {
    for (const bad of [filled(0), filled(1, 31), filled(1, 33), filled(1, 0)]) {
      assert.throws(() => nextContinuity(bad, filled(1)), fault("weak_key"));
      assert.throws(() => continuityTag(bad), fault("weak_key"));
    }
    assert.throws(() => nextContinuity(filled(1), filled(1, 31)), fault("weak_key"));
  });
});
