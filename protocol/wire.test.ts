import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import * as v from "valibot";
import { METHODS } from "./methods.ts";
import { OLDEST_VERSION, RELEASED, VERSION, WIRE } from "./version.ts";
import { describe as shapeOf, wireText } from "./wire.ts";

describe("the wire", () => {
  it("is the one that was recorded for this version", () => {
    const hash = createHash("sha256").update(wireText()).digest("hex");
    const mend = RELEASED.includes(VERSION)
      ? `Version ${VERSION} was released, and what travels has changed. Raise VERSION and record ${hash} for it.`
      : `What travels has changed. Version ${VERSION} was not released yet: record ${hash} for it, and check the golden messages.`;
    assert.equal(WIRE[VERSION], hash, `${mend} protocol/version.ts says more.`);
  });

  it("has a hash for every version that was released, and speaks from the oldest to this one", () => {
    for (const version of RELEASED) assert.match(WIRE[version] ?? "", /^[0-9a-f]{64}$/u, `version ${version}`);
    assert.ok(OLDEST_VERSION <= VERSION);
    assert.deepEqual(
      Object.keys(WIRE).map(Number),
      Array.from({ length: VERSION }, (_, at) => at + 1),
    );
  });

  it("is said whole: no part of a schema is passed over in silence", () => {
    const text = wireText();
    for (const method of Object.keys(METHODS)) assert.ok(text.includes(`\n${method} `), method);
    // A kind of schema that `describe` does not know would stand there by valibot's name alone.
    const known = /^(string|number|boolean|unknown|null)$/u;
    const names = [
      ...text.replaceAll(/"[^"]*"|\/(?:\\.|[^/\n])+\/[a-z]*/gu, "").matchAll(/(?::|->|\[|\|) ?([a-z_]+)\b/gu),
    ];
    for (const [, name = ""] of names) assert.match(name, known, name);
  });

  it("changes with a field, a limit, an option and a pattern, and with nothing else", () => {
    const base = v.object({ a: v.pipe(v.string(), v.maxLength(3)), b: v.optional(v.picklist(["x", "y"])) });
    const same = v.object({ a: v.pipe(v.string(), v.maxLength(3)), b: v.optional(v.picklist(["x", "y"])) });
    assert.equal(shapeOf(base as never), `{ a: string ≤3, b?: "x" | "y" }`);
    assert.equal(shapeOf(base as never), shapeOf(same as never));
    const others = [
      v.object({ ...base.entries, c: v.string() }),
      v.object({ ...base.entries, a: v.pipe(v.string(), v.maxLength(4)) }),
      v.object({ ...base.entries, b: v.picklist(["x", "y"]) }),
      v.object({ ...base.entries, b: v.optional(v.picklist(["x", "z"])) }),
      v.object({ ...base.entries, a: v.pipe(v.string(), v.regex(/^x/u)) }),
      v.object({ ...base.entries, a: v.tuple([v.string(), v.number()]) }),
      v.object({ ...base.entries, a: v.nullable(v.string()) }),
      v.object({ ...base.entries, a: v.array(v.string()) }),
    ].map((schema) => shapeOf(schema as never));
    assert.equal(new Set([...others, shapeOf(base as never)]).size, others.length + 1);
  });
});
