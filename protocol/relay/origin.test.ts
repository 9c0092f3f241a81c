import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { OriginError, type OriginFault, relayOriginFrom, relaySocketOf } from "./origin.ts";

describe("a relay's origin", () => {
  it("has one written form", () => {
    const same: [string, string][] = [
      ["https://relay.example", "https://relay.example"],
      ["  HTTPS://Relay.Example/\n", "https://relay.example"],
      ["https://relay.example:443", "https://relay.example"],
      ["https://relay.example:07684", "https://relay.example:7684"],
      ["https://xn--bcher-kva.example:65535", "https://xn--bcher-kva.example:65535"],
      ["https://192.0.2.1", "https://192.0.2.1"],
      ["https://[2001:DB8::1]:7684", "https://[2001:db8::1]:7684"],
      ["http://localhost:7684", "http://localhost:7684"],
      ["http://127.0.0.1:80/", "http://127.0.0.1"],
      ["http://[::1]:7684", "http://[::1]:7684"],
    ];
    for (const [typed, origin] of same) {
      assert.equal(relayOriginFrom(typed), origin);
      assert.equal(relayOriginFrom(origin), origin);
      assert.equal(new URL(origin).origin, origin, "what a browser makes of it");
    }
  });

  it("is refused with what is wrong with it", () => {
    const wrong: [string, OriginFault][] = [
      ["", "empty"],
      [" \n", "empty"],
      ["relay.example", "wrong_scheme"],
      ["wss://relay.example", "wrong_scheme"],
      ["flybridge://relay.example", "wrong_scheme"],
      ["http://relay.example", "plaintext"],
      ["http://192.168.1.2:7684", "plaintext"],
      ["http://127.evil.example", "plaintext"],
      ["http://[::2]", "plaintext"],
      ["https://relay.example/relay", "more_than_origin"],
      ["https://relay.example?a", "more_than_origin"],
      ["https://relay.example/#a", "more_than_origin"],
      ["https://user:word@relay.example", "more_than_origin"],
      ["https://", "bad_name"],
      ["https://:7684", "bad_name"],
      ["https://relay example", "bad_name"],
      ["https://relay..example", "bad_name"],
      ["https://relay.example.", "bad_name"],
      ["https://-relay.example", "bad_name"],
      ["https://bücher.example", "bad_name"],
      ["https://192.0.2", "bad_name"],
      ["https://192.0.2.256", "bad_name"],
      ["https://relay.0x7f", "bad_name"],
      ["https://[1::2::3]", "bad_name"],
      ["https://[12345::]", "bad_name"],
      ["https://[a]", "bad_name"],
      [`https://${"a".repeat(64)}.example`, "bad_name"],
      [`https://${"a.".repeat(1_000)}example`, "bad_name"],
      ["https://relay.example:", "bad_port"],
      ["https://relay.example:0", "bad_port"],
      ["https://relay.example:65536", "bad_port"],
      ["https://relay.example:1e3", "bad_port"],
    ];
    for (const [typed, fault] of wrong)
      assert.throws(() => relayOriginFrom(typed), { name: "OriginError", fault }, typed);
  });

  it("whatever is typed, is refused or is what a browser makes of it", () => {
    const piece = fc.constantFrom(
      "https://",
      "http://",
      "a",
      "-",
      ".",
      ":",
      "1",
      "443",
      "[",
      "]",
      "/",
      "@",
      "é",
      "0x1",
      "::",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const typed = `https://${pieces.join("")}`;
        try {
          const origin = relayOriginFrom(typed);
          // Only the ways to write one IPv6 address are more than one.
          if (!origin.includes("[")) assert.equal(new URL(origin).origin, origin);
          else assert.ok(URL.canParse(origin));
        } catch (error) {
          if (!(error instanceof OriginError)) throw error;
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("says where its sockets are", () => {
    assert.equal(relaySocketOf("https://relay.example"), "wss://relay.example/relay");
    assert.equal(relaySocketOf("http://127.0.0.1:7684"), "ws://127.0.0.1:7684/relay");
    assert.throws(() => relaySocketOf("http://relay.example"), OriginError);
  });
});
