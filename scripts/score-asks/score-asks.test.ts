import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { expectedOf, judge } from "../../host/agents/terminal/corpus/score.ts";
import { screenOfText, type Screen } from "../../host/agents/terminal/screen.ts";
import { atEndOfCast } from "./cast.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CORPUS = join(ROOT, "host", "agents", "terminal", "corpus");

describe("the corpus", () => {
  for (const folder of ["asks", "none"]) {
    const files = readdirSync(join(CORPUS, folder)).filter((file) => /\.(?:txt|cast)$/u.test(file));
    it(`[D30, D31, D32, D34] reads every screen of ${folder} right, all ${files.length}`, () => {
      const wrong: string[] = [];
      for (const file of files) {
        const path = join(CORPUS, folder, file);
        const text = readFileSync(path, "utf8");
        const expected = expectedOf(readFileSync(path.replace(/\.\w+$/u, ".json"), "utf8"));
        assert.ok(expected, `${file} has no label`);
        assert.equal(expected.ask === null, folder === "none", `${file} lies in the wrong folder`);
        const look = (screen: Screen): void => {
          const verdict = judge(screen, expected);
          if (verdict.said !== "") wrong.push(`${verdict.outcome}: ${file} ${verdict.said}`);
        };
        if (file.endsWith(".cast")) atEndOfCast(text, look);
        else look(screenOfText(text));
      }
      assert.deepEqual(wrong, []);
    });
  }

  it("[D30, D32, D34] reads the screens that were written down, each as it is known from its program", () => {
    const wrong: string[] = [];
    const written = readFileSync(join(CORPUS, "written.screens"), "utf8").split(/^@@@ /mu).slice(1);
    assert.ok(written.length > 400);
    for (const one of written) {
      const [head = "", ...rows] = one.split("\n");
      const [name = "", kind = "", options] = head.split(" | ");
      const label =
        kind === "none"
          ? { ask: null }
          : { ask: { kind, ...(options === undefined ? {} : { options: options.split(" / ") }) } };
      const expected = expectedOf(JSON.stringify(label));
      assert.ok(expected, `${name} has no label`);
      const verdict = judge(screenOfText(rows.join("\n")), expected);
      if (verdict.said !== "") wrong.push(`${verdict.outcome}: ${name} ${verdict.said}`);
    }
    assert.deepEqual(wrong, []);
  });

  it("is as large as it should be", () => {
    const count = (folder: string): number =>
      readdirSync(join(CORPUS, folder)).filter((file) => file.endsWith(".json")).length;
    assert.ok(count("asks") >= 80, `${count("asks")} asks`);
    assert.ok(count("none") >= 60, `${count("none")} screens without one`);
  });
});

describe("score:asks", () => {
  function score(...words: string[]): { readonly said: string; readonly status: number | null } {
    const run = spawnSync(process.execPath, [join(ROOT, "scripts", "score-asks.ts"), ...words], { encoding: "utf8" });
    return { said: run.stdout + run.stderr, status: run.status };
  }

  it("prints each miss and false alarm, what it could not use, and the two rates", () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-score-"));
    const put = (name: string, text: string, label?: unknown): void => {
      writeFileSync(join(folder, name), text);
      if (label !== undefined) writeFileSync(join(folder, name.replace(/\.\w+$/u, ".json")), JSON.stringify(label));
    };
    try {
      put("right.txt", "Continue? [y/N] \n", { ask: { kind: "confirm" } });
      put("quiet.txt", "sam@box:~$ \n", { ask: null });
      put("missed.txt", "Building…\n", { ask: { kind: "text" } });
      put("alarm.txt", "Password: \n", { ask: null });
      put("kind.txt", "What is your name? \n", { ask: { kind: "secret" } });
      put("options.txt", "1) one\n2) two\n#? \n", { ask: { kind: "choice", options: ["one", "three"] } });
      put("film.cast", `{"version":2,"width":80,"height":24}\n[0.1,"o","Overwrite (y/n)? "]\n`, {
        ask: { kind: "confirm", options: ["yes", "no"] },
      });
      put("broken.cast", "no recording\n", { ask: null });
      put("odd.txt", "x\n", { ask: { kind: "riddle" } });
      put("alone.txt", "x\n");
      const { said, status } = score(folder);
      assert.equal(status, 0);
      for (const name of ["missed", "alarm", "kind", "options", "broken", "odd", "alone"])
        assert.match(said, new RegExp(`${name}\\.\\w+: `, "u"));
      for (const name of ["right", "quiet", "film"]) assert.doesNotMatch(said, new RegExp(`${name}\\.`, "u"));
      assert.match(said, /recall +40\.0 % \(2 of 5\)/u);
      assert.match(said, /precision +66\.7 % \(2 of 3\)/u);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("ends with 1 only when it was not told a folder", () => {
    assert.equal(score().status, 1);
    assert.equal(score(join(ROOT, "no-such-folder")).status, 1);
  });
});
