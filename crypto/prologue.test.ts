import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { prologueOf, type PrologueFields } from "./prologue.ts";
import { filled, hex } from "./vectors.contract.ts";

const fields = fc.record<PrologueFields>({
  version: fc.nat(20),
  purpose: fc.constantFrom("pair", "reconnect"),
  transport: fc.string({ maxLength: 3 }),
  hostId: fc.string({ maxLength: 3 }),
  relayOrigin: fc.string({ maxLength: 3 }),
  rendezvous: fc.string({ maxLength: 3 }),
  hostHello: fc.uint8Array({ maxLength: 4 }),
  deviceHello: fc.uint8Array({ maxLength: 4 }),
  exporter: fc.uint8Array({ maxLength: 4 }),
});

describe("the prologue", () => {
  it("can be taken apart again, so two different ones are never the same bytes", () => {
    fc.assert(
      fc.property(fields, (given) => {
        const parts: Uint8Array[] = [];
        let rest = Buffer.from(prologueOf(given));
        while (rest.length > 0) {
          const length = rest.readUInt32BE();
          parts.push(new Uint8Array(rest.subarray(4, 4 + length)));
          rest = rest.subarray(4 + length);
        }
        const texts = parts.slice(0, 7).map((part) => Buffer.from(part).toString());
        assert.deepEqual(texts, [
          "flybridge",
          String(given.version),
          given.purpose,
          given.transport,
          given.hostId,
          given.relayOrigin,
          given.rendezvous,
        ]);
        assert.deepEqual(parts.slice(7), [given.hostHello, given.deviceHello, given.exporter]);
      }),
    );
  });

  it("changes with every field", () => {
    const base: PrologueFields = {
      version: 1,
      purpose: "pair",
      transport: "websocket",
      hostId: "h",
      relayOrigin: "",
      rendezvous: "",
      hostHello: filled(1, 2),
      deviceHello: filled(1, 2),
      exporter: filled(0, 0),
    };
    const variants: PrologueFields[] = [
      base,
      { ...base, version: 2 },
      { ...base, purpose: "reconnect" },
      { ...base, transport: "memory" },
      { ...base, hostId: "i" },
      { ...base, relayOrigin: "https://relay.example" },
      { ...base, rendezvous: "r" },
      { ...base, hostHello: filled(2, 2) },
      { ...base, deviceHello: filled(2, 2) },
      { ...base, exporter: filled(1) },
      // The same bytes in another field.
      { ...base, hostHello: filled(1, 4), deviceHello: filled(1, 0) },
      { ...base, relayOrigin: "x", rendezvous: "" },
      { ...base, relayOrigin: "", rendezvous: "x" },
    ];
    assert.equal(new Set(variants.map((each) => hex(prologueOf(each)))).size, variants.length);
  });
});
