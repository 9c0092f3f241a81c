import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import { AgentName, DeviceId, HostId, IntentId, uuid7From } from "./ids.ts";

const ten = fc.uint8Array({ minLength: 10, maxLength: 10 });
const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe("an intent's id", () => {
  it("is the example of RFC 9562 Appendix A.6, given its time and its chance", () => {
    // unix_ts_ms 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F
    const random = Uint8Array.of(0xcc, 0x30, 0x8c, 0x4d, 0xc0, 0xc0, 0xc0, 0x73, 0x98, 0xf0);
    const id = uuid7From(0x017f22e279b0, random);
    assert.equal(id.slice(0, 18), "017f22e2-79b0-7cc3");
  });

  it("has the layout of version 7, whatever the clock and the chance", () => {
    fc.assert(
      fc.property(time, ten, (now, random) => {
        const id = uuid7From(now, random);
        assert.equal(v.parse(IntentId, id), id);
        assert.equal(Number.parseInt(id.replace("-", "").slice(0, 12), 16), now);
      }),
    );
  });

  it("sorts by the millisecond it was made in", () => {
    fc.assert(
      fc.property(time, time, ten, ten, (a, b, one, other) => {
        fc.pre(a !== b);
        assert.equal(uuid7From(a, one) < uuid7From(b, other), a < b);
      }),
    );
  });

  it("differs whenever one of 72 random bits does", () => {
    const none = uuid7From(1, new Uint8Array(10));
    let bits = 0;
    for (let bit = 0; bit < 80; bit++) {
      const random = new Uint8Array(10);
      random[bit >> 3] = 1 << (bit & 7);
      if (uuid7From(1, random) !== none) bits += 1;
    }
    assert.ok(bits >= 72, `${bits}`);
  });

  it("is not made from too little chance or from no time", () => {
    assert.throws(() => uuid7From(1, new Uint8Array(9)), RangeError);
    assert.throws(() => uuid7From(-1, new Uint8Array(10)), RangeError);
    assert.throws(() => uuid7From(Number.NaN, new Uint8Array(10)), RangeError);
  });
});

describe("other ids", () => {
  it("are refused in any other form", () => {
    const id = uuid7From(1, new Uint8Array(10).fill(0xab));
    for (const wrong of [id.toUpperCase(), id.replace("-7", "-4"), `${id} `, `${id}\n`, id.slice(1), "", 7, null])
      assert.equal(v.is(IntentId, wrong), false, String(wrong));
    const device = "a".repeat(43);
    assert.equal(v.is(DeviceId, device), true);
    for (const wrong of [`${device}a`, device.slice(1), `${device.slice(1)}=`, `${device}\n`])
      assert.equal(v.is(DeviceId, wrong), false, wrong);
    assert.equal(v.is(HostId, "0".repeat(56)), true);
    assert.equal(v.is(HostId, `${"0".repeat(55)}A`), false);
    for (const wrong of ["", "Claude", "-a", "../a", "a".repeat(33)])
      assert.equal(v.is(AgentName, wrong), false, wrong);
  });
});
