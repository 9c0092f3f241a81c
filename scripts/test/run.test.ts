import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { readPassing, recordPassing } from "./names.ts";
import { runTests, type TestResult } from "./run.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-run-"));
after(() => rmSync(root, { recursive: true, force: true }));
const HEAD = `import { describe, it } from "node:test"; import assert from "node:assert";\n`;

async function ran(
  source: string,
  fileLimitMs = 30_000,
  concurrency = 1,
): Promise<{ result: TestResult; said: string }> {
  writeFileSync(join(root, "x.test.ts"), HEAD + source);
  const lines: string[] = [];
  const result = await runTests({
    root,
    files: ["x.test.ts"],
    concurrency,
    signal: new AbortController().signal,
    print: (line) => lines.push(line),
    fileLimitMs,
  });
  return { result, said: lines.join("\n") };
}

describe("a file of tests", () => {
  it("gives the full names of those that passed, and what the others threw and printed", async () => {
    const { result, said } = await ran(`
      describe("asks", () => {
        it("[A07] answers", () => {});
        it("breaks", () => { console.log("seen before"); assert.equal(1, 2); });
        it.skip("later", () => {});
        describe("plans", () => { it("[A09] approves", () => {}); });
      });`);
    assert.deepEqual(result.passing["x.test.ts"], ["asks > [A07] answers", "asks > plans > [A09] approves"]);
    assert.deepEqual([result.passed, result.failed, result.skipped], [2, 1, 1]);
    assert.match(said, /FAILED x\.test\.ts/);
    assert.match(said, /asks > breaks[\s\S]*1 == 2/);
    assert.match(said, /seen before/);
  });

  it("fails for a hook that throws and each test it kept from running, not for the suites around them", async () => {
    const { result } = await ran(`import { before } from "node:test";
      describe("a", () => { describe("b", () => { before(() => { throw new Error("no") }); it("c", () => {}); }); });`);
    assert.equal(result.failed, 2);
    assert.equal(result.passed, 0);
  });

  it("fails when it crashes, and when it has no test", async () => {
    const crashed = await ran(`throw new Error("at once");`);
    assert.equal(crashed.result.failed, 1);
    assert.match(crashed.said, /at once/);
    const empty = await ran("");
    assert.equal(empty.result.failed, 1);
    assert.match(empty.said, /has no test/);
  });

  it("fails when it exits badly after its tests passed", async () => {
    const { result } = await ran(`it("passes", () => {}); process.on("exit", () => { process.exitCode = 3; });`);
    assert.deepEqual([result.passed, result.failed], [1, 1]);
  });

  it("names the test that hangs", async () => {
    const { said } = await ran(
      `describe("asks", () => { it("passes", () => {}); it("waits", () => new Promise((resolve) => setTimeout(resolve, 60_000))); });`,
      3000,
    );
    assert.match(said, /did not end within 3 s, in: asks > waits/u);
  });

  it("is ended with all that it started when it hangs", { skip: process.platform === "win32" }, async () => {
    const pidFile = join(root, "pid");
    const { result, said } = await ran(
      `import { spawn } from "node:child_process"; import { writeFileSync } from "node:fs";
       const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
       writeFileSync(${JSON.stringify(pidFile)}, String(child.pid));
       describe("asks", () => { it("passes", () => {}); }); setInterval(() => {}, 1000);`,
      3000,
    );
    assert.equal(result.failed, 1);
    assert.match(said, /did not end within 3 s$/mu);
    assert.equal(isRunning(Number(readFileSync(pidFile, "utf8"))), false);
  });
});

describe("files at once", () => {
  /** Two that each wait for the other to have begun. */
  const together = async (idle: number): Promise<TestResult> => {
    const files = ["one.test.ts", "two.test.ts"];
    for (const [at, file] of files.entries())
      writeFileSync(
        join(root, file),
        `${HEAD}import { watch, existsSync, writeFileSync } from "node:fs";
         it("meets the other", { timeout: 2_000 }, (t, done) => {
           writeFileSync("begun-${idle}-${at}", "");
           const look = () => existsSync("begun-${idle}-${1 - at}") && (watching.close(), done());
           const watching = watch(".", { signal: t.signal }, look);
           look();
         });`,
      );
    const { signal } = new AbortController();
    const measured = (): Promise<number> => setImmediate(idle);
    return await runTests({
      root,
      files,
      concurrency: 1,
      signal,
      print: () => {},
      idle: measured,
      fileLimitMs: 30_000,
    });
  };

  it("are one more while a processor has nothing to do", async () => {
    const { passed, seconds } = await together(1);
    assert.equal(passed, 2);
    assert.deepEqual(Object.keys(seconds).toSorted(), ["one.test.ts", "two.test.ts"]);
  });

  it("are no more while all are busy", async () => {
    assert.equal((await together(0.9)).failed, 1);
  });
});

describe("a file that failed beside others", () => {
  it("is run once more alone, and is told of when it passes then", async () => {
    const { result, said } = await ran(
      `import { existsSync, writeFileSync } from "node:fs";
       it("passes the second time", () => { const seen = existsSync("seen"); writeFileSync("seen", ""); assert.ok(seen); });`,
      30_000,
      2,
    );
    assert.deepEqual([result.passed, result.failed, result.unsteady], [1, 0, ["x.test.ts"]], said);
    assert.match(said, /again {2}x\.test\.ts/);
  });

  it("stays failed when it fails again", async () => {
    const { result } = await ran(`it("breaks", () => assert.equal(1, 2));`, 30_000, 2);
    assert.deepEqual([result.passed, result.failed, result.unsteady], [0, 1, []]);
  });
});

it("keeps the names of files that did not run again, and forgets files that are gone", () => {
  for (const file of ["a.test.ts", "b.test.ts"]) writeFileSync(join(root, file), "");
  recordPassing(root, { "a.test.ts": ["one"], "b.test.ts": ["two"] });
  recordPassing(root, { "a.test.ts": ["three"] });
  assert.deepEqual(readPassing(root), ["three", "two"]);
  rmSync(join(root, "b.test.ts"));
  recordPassing(root, {});
  assert.deepEqual(readPassing(root), ["three"]);
});

/** A killed child stays in the process table until its new parent has taken note of it. */
function isRunning(pid: number): boolean {
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
    return state !== "Z";
  } catch {
    return false;
  }
}
