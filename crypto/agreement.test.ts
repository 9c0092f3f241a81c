import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkedAgreement } from "./agreement.ts";
import { fault } from "./suite.contract.ts";
import { filled } from "./vectors.contract.ts";

describe("the guard around an agreement", () => {
  it("lets a good result through, now or later", async () => {
    assert.deepEqual(checkedAgreement(() => filled(5))(filled(9)), filled(5));
    assert.deepEqual(await checkedAgreement(async () => filled(5))(filled(9)), filled(5));
  });

  it("refuses a library that returns zeros, throws, rejects, or gives another length", async () => {
    const libraries = [
      () => filled(0),
      async () => filled(0),
      () => filled(5, 31),
      async () => filled(5, 64),
      () => {
        throw new Error("the library's own words");
      },
      async () => Promise.reject(new Error("the library's own words")),
    ];
    for (const library of libraries) {
      await assert.rejects(async () => checkedAgreement(library)(filled(9)), fault("weak_key"));
    }
  });

  it("does not even ask for a key of another length", async () => {
    let asked = 0;
    const agree = checkedAgreement(() => {
      asked += 1;
      return filled(5);
    });
    for (const length of [0, 31, 33]) assert.throws(() => agree(filled(9, length)), fault("weak_key"));
    assert.equal(asked, 0);
  });

  it("refuses zeros but for one bit only when they are zeros", () => {
    for (let at = 0; at < 32; at += 1) {
      const nearly = filled(0);
      nearly[at] = 0x80;
      assert.deepEqual(checkedAgreement(() => nearly)(filled(9)), nearly);
    }
  });
});
