import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { cover, idsIn, parseFeatures, readFeatures } from "./features.ts";

it("reads ids alone, in lists and in rows, and leaves rules and brackets alone", () => {
  assert.deepEqual(idsIn("asks > [A07] answers"), ["A07"]);
  assert.deepEqual(idsIn("[A07, A08] [D13] answers"), ["A07", "A08", "D13"]);
  assert.deepEqual(idsIn("[A07 A08] answers"), ["A07", "A08"]);
  assert.deepEqual(idsIn("[R05] refuses list[A] of A07 [B1]"), []);
});

it("counts a row as shown when a passing test names it, and says which ids are no row", () => {
  const features = parseFeatures(
    "| id | capability | how |\n|---|---|---|\n| A01 | pairs | x |\n| A02 | lists | y |\n",
  );
  const { shown, missing, unknown } = cover(features, ["pairing > [A01, E99] pairs"]);
  assert.deepEqual(shown, [{ id: "A01", capability: "pairs" }]);
  assert.deepEqual(missing, [{ id: "A02", capability: "lists" }]);
  assert.deepEqual(unknown, ["E99"]);
});

it("finds every section of the real list, each id once", () => {
  const ids = readFeatures(join(import.meta.dirname, "..")).map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...new Set(ids.map((id) => id.slice(0, 1)))], ["A", "B", "C", "D", "E"]);
});
