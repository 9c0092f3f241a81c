import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { FactOf } from "@flybridge/protocol/entry.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { CHECKPOINT_CHARS, MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import { Bodies } from "./bodies.ts";

const I = "i" as ItemId;
const J = "j" as ItemId;
const item = (id: ItemId, body = ""): Item => ({ item: id, body, at: 0, kind: "words" });

describe("bodies that stream", () => {
  it("are journaled piece by piece, and the pieces make the whole", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constant(undefined)), { maxLength: 30 }),
        (begun, steps) => {
          const bodies = new Bodies();
          bodies.begin(item(I, begun));
          let whole = begun;
          let journaled = begun;
          const journal = () => {
            for (const fact of bodies.checkpoint() as FactOf<"item.grew">[]) {
              assert.equal(fact.offset, journaled.length);
              assert.notEqual(fact.text, "");
              journaled += fact.text;
            }
            assert.equal(bodies.unjournaled, "nothing");
          };
          for (const step of steps) {
            if (step === undefined) journal();
            else {
              bodies.grow(I, step);
              whole += step;
            }
            assert.equal(bodies.textOf(I), whole);
          }
          journal();
          assert.equal(journaled, whole);
        },
      ),
    );
  });

  it("come back from what was journaled, and grow on from there", () => {
    const bodies = new Bodies();
    bodies.begin(item(I, "ab"));
    bodies.restore(I, 2, "cd");
    bodies.restore(I, 4, "ef");
    assert.equal(bodies.textOf(I), "abcdef");
    assert.equal(bodies.unjournaled, "nothing");
    bodies.grow(I, "gh");
    assert.deepEqual(bodies.checkpoint(), [{ kind: "item.grew", item: I, offset: 6, text: "gh" }]);
    bodies.restore(I, 100, "a gap");
    assert.equal(bodies.textOf(I), "abcdefgh");
  });

  it("say when there is enough to journal", () => {
    const bodies = new Bodies();
    assert.equal(bodies.unjournaled, "nothing");
    bodies.begin(item(I));
    bodies.begin(item(J));
    bodies.grow(I, "x".repeat(CHECKPOINT_CHARS - 1));
    assert.equal(bodies.unjournaled, "some");
    bodies.grow(J, "x".repeat(CHECKPOINT_CHARS));
    assert.equal(bodies.unjournaled, "much");
    assert.equal(bodies.checkpoint().length, 2);
  });

  it("hold no more than a body may have", () => {
    const bodies = new Bodies();
    bodies.begin(item(I));
    bodies.grow(I, "x".repeat(MAX_BODY_CHARS - 1));
    bodies.grow(I, "yz");
    bodies.grow(I, "z");
    assert.equal(bodies.textOf(I).length, MAX_BODY_CHARS);
    assert.equal(bodies.textOf(I).at(-1), "y");
  });

  it("of items that are not open are nothing", () => {
    const bodies = new Bodies();
    bodies.grow(I, "x");
    bodies.restore(I, 0, "x");
    assert.equal(bodies.textOf(I), "");
    bodies.begin(item(I, "a"));
    bodies.grow(I, "b");
    assert.deepEqual([...bodies.items()], [item(I, "ab")]);
    bodies.end(I);
    assert.deepEqual([[...bodies.items()], bodies.checkpoint(), bodies.unjournaled], [[], [], "nothing"]);
  });
});
