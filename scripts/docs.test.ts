import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { deadLinks, deadPaths, unknownRules, unknownScripts, unshown } from "./docs.ts";
import { renew, staleSections } from "./reference.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-docs-"));
mkdirSync(join(root, "docs"));
mkdirSync(join(root, "host"));
writeFileSync(join(root, "host", "main.ts"), "");
writeFileSync(join(root, "docs", "a.md"), "");
after(() => rmSync(root, { recursive: true, force: true }));

it("finds links to what is not there, from the document's own folder", () => {
  const text = "[a](a.md#part) [b](b.md) [up](../host/main.ts) [web](https://example.org/x.md) [here](#part)";
  assert.deepEqual(deadLinks(root, "docs/x.md", text), ["docs/x.md: links to b.md, which is not there"]);
});

it("finds paths in backticks that are not there, and knows modules, stars and what is made by running", () => {
  const text =
    "`host/main.ts` `host/main` `host/*.ts` `host/` `host/gone.ts` `.cache/x` `web/dist/` `npm run x/y` `@a/b`";
  assert.deepEqual(deadPaths(root, "x.md", text), ["x.md: names `host/gone.ts`, which is not there"]);
  assert.deepEqual(deadPaths(root, "x.md", "```\n`host/gone.ts`\n```"), []);
});

it("finds commands that package.json does not have, and leaves sentences about npm alone", () => {
  const text = "`npm start`, `npm run check`, `npm run gone`, `npm ci`; npm could not.\n\n```\nnpm gone2\n```";
  const scripts = new Set(["start", "check"]);
  assert.deepEqual(unknownScripts("x.md", text, scripts), [
    'x.md: tells to run "gone", which package.json has not',
    'x.md: tells to run "gone2", which package.json has not',
  ]);
});

it("finds rules that PROTOCOL.md does not lay down, also where it names them", () => {
  const protocol = "- **R01** One, as R99 would have it.";
  assert.deepEqual(unknownRules("x.md", "R01, and R01 by R02 and R99", protocol), [
    "x.md: names rule R02, which PROTOCOL.md has not",
    "x.md: names rule R99, which PROTOCOL.md has not",
  ]);
});

it("finds what somebody cannot do without a test that shows it", () => {
  const head = "| who | can | cannot | only if |\n|---|---|---|---|\n";
  const row =
    "| **A thief** | [can](a.test.ts) | fly: R01, [a](x/a.test.ts) · [run](docs/a.md) · hide: R02 | [b](b.test.ts) |";
  assert.deepEqual(unshown("x.md", `${head}${row}\n| **A cat** | all | | |\n`), [
    'x.md: "[run](docs/a.md)" links no test',
    'x.md: "hide: R02" links no test',
  ]);
});

it("renews a made part, and says when it is stale or missing", () => {
  const section = { file: "made.md", name: "table", make: () => "new" };
  const text = "a\n<!-- made: table -->\n\nold\n\n<!-- /made -->\nz\n";
  const fresh = "a\n<!-- made: table -->\n\nnew\n\n<!-- /made -->\nz\n";
  assert.equal(renew(text, section), fresh);
  assert.deepEqual(staleSections(root, [section]), []);
  for (const [written, complaint] of [
    [text, /not what the code says/],
    ["no part", /has no part/],
    [fresh, undefined],
  ] as const) {
    writeFileSync(join(root, "made.md"), written);
    const [said] = staleSections(root, [section]);
    if (complaint) assert.match(said ?? "", complaint);
    else assert.equal(said, undefined);
  }
});
