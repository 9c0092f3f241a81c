import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseNetworks } from "../value.ts";
import { isIPv6 } from "node:net";
import { callerOf } from "./caller.ts";

/** Of a relay whose proxies stand at these places, with or without TLS of its own. */
function caller(
  address: string,
  headers: Record<string, string | string[]> = {},
  { proxies = "10.0.0.0/24,127.0.0.1,fd00::1", isTls = false } = {},
): string | undefined {
  const trusted = parseNetworks(proxies);
  return callerOf(
    { address, headers },
    { isTls, isTrusted: (one) => trusted.check(one, isIPv6(one) ? "ipv6" : "ipv4") },
  );
}

const via = (...addresses: string[]) => ({ "x-forwarded-for": addresses.join(", "), "x-forwarded-proto": "https" });

describe("who speaks to a relay", () => {
  it("[D51] in the clear is this machine or a declared proxy, and nobody else", () => {
    assert.equal(caller("127.0.0.2"), "127.0.0.2");
    assert.equal(caller("::1"), "::1");
    assert.equal(caller("10.0.0.9"), "10.0.0.9");
    assert.equal(caller("fd00::1"), "fd00::1");
    for (const address of ["10.0.1.9", "192.0.2.1", "fd00::2", "::ffff:192.0.2.1", "", "nobody"]) {
      assert.equal(caller(address), undefined, address);
      assert.equal(caller(address, via("127.0.0.1")), undefined, `${address} says that it is a proxy`);
      assert.notEqual(caller(address, {}, { isTls: true }), undefined);
    }
  });

  it("[D51] for others by a declared proxy is as that one wrote it, and by nobody else", () => {
    assert.equal(caller("10.0.0.9", via("192.0.2.1")), "192.0.2.1");
    assert.equal(caller("::ffff:10.0.0.9", via("192.0.2.1")), "192.0.2.1");
    assert.equal(caller("127.0.0.1", via("2001:DB8::1")), "2001:db8::1");
    // The header of somebody who is no proxy is not looked at.
    assert.equal(caller("192.0.2.7", via("192.0.2.1"), { isTls: true }), "192.0.2.7");
    assert.equal(caller("127.0.0.2", via("192.0.2.1")), "127.0.0.2");
    // Without one it speaks for itself.
    assert.equal(caller("10.0.0.9", { "x-forwarded-proto": "https" }), "10.0.0.9");
  });

  it("[D51] over several proxies is whom the outermost of them heard, whatever that one says of others", () => {
    assert.equal(caller("127.0.0.1", via("192.0.2.1", "10.0.0.7", "10.0.0.8")), "192.0.2.1");
    assert.equal(caller("127.0.0.1", via("127.0.0.1", "192.0.2.1", "10.0.0.8")), "192.0.2.1");
    assert.equal(caller("127.0.0.1", via("10.0.0.3", "192.0.2.66")), "192.0.2.66");
    assert.equal(caller("127.0.0.1", via("10.0.0.3", "10.0.0.4")), "10.0.0.3", "all of them are proxies");
    const headers = { ...via(), "x-forwarded-for": ["192.0.2.66", "192.0.2.1, 10.0.0.8"] };
    assert.equal(caller("127.0.0.1", headers), "192.0.2.1", "in two headers");
  });

  it("[D51] is known by an address, and by nothing that is none", () => {
    assert.equal(caller("10.0.0.9", via("192.0.2.1:4711")), "192.0.2.1");
    assert.equal(caller("10.0.0.9", via("[2001:db8::1]:4711")), "2001:db8::1");
    assert.equal(caller("10.0.0.9", via("[2001:db8::1]")), "2001:db8::1");
    assert.equal(caller("10.0.0.9", via("::ffff:192.0.2.1")), "192.0.2.1");
    for (const text of ["unknown", "_hidden", "192.0.2", "1:2", "x".repeat(10_000), "192.0.2.1:", "::1::", "<b>"])
      assert.equal(caller("10.0.0.9", via("192.0.2.5", text)), "10.0.0.9", text.slice(0, 20));
    assert.equal(caller("10.0.0.9", via("192.0.2.5", "unknown", "10.0.0.8")), "10.0.0.8");
  });

  it("[D51] came to the proxy by TLS, or is not spoken to", () => {
    for (const protocol of ["http", "ws", "HTTPS ", "https, http", "httpss"])
      assert.equal(
        caller("10.0.0.9", { "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": protocol }),
        protocol.trim() === "https" ? "192.0.2.1" : undefined,
        protocol,
      );
    assert.equal(
      caller("10.0.0.9", { "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "http, https" }),
      "192.0.2.1",
    );
    assert.equal(caller("10.0.0.9", { "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "wss" }), "192.0.2.1");
    // Between the two it is TLS as well.
    const headers = { "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "http" };
    assert.equal(caller("10.0.0.9", headers, { isTls: true }), "192.0.2.1");
  });

  it("[D51] is never somebody whom only a stranger named", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom("10.0.0.1", "127.0.0.1"));
    fc.assert(
      fc.property(fc.array(address, { maxLength: 6 }), (made) => {
        assert.equal(caller("127.0.0.1", via(...made, "192.0.2.66", "10.0.0.8")), "192.0.2.66");
      }),
    );
  });
});
