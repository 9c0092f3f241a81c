import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stepsOf, toolOf } from "./script.ts";

describe("the script of a played model", () => {
  it("plays one directive a step, except those that belong together", () => {
    const steps = stepsOf("[[think a]][[text b]] and [[tool Bash {}]][[+tool Read {}]][[slow 5]][[text c]][[drop]]");
    assert.deepEqual(
      steps.map((step) => step.map((one) => one.kind)),
      [
        ["think", "text"],
        ["tool", "tool"],
        ["slow", "text", "drop"],
      ],
    );
  });

  it("ends a tool's directive where its JSON ends", () => {
    const [step] = stepsOf('[[tool Ask {"a":[["b]]"]],"c":"[[text x]]"}]]');
    assert.deepEqual(step && step[0] && toolOf(step[0]), { name: "Ask", input: { a: [["b]]"]], c: "[[text x]]" } });
  });

  it("leaves the nested script to the sub-agent", () => {
    const [step] = stepsOf('[[tool Task {"prompt":"<<text in>>"}]]');
    assert.deepEqual(step?.length, 1);
    assert.deepEqual(stepsOf("<<text in>>"), [[{ kind: "text", argument: "in" }]]);
  });

  it("finds nothing in ordinary words", () => {
    assert.deepEqual(stepsOf("a [[ b"), []);
    assert.deepEqual(stepsOf("plain"), []);
  });
});
