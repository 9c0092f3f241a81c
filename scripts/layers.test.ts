import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { checkLayers, parseLayers, readModule } from "./layers.ts";

const ARCHITECTURE = `
\`\`\`layers
words    ->
domain   -> words
domain/edge -> domain words pipe/link
pipe     -> words
app      -> pipe words
free     -> *
\`\`\`
\`\`\`never
app   domain   # the app holds no part of the machine
\`\`\`
`;

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A tree with one file in each area, and what the test adds; the reasons that come back, with their files. */
function reasons(files: Record<string, string>, architecture = ARCHITECTURE): string[] {
  const root = mkdtempSync(join(tmpdir(), "flybridge-layers-"));
  folders.push(root);
  const house = {
    "words/ask.ts": "export type Ask = string;",
    "domain/decide.ts": "",
    "domain/edge.ts": "",
    "pipe/link.ts": "",
    "app/view.ts": "",
    "free/world.ts": "",
  };
  for (const [path, text] of Object.entries({ "ARCHITECTURE.md": architecture, ...house, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkLayers(root).map(({ path, line, reason }) => `${path}:${line} ${reason}`);
}

describe("the layer table", () => {
  it("is content with what it allows", () => {
    const files = {
      "domain/decide.ts": `import type { Ask } from "@flybridge/words/ask.ts";\nimport "./apply.ts";\nimport fs from "node:fs";`,
      "domain/edge.ts": `import "@flybridge/pipe/link.ts";\nimport "./decide.ts";`,
      "free/world.ts": `import "@flybridge/app/view.ts"; import "@flybridge/domain/decide.ts";`,
    };
    assert.deepEqual(reasons(files), []);
  });

  const breaches: [kind: string, source: string][] = [
    ["a value import", `import { x } from "@flybridge/pipe/link.ts";`],
    ["a type-only import", `import type { X } from "@flybridge/pipe/link.ts";`],
    ["a type in place", `export type X = import("@flybridge/pipe/link.ts").X;`],
    ["a re-export", `export { x } from "@flybridge/pipe/link.ts";`],
    ["a re-export of everything", `export * from "@flybridge/pipe/link.ts";`],
    ["a dynamic import", `await import("@flybridge/pipe/link.ts");`],
  ];
  for (const [kind, source] of breaches) {
    it(`sees ${kind}`, () => {
      assert.deepEqual(reasons({ "domain/decide.ts": `\n${source}` }), [
        "domain/decide.ts:2 domain may import words; this is pipe/link.ts",
      ]);
    });
  }

  it("sees a worker", () => {
    const [reason = ""] = reasons({ "words/ask.ts": `new Worker(new URL("../pipe/link.ts", import.meta.url));` });
    assert.match(reason, /leaves the workspace/);
  });

  it("takes names for what they are: edged.ts is not edge.ts", () => {
    assert.equal(reasons({ "domain/edged.ts": `import "@flybridge/pipe/link.ts";` }).length, 1);
  });

  it("refuses a relative path out of the workspace, even where the table allows the import", () => {
    const [reason = ""] = reasons({ "domain/decide.ts": `import "../words/ask.ts";` });
    assert.match(reason, /leaves the workspace; import @flybridge\/words\/ask.ts/);
  });

  it("refuses a path that it cannot judge", () => {
    const [reason = ""] = reasons({ "domain/decide.ts": "await import(`./${process.argv[2]}.ts`);" });
    assert.match(reason, /computed path/);
  });

  it("lets tests and contract suites import what they like", () => {
    const source = `import "@flybridge/pipe/link.ts";`;
    assert.deepEqual(reasons({ "domain/decide.test.ts": source, "domain/port.contract.ts": source }), []);
  });

  it("refuses a file that no row covers", () => {
    assert.deepEqual(reasons({ "misc/thing.ts": "" }), ["misc/thing.ts:1 no row of the layer table covers this file"]);
  });

  it("refuses a row for what is gone", () => {
    const [reason = ""] = reasons({}, ARCHITECTURE.replace("pipe     ->", "tube     -> words\npipe     ->"));
    assert.match(reason, /name tube, which is not there/);
  });
});

describe("the nevers", () => {
  it("follow a way through areas that the table allows, and print it", () => {
    const files = {
      "app/view.ts": `import "@flybridge/pipe/link.ts";`,
      "pipe/link.ts": `import "@flybridge/words/ask.ts";`,
      "words/ask.ts": `import "@flybridge/domain/decide.ts";`,
    };
    const found = reasons(files).filter((reason) => reason.includes("never"));
    assert.deepEqual(found, [
      "app/view.ts:1 app never reaches domain/decide.ts (the app holds no part of the machine): " +
        "app/view.ts -> pipe/link.ts -> words/ask.ts -> domain/decide.ts",
    ]);
  });

  it("end in circles", () => {
    const files = { "app/view.ts": `import "./other.ts";`, "app/other.ts": `import "./view.ts";` };
    assert.deepEqual(reasons(files), []);
  });

  it("hold a test to what it names, not to the world it brings", () => {
    const world = { "free/world.ts": `import "@flybridge/domain/decide.ts";` };
    assert.deepEqual(reasons({ ...world, "app/view.test.ts": `import "@flybridge/free/world.ts";` }), []);
    const [reason = ""] = reasons({ "app/view.test.ts": `import "@flybridge/domain/decide.ts";` });
    assert.match(reason, /never reaches/);
  });
});

describe("reading", () => {
  it("throws on a document without the blocks, a row that is none, and a never without a reason", () => {
    assert.throws(() => parseLayers("# nothing"), /no ```layers block/);
    assert.throws(() => parseLayers(ARCHITECTURE.replace("pipe     ->", "pipe     =>")), /is not "area -> areas"/);
    assert.throws(() => parseLayers(ARCHITECTURE.replace(/# the app.*/, "")), /is not "area targets # reason"/);
  });

  it("finds imports in TSX, and none in strings and comments", () => {
    const source = `// import "@flybridge/a/a.ts"\nconst s = 'import "@flybridge/b/b.ts"';\nconst x = <p>{s}</p>;\nimport "./c.css?inline";`;
    assert.deepEqual(readModule("app/view.tsx", source).imports, [{ target: "app/c.css", line: 4 }]);
  });
});
