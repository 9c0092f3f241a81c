/** Rules and attachments from a shell, with the real command against the real host. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openShell, type Running, type Shell } from "@flybridge/testing/shell.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("rules and attachments from a shell", { timeout: 180_000 }, () => {
  let shell: Shell;
  let session: string;
  let followed: Running;

  const fact = async (kind: string): Promise<Record<string, unknown>> => {
    const line = await followed.line((one) => (JSON.parse(one) as { fact: { kind: string } }).fact.kind === kind);
    return (JSON.parse(line) as { fact: Record<string, unknown> }).fact;
  };
  const done = async (...words: string[]): Promise<string> => {
    const { code, stderr, stdout } = await shell.run(words);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const file = (name: string, content: Buffer | string): string => {
    const path = join(shell.home, "..", name);
    writeFileSync(path, content);
    return path;
  };

  before(async () => {
    shell = openShell();
    await done("up", "--port", "0", "--no-open");
  });
  after(() => shell[Symbol.asyncDispose]());

  it("run and send take files along, and show their names", async () => {
    const picture = file("a screen.png", PNG);
    const started = await shell.run(["run", "demo", "hello", "--model", "demo-quick", "--file", picture, "--json"]);
    assert.equal(started.code, 0, started.stderr);
    session = String(started.json[0]?.["session"]);
    followed = shell.start(["attach", session, "--json"]);
    const accepted = (await fact("prompt.accepted"))["attachments"] as Record<string, unknown>[];
    assert.deepEqual(
      accepted.map(({ name, type, size }) => [name, type, size]),
      [["a screen.png", "image/png", PNG.length]],
    );
    await fact("turn.ended");
    await done("send", session, "hello", "--file", picture, "--file", file("notes.md", "# Notes"));
    assert.equal(((await fact("prompt.accepted"))["attachments"] as unknown[]).length, 2);
    await fact("turn.ended");
  });

  it("refuses files that are none, are empty or too large, before anything is sent", async () => {
    const refused = async (path: string, code: number, says: RegExp): Promise<void> => {
      const outcome = await shell.run(["send", session, "look", "--file", path]);
      assert.match(outcome.stderr, says);
      assert.equal(outcome.code, code);
    };
    await refused(file("large.bin", Buffer.alloc(7 * 1024 * 1024)), 2, /7\.3 MB; at most 4\.7 MB/u);
    await refused(file("empty.txt", ""), 1, /is empty/u);
    await refused(join(shell.home, ".."), 1, /not a file/u);
    await refused("/dev/zero", 1, /not a file/u);
    await refused(join(shell.home, "none.txt"), 1, /cannot be read/u);
  });

  it("makes a rule by answering, lists it with who and how often, and revokes it", async () => {
    await done("send", session, "ask");
    await fact("ask.opened");
    await done("answer", session, "--allow", "flybridge.always");
    const settlement = (await fact("ask.settled"))["settlement"] as Record<string, unknown>;
    assert.deepEqual([settlement["kind"], settlement["rule"]], ["answered", "always"]);
    await fact("turn.ended");

    await done("send", session, "ask");
    assert.equal(((await fact("ask.settled"))["settlement"] as Record<string, unknown>)["kind"], "ruled");
    await fact("turn.ended");
    const { json } = await shell.run(["rules", "--json"]);
    assert.deepEqual(
      json.map(({ agent, tool, used }) => [agent, tool, used]),
      [["demo", "Bash", 1]],
    );
    assert.match(await done("rules"), /Bash {2}npm publish --dry-run.*always · by .* · used once, last/su);
    assert.match(await done("logs", session, "--all"), /\+ a screen\.png \(1 kB\).*by a standing rule of/su);
    const none = await shell.run(["rules", "revoke", "zzzz"]);
    assert.deepEqual([none.code, /There is no rule zzzz/u.test(none.stderr)], [1, true]);
    assert.equal((await shell.run(["rules", "remove"])).code, 2);
    assert.equal((await shell.run(["rules", "revoke"])).code, 2);
    assert.match(await done("rules", "revoke", String(json[0]?.["rule"]).slice(0, 6)), /^Revoked: npm publish/u);
    assert.match((await shell.run(["rules"])).stderr, /no rules/u);
  });
});
