/** Finding files in real folders: what fits best comes first, and nothing outside is seen. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeFinder } from "./finder.ts";
import { ignoredBy, ignoreFrom } from "./ignore.ts";
import { scoreOf } from "./score.ts";

describe("the finder", () => {
  const root = mkdtempSync(join(tmpdir(), "flybridge-find-"));
  const folder = join(root, "project");
  const file = (path: string, text = ""): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const find = (text: string): Promise<string[]> => makeFinder(Date.now).find(folder, text);

  before(() => {
    file("README.md");
    file("src/app.ts");
    file("src/checkout/total.ts");
    file("src/checkout/total.test.ts");
    file("src/checkout/tax-rounding.ts");
    file("docs/with space.md");
    file("node_modules/left-pad/index.js");
    file(".git/config");
    file(".github/workflows/ci.yml");
    file("dist/app.js");
    file("logs/today.log");
    file("logs/keep.log");
    file(".gitignore", "dist/\n*.log\n!keep.log\n# a remark\n/secret\n");
    file("secret", "");
    file("packages/web/.gitignore", "generated\n");
    file("packages/web/generated/a.ts");
    file("packages/web/main.ts");
    writeFileSync(join(root, "outside.txt"), "");
    mkdirSync(join(root, "outside"));
    writeFileSync(join(root, "outside", "private.txt"), "");
    symlinkSync(join(root, "outside.txt"), join(folder, "link-outside"));
    symlinkSync(join(root, "outside"), join(folder, "linked"));
    symlinkSync("README.md", join(folder, "link-inside"));
    symlinkSync("..", join(folder, "up"));
    symlinkSync("loop", join(folder, "loop"));
    file("line\nfeed.txt");
    file("escape\u001b[31m.txt");
    file('quo"te.txt');
    file("\u202Egpj.exe");
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("finds by name, by words of the path, and by letters", async () => {
    assert.equal((await find("total"))[0], "src/checkout/total.ts");
    assert.equal((await find("checkout/tax"))[0], "src/checkout/tax-rounding.ts");
    assert.equal((await find("sctr"))[0], "src/checkout/tax-rounding.ts");
    assert.equal((await find("READ"))[0], "README.md");
    assert.deepEqual(await find("nothing like it"), []);
    assert.ok((await find("checkout")).includes("src/checkout/"));
  });

  it("begins with what lies on top", async () => {
    const paths = await find("");
    assert.ok(paths.includes("README.md") && paths.includes("src/") && paths.includes(".github/"), String(paths));
    assert.ok(paths.every((path) => !/\/./u.test(path)));
  });

  it("leaves out what nobody means, and what the folder says", async () => {
    for (const text of ["index.js", "config", "app.js", "today", "secret", "generated"]) {
      const paths = await find(text);
      assert.ok(
        !paths.some((path) => /node_modules|\.git\/|dist|today|secret|generated/u.test(path)),
        `${text}: ${paths.join(", ")}`,
      );
    }
    assert.deepEqual(await find("keep.log"), ["logs/keep.log"]);
    assert.deepEqual(await find("main.ts"), ["packages/web/main.ts"]);
  });

  it("follows no link out of the folder, and none in a circle", async () => {
    assert.deepEqual(await find("private"), []);
    assert.deepEqual(await find("link-outside"), []);
    assert.deepEqual(await find("link-inside"), ["link-inside"]);
  });

  it("shows no name that could not be mentioned", async () => {
    for (const text of ["feed", "escape", "quo"]) assert.deepEqual(await find(text), [], text);
    // It is shown with its marks, and mentioned as it is.
    assert.deepEqual(await find("exe"), ["\u202Egpj.exe"]);
  });

  it("says that there is no such folder", async () => {
    await assert.rejects(makeFinder(Date.now).find(join(folder, "none"), "a"));
    await assert.rejects(makeFinder(Date.now).find(join(folder, "README.md"), "a"));
  });

  it("looks through a large folder within its bounds, and once for a word", async () => {
    const large = join(root, "large");
    for (let at = 0; at < 40; at++) {
      mkdirSync(join(large, `part-${at}`), { recursive: true });
      for (let one = 0; one < 100; one++) writeFileSync(join(large, `part-${at}`, `file-${one}.ts`), "");
    }
    const finder = makeFinder(Date.now);
    assert.equal((await finder.find(large, "part-39/file-99"))[0], "part-39/file-99.ts");
    rmSync(join(large, "part-39"), { recursive: true });
    assert.equal((await finder.find(large, "part-39/file-9"))[0], "part-39/file-9.ts");
    assert.equal((await finder.find(large, "file")).length, 50);
  });
});

describe("ignored files", () => {
  const ignored = (text: string, path: string): boolean => ignoredBy([ignoreFrom("", text)], path);
  it("reads patterns as git does", () => {
    assert.ok(ignored("*.log", "a/b/c.log"));
    assert.ok(!ignored("/*.log", "a/c.log"));
    assert.ok(ignored("build", "a/build/"));
    assert.ok(!ignored("build/", "a/build"));
    assert.ok(ignored("docs/**/api", "docs/a/b/api"));
    assert.ok(ignored("docs/**/api", "docs/api"));
    assert.ok(ignored("**/cache", "a/b/cache/"));
    assert.ok(ignored("file[0-9].txt", "file7.txt"));
    assert.ok(ignored(String.raw`\#note`, "#note"));
    assert.ok(ignored("a.b", "a.b"));
    assert.ok(!ignored("a.b", "aXb"));
    assert.ok(ignored("trailing   ", "trailing"));
    assert.ok(ignored("a/**", "a/b/c"));
    assert.ok(ignored("*.log", "x.log") && !ignored("*.log", "x.logs") && ignored("*", "anything/"));
    assert.ok(ignored("[!a]x", "bx") && !ignored("[!a]x", "ax"));
    assert.ok(!ignored("docs/**/api", "docsapi") && !ignored("**/cache", "mycache"));
  });
  it("takes any text", () => {
    const hostile = [
      "[",
      "[z-a]",
      "(",
      "*".repeat(400),
      "**/".repeat(100),
      "\\",
      "!",
      "/",
      "(a+)+$",
      "[\\",
      "a{1,99999}",
    ];
    for (const text of [...hostile, hostile.join("\n")]) {
      const start = performance.now();
      for (const path of [`${"a".repeat(4_000)}/b`, "a".repeat(4_000), "a/".repeat(2_000)]) ignored(text, path);
      assert.ok(performance.now() - start < 5_000, text);
    }
  });
});

describe("how well a path fits", () => {
  it("prefers the name, whole before beginning before inside before letters", () => {
    const order = ["a/note.md", "a/note.mdx", "b/my-note.md.ts", "note.md/x", "n/o/t/e/m/d"].map(
      (path) => scoreOf(path, "note.md") ?? -Infinity,
    );
    assert.deepEqual(
      order,
      order.toSorted((a, b) => b - a),
    );
    assert.equal(scoreOf("abc", "abd"), undefined);
    assert.equal(scoreOf("", "a"), undefined);
    assert.equal(scoreOf("aa", "aaa"), undefined);
  });
});
