import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openShell, type Shell } from "@flybridge/testing/shell.ts";

const ID = "0a632f73-cc88-4e18-9d87-d8b0d6a3889f";

describe("agents in other terminals, from a shell", { timeout: 180_000 }, () => {
  let shell: Shell;
  let claude: string;
  const settings = (): string => join(claude, "settings.json");

  before(async () => {
    shell = openShell();
    claude = join(shell.home, "..", ".claude");
    const project = join(claude, "projects", "-w");
    mkdirSync(project, { recursive: true });
    const said = { type: "user", uuid: "u1", cwd: "/w", message: { content: "Mend the \u202edoor" } };
    writeFileSync(join(project, `${ID}.jsonl`), `${JSON.stringify(said)}\n`);
    assert.equal((await shell.run(["up", "--port", "0", "--no-open"])).code, 0);
  });
  after(() => shell[Symbol.asyncDispose]());

  it("history lists what was begun in a terminal, for people and for scripts", async () => {
    const { stdout, code } = await shell.run(["history"]);
    assert.equal(code, 0);
    assert.match(stdout, /0a632f73 {2}Mend the ⟨U\+202E⟩door/u);
    const { json } = await shell.run(["history", "DOOR", "--agent", "claude", "--json"]);
    assert.deepEqual([json[0]?.["conversation"], json[0]?.["workspace"]], [ID, "/w"]);
    assert.deepEqual((await shell.run(["history", "window", "--json"])).json, []);
    assert.match((await shell.run(["history", "--agent", "demo"])).stderr, /There are none/u);
  });

  it("run --resume wants one that there is, and --fork one to copy", async () => {
    const unknown = await shell.run(["run", "demo", "--resume", "fff"]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /There is no conversation fff. See flybridge history/u);
    const alone = await shell.run(["run", "demo", "--fork"]);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /--resume/u);
  });

  it("hooks puts one into Claude's settings, says where, and takes it out to the byte", async () => {
    const before = '{\n  // mine\n  "model": "opus"\n}\n';
    writeFileSync(settings(), before, { mode: 0o600 });
    assert.match((await shell.run(["hooks"])).stdout, /claude {2}not installed/u);
    const put = await shell.run(["hooks", "install"]);
    assert.equal(put.code, 0, put.stderr);
    assert.match(put.stdout, /installed[\s\S]*settings\.json/u);
    const program = /'([^']*hook)' claude/u.exec(readFileSync(settings(), "utf8"))?.[1] ?? "";
    assert.equal(existsSync(program), true, program);
    const [status] = (await shell.run(["hooks", "status", "claude", "--json"])).json;
    assert.deepEqual([status?.["state"], status?.["path"]], ["installed", settings()]);
    assert.equal((await shell.run(["hooks", "remove"])).code, 0);
    assert.equal(readFileSync(settings(), "utf8"), before);
  });

  it("hooks says what is in the way, changes nothing, and fails", async () => {
    writeFileSync(settings(), '{"model": ');
    const { code, stderr } = await shell.run(["hooks", "install"]);
    assert.equal(code, 1);
    assert.match(stderr, /line 1, column 11.*Mend it by hand/u);
    assert.equal(readFileSync(settings(), "utf8"), '{"model": ');
    writeFileSync(settings(), "{}");
    chmodSync(settings(), 0o400);
    assert.match((await shell.run(["hooks", "install"])).stderr, /read-only/u);
    assert.equal((await shell.run(["hooks", "mend"])).code, 2);
    assert.equal((await shell.run(["hooks", "status", "nobody"])).code, 2);
  });
});
