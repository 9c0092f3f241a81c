import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coarseNetwork, customerNetwork } from "./address.ts";
import { deriving, isSameHash, saltedHash } from "./secret.ts";

describe("an address", () => {
  for (const [address, coarse, customer] of [
    ["192.0.2.7", "192.0.0.0/16", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.0.0/16", "192.0.2.7"],
    ["::FFFF:c000:0207", "192.0.0.0/16", "192.0.2.7"],
    ["127.0.0.1", "127.0.0.0/16", "127.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8::/32", "2001:db8:1:2"],
    ["2001:0DB8:0001:0002::1", "2001:db8::/32", "2001:db8:1:2"],
    ["fe80::1%eth0", "fe80:0::/32", "fe80:0:0:0"],
    ["::1", "0:0::/32", "0:0:0:0"],
    ["::", "0:0::/32", "0:0:0:0"],
    ["1::", "1:0::/32", "1:0:0:0"],
    ["64:ff9b::192.0.2.7", "64:ff9b::/32", "64:ff9b:0:0"],
    ["", undefined, "unknown"],
    ["example.com", undefined, "unknown"],
    ["1.2.3", undefined, "unknown"],
    ["x".repeat(100_000), undefined, "unknown"],
  ] as const)
    it(`${address.slice(0, 40) || "that is empty"} is ${coarse ?? "none"}, of ${customer}`, () => {
      assert.equal(coarseNetwork(address), coarse);
      assert.equal(customerNetwork(address), customer);
    });
});

describe("what is derived from the secret", () => {
  it("is the same for the same, and another for another purpose, fields or secret", () => {
    const derive = deriving("one");
    const all = [
      derive("a", "b", "c"),
      derive("a", "bc"),
      derive("a", "b", "c", ""),
      derive("ab", "c"),
      derive("a", "c", "b"),
      deriving("other")("a", "b", "c"),
    ];
    assert.deepEqual(derive("a", "b", "c"), all[0]);
    assert.equal(new Set(all.map((bytes) => bytes.toString("hex"))).size, all.length);
    assert.ok(all.every((bytes) => bytes.length === 32));
  });

  it("is compared whole", () => {
    const hash = saltedHash("salt", "text");
    assert.equal(isSameHash(hash, saltedHash("salt", "text")), true);
    for (const other of [saltedHash("salt", "Text"), saltedHash("sal", "ttext"), "", hash.slice(1), `${hash}x`])
      assert.equal(isSameHash(hash, other), false);
  });
});
