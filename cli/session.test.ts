import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openShell, type Running, type Shell } from "@flybridge/testing/shell.ts";

const QUICK = ["--model", "demo-quick"];

describe("sessions from a shell", { timeout: 180_000 }, () => {
  let shell: Shell;
  let session: string;
  let followed: Running;

  /** The next entry of the journal, as `attach --json` prints it, whose fact is of that kind. */
  const fact = async (kind: string): Promise<Record<string, unknown>> => {
    const line = await followed.line((one) => (JSON.parse(one) as { fact: { kind: string } }).fact.kind === kind);
    return (JSON.parse(line) as { fact: Record<string, unknown> }).fact;
  };
  const send = async (text: string, ...flags: string[]): Promise<void> => {
    const { code, stderr } = await shell.run(["send", session.slice(-8), text, ...flags]);
    assert.equal(code, 0, stderr);
  };
  const answer = async (...words: string[]): Promise<void> => {
    const { code, stderr } = await shell.run(["answer", session, ...words]);
    assert.equal(code, 0, stderr);
  };

  before(async () => {
    shell = openShell();
    assert.equal((await shell.run(["up", "--port", "0", "--no-open"])).code, 0);
  });
  after(() => shell[Symbol.asyncDispose]());

  it("run starts one, here, and tells its id", async () => {
    mkdirSync(join(shell.home, "..", "harbour"));
    const { code, stderr, json } = await shell.run(["run", "demo", ...QUICK, "--cwd", "harbour", "--json"]);
    assert.equal(code, 0, stderr);
    session = String(json[0]?.["session"]);
    followed = shell.start(["attach", session, "--json"]);
    await fact("session.opened");
    const listed = (await shell.run(["ls", "--json"])).json;
    assert.deepEqual(
      listed.map((one) => [one["session"], one["agent"], String(one["workspace"]).endsWith("/harbour")]),
      [[session, "demo", true]],
    );
  });

  it("[A05] send waits until the host has it, --wait until the turn has ended", async () => {
    await send("run the tests");
    assert.match(String((await fact("prompt.accepted"))["text"]), /run the tests/u);
    assert.equal((await fact("turn.ended"))["outcome"], "completed");
    const waited = await shell.run(["send", session, "-", "--wait"], { stdin: "run again" });
    assert.deepEqual([waited.code, waited.stdout], [0, "All three tests pass.\n"]);
  });

  it("answer allows, with the choice that is named or once; the asks are listed meanwhile", async () => {
    await send("ask");
    await fact("ask.opened");
    const { json } = await shell.run(["ls", "--waiting", "--json"]);
    assert.equal(json.length, 1);
    assert.match(
      (await shell.run(["show", session])).stdout,
      /npm publish --dry-run --tag next.*Allow once \(once\)/su,
    );
    await answer("--allow");
    const settled = (await fact("ask.settled"))["settlement"] as { answer: unknown };
    assert.deepEqual(settled.answer, { kind: "allow", choice: "once" });
    await fact("turn.ended");
    const late = await shell.run(["answer", session, "--allow"]);
    assert.deepEqual([late.code, /asks nothing now/u.test(late.stderr)], [1, true]);
  });

  it("answer denies with the reason, which the agent hears", async () => {
    await send("ask");
    await fact("ask.opened");
    const wrong = await shell.run(["answer", session, "--allow", "forever"]);
    assert.deepEqual([wrong.code, /does not offer "forever"/u.test(wrong.stderr)], [2, true]);
    const none = await shell.run(["answer", session]);
    assert.deepEqual([none.code, /--allow \[once\|session\|always\|/u.test(none.stderr)], [2, true]);
    await answer("--deny", "not on a Friday");
    await fact("ask.settled");
    assert.match(await followed.line((line) => line.includes("The release can wait")), /not on a Friday/u);
    await fact("turn.ended");
  });

  it("answer picks several, by number and by label, with words and a note", async () => {
    await send("question");
    await fact("ask.opened");
    await answer(
      "--pick",
      "1=Metres",
      "--pick",
      "Outputs=1",
      "--pick",
      "q2=A curve",
      "--text",
      "3=pegel",
      "--note",
      "3=short is good",
    );
    const settled = (await fact("ask.settled"))["settlement"] as { answer: { replies: unknown } };
    assert.deepEqual(settled.answer.replies, [
      { question: "q1", picks: ["Metres"] },
      { question: "q2", picks: ["A table", "A curve"] },
      { question: "q3", picks: [], text: "pegel", note: "short is good" },
    ]);
    await fact("turn.ended");
  });

  it("answer sends a plan back, then approves it as edited", async () => {
    await send("plan");
    await fact("ask.opened");
    await answer("--revise", "feet first");
    assert.match(String(((await fact("ask.opened"))["ask"] as { plan: string }).plan), /feet first/u);
    const file = join(shell.home, "..", "plan.md");
    writeFileSync(file, "# Mine\n");
    await answer("--approve", "careful", "--edited", file);
    const settled = (await fact("ask.settled"))["settlement"] as { answer: unknown };
    // The first settlement on the way is the sending back.
    const last =
      (settled.answer as { kind: string }).kind === "revise"
        ? ((await fact("ask.settled"))["settlement"] as { answer: unknown })
        : settled;
    assert.deepEqual(last.answer, { kind: "approve", choice: "careful", edited: "# Mine\n" });
    await fact("turn.ended");
  });

  it("interrupt stops the turn, send --wait says how it ended", async () => {
    const waiting = shell.start(["send", session, "long", "--wait"]);
    waiting.child.stdin.end();
    await fact("item.began");
    const { code, stderr } = await shell.run(["interrupt", session]);
    assert.equal(code, 0, stderr);
    const ended = await waiting.ended;
    assert.deepEqual([ended.code, /The turn was interrupted/u.test(ended.stderr)], [1, true]);
  });

  it("attach prints the same as plain text, streaming, without an escape sequence", async () => {
    const plain = shell.start(["attach", session]);
    await plain.line((line) => line.includes("run the tests"));
    await send("run once more");
    await plain.line((line) => line.includes("› run once more"));
    await plain.line((line) => line === "● Bash npm test");
    await plain.line((line) => line === "All three tests pass.");
    plain.child.kill("SIGINT");
    const { stdout } = await plain.ended;
    assert.ok(!stdout.includes("\u001b"));
  });

  it("stop ends the agent and with it what follows; logs have it all; resume starts it again", async () => {
    const { code, stderr } = await shell.run(["stop", session]);
    assert.equal(code, 0, stderr);
    const { code: end, json } = await followed.ended;
    assert.equal(end, 0);
    assert.deepEqual(
      json.map(({ seq }) => seq),
      json.map((_, at) => at + 1),
    );
    const whole = await shell.run(["logs", session, "--json", "--all"]);
    assert.deepEqual(whole.json, json);
    const text = await shell.run(["logs", session, "--all"]);
    assert.match(text.stdout, /^— agent started.*› run the tests.*feet first.*agent stopped/su);
    assert.match((await shell.run(["logs", session, "-n", "2"])).stdout, /^… earlier rows/u);
    assert.equal((await shell.run(["resume", session])).code, 0);
    const again = await shell.run(["send", session, "run", "--wait"]);
    assert.deepEqual([again.code, again.stdout], [0, "All three tests pass.\n"]);
    assert.equal((await shell.run(["stop", session, "--no-wait"])).code, 0);
  });

  it("an id may be short while it is clear; otherwise the candidates are listed", async () => {
    await Promise.all([shell.run(["run", "demo"]), shell.run(["run", "demo"])]);
    const { code, stderr } = await shell.run(["show", session.slice(0, 6)]);
    assert.equal(code, 1);
    assert.match(stderr, /fits 3 sessions\. Give more of the id:\n( {2}[0-9a-f-]{36} {2}.*\n){3}/u);
    assert.equal((await shell.run(["show", "ffffffff"])).code, 1);
  });

  it("an agent that is not there is told with those that are", async () => {
    const { code, stderr } = await shell.run(["run", "gpt"]);
    assert.equal(code, 2);
    assert.match(stderr, /There is no agent "gpt"\. There are: .*demo/u);
  });
});
