import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { findHook, Unreadable, withHook, withoutHook } from "./hooks-text.ts";
import { hooks } from "./hooks.ts";

const EVENT = "PermissionRequest";
const ENTRY = { hooks: [{ type: "command", command: "ours", timeout: 60 }] };
const isOurs = (command: string): boolean => command === "ours";

/** As people write settings. */
const SETTINGS: Record<string, string> = {
  empty: "",
  blank: "\n",
  "no settings": "{}",
  "no settings, on two lines": "{\n}\n",
  "a setting": '{\n  "model": "opus"\n}\n',
  "four spaces, no end of line": '{\n    "model": "opus",\n    "env": {"A": "b"}\n}',
  "on one line": '{"model":"opus","hooks":{}}',
  "tabs and Windows lines": '{\r\n\t"model": "opus",\r\n\t"hooks": {\r\n\t}\r\n}\r\n',
  "a byte order mark": '\uFEFF{"a": 1}',
  "comments and a trailing comma": `{
  // "hooks": {"PermissionRequest": []},
  "model": "opus", /* not "sonnet" */
  "permissions": { "allow": ["Bash(ls:*)",], },
  // the end
}
`,
  "a comment after the last": '{\n  "model": "opus" // mine\n}\n',
  "other hooks": `{
  "hooks": {
    "Stop": [{ "hooks": [{ "type": "command", "command": "say done" }] }]
  }
}
`,
  "hooks of the same event": `{
  "hooks": {
    "PermissionRequest": [
      {
        "matcher": "Bash", // only these
        "hooks": [{ "type": "command", "command": "theirs \\"quoted\\" }]" }],
      },
    ],
  },
  "unknown": [1, -2.5e3, true, null, {"deep": [[]]}]
}
`,
  "an empty list of hooks": '{"hooks": {"PermissionRequest": []}}',
};

describe("settings as text", () => {
  for (const [what, text] of Object.entries(SETTINGS)) {
    it(`take a hook and give it back: ${what}`, () => {
      const put = withHook(text, EVENT, ENTRY);
      assert.deepEqual(findHook(put, EVENT, isOurs), ["ours"]);
      const plain = meant(put);
      assert.deepEqual(plain.hooks?.[EVENT]?.at(-1), ENTRY);
      const { hooks: _, ...others } = plain;
      const { hooks: __, ...before } = text.trim() === "" ? {} : meant(text);
      assert.deepEqual(others, before);
      for (const line of text.split(/\r?\n/u))
        if (line.includes("//")) assert.ok(put.includes(line.slice(line.indexOf("//"))), line);
      const back = withoutHook(put, EVENT, isOurs);
      assert.deepEqual(
        findHook(back, EVENT, () => true),
        text.trim() === "" ? [] : findHook(text, EVENT, () => true),
      );
      if (text.trim() !== "") assert.deepEqual(withoutEmpty(meant(back)), withoutEmpty(meant(text)));
      assert.equal(withoutHook(back, EVENT, isOurs), back);
    });
  }

  it("lose only our command where it shares an entry with others", () => {
    const text =
      '{"hooks":{"PermissionRequest":[{"hooks":[{"command":"theirs"},{"command":"ours"},{"command":"more"}]}]}}';
    const back = withoutHook(text, EVENT, isOurs);
    assert.deepEqual(
      findHook(back, EVENT, () => true),
      ["theirs", "more"],
    );
  });

  it("that are broken are refused, with where", () => {
    const broken: [string, RegExp][] = [
      ['{\n  "a": 1\n  "b": 2\n}', /line 3, column 3: a comma is missing/u],
      ['{"a" 1}', /line 1, column 6: a colon is missing/u],
      ["{a: 1}", /a value is missing or cut short/u],
      ["{1: 1}", /a name is not in double quotes/u],
      ['{"a": "b', /cut short/u],
      ['{"a": "\\x"}', /cut short/u],
      ['{"a": [1, 2', /ends too early/u],
      ["{ /* ", /a comment does not end/u],
      ["[]", /the settings are not an object/u],
      ["{} {}", /something follows/u],
      ['{"hooks": 1}', /"hooks" is not an object/u],
      ['{"hooks": {"PermissionRequest": {}}}', /"PermissionRequest" is not a list/u],
      [`${'{"a":'.repeat(100_000)}`, /nested too deeply/u],
      ["\u0000\u0001", /missing or cut short/u],
    ];
    for (const [text, why] of broken)
      assert.throws(
        () => withHook(text, EVENT, ENTRY),
        (error: unknown) => error instanceof Unreadable && why.test(error.message),
        text.slice(0, 40),
      );
  });

  it("of 4 MB are read in a moment", () => {
    const text = JSON.stringify({
      long: 'x\\"'.repeat(1_000_000),
      many: Array.from({ length: 100_000 }, (_, at) => at),
    });
    assert.deepEqual(findHook(withHook(text, EVENT, ENTRY), EVENT, isOurs), ["ours"]);
  });
});

describe("the hook in Claude's settings", () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  const place = (text?: string, mode = 0o600) => {
    const home = mkdtempSync(join(tmpdir(), "flybridge-hooks-"));
    folders.push(home);
    const path = join(home, ".claude", "settings.json");
    if (text !== undefined) {
      mkdirSync(join(home, ".claude"));
      writeFileSync(path, text);
      chmodSync(path, mode);
    }
    const program = join(home, "it's here", "hook");
    return { env: { HOME: home }, path, program, home, text: () => readFileSync(path, "utf8") };
  };

  for (const [what, text] of Object.entries({ ...SETTINGS, missing: undefined }))
    it(`is put in once, and taken out to the byte: ${what}`, async () => {
      const { env, path, program, text: now } = place(text, 0o640);
      assert.equal((await hooks.inspect(env, program)).state, "absent");
      const put = await hooks.install(env, program);
      assert.deepEqual([put.state, put.problem, put.path], ["installed", undefined, path]);
      assert.equal(statSync(path).mode & 0o777, text === undefined ? 0o600 : 0o640);
      if (text !== undefined) assert.equal(readFileSync(put.backup ?? "", "utf8"), text);
      const once = now();
      await hooks.install(env, program);
      assert.equal(now(), once);
      const taken = await hooks.remove(env, program);
      assert.deepEqual([taken.state, taken.problem], ["absent", undefined]);
      if (text === undefined) assert.equal(existsSync(path), false);
      else {
        assert.equal(now(), text);
        assert.equal(statSync(path).mode & 0o777, 0o640);
        assert.equal(taken.backup, undefined);
      }
    });

  it("is taken out alone where something else changed meanwhile", async () => {
    const { env, path, program, text } = place('{\n  "model": "opus"\n}\n');
    await hooks.install(env, program);
    writeFileSync(path, text().replace("opus", "sonnet"));
    await hooks.remove(env, program);
    assert.deepEqual(meant(text()), { model: "sonnet" });
  });

  it("stays where another host put its own", async () => {
    const { env, program, text } = place("{}");
    await hooks.install(env, program);
    await hooks.install(env, `${program}2`);
    assert.equal((await hooks.inspect(env, program)).state, "installed");
    await hooks.remove(env, program);
    assert.equal((await hooks.inspect(env, program)).state, "absent");
    assert.equal((await hooks.inspect(env, `${program}2`)).state, "installed");
    assert.equal(text().includes("hook2"), true);
  });

  it("keeps a link a link, and writes the file it leads to", async () => {
    const { env, path, program, home } = place("{}");
    const kept = join(home, "dotfiles.json");
    writeFileSync(kept, '{"a": 1}\n');
    rmSync(path);
    symlinkSync(kept, path);
    assert.equal((await hooks.install(env, program)).state, "installed");
    assert.equal(lstatSync(path).isSymbolicLink(), true);
    assert.match(readFileSync(kept, "utf8"), /PermissionRequest/u);
    await hooks.remove(env, program);
    assert.equal(readFileSync(kept, "utf8"), '{"a": 1}\n');
  });

  it("is not put into what is read-only, broken or no text, and says why; nothing is changed", async () => {
    const cases: [Buffer, number, RegExp][] = [
      [Buffer.from("{}"), 0o444, /read-only.*chmod u\+w/u],
      [Buffer.from('{"a": }'), 0o600, /cannot be read \(line 1, column 7.*Mend it by hand/u],
      [Buffer.from([0x7b, 0xff, 0x7d]), 0o600, /not UTF-8/u],
    ];
    for (const [bytes, mode, why] of cases) {
      const { env, path, program } = place("");
      writeFileSync(path, bytes);
      chmodSync(path, mode);
      const hook = await hooks.install(env, program);
      assert.notEqual(hook.state, "installed");
      assert.match(hook.problem ?? "", why);
      assert.deepEqual(readFileSync(path), bytes);
      assert.equal(hook.backup, undefined);
      assert.match((await hooks.remove(env, program)).problem ?? "none", mode === 0o444 ? /none/u : why);
      assert.deepEqual(readFileSync(path), bytes);
    }
  });
});

describe("what Claude tells its hook", () => {
  const event = (tool_name: string, tool_input: object, more: object = {}) => ({
    session_id: "conversation",
    cwd: "/w",
    hook_event_name: EVENT,
    tool_name,
    tool_input,
    ...more,
  });

  it("is an approval with its evidence and Claude's own suggestions", () => {
    const suggestion = { type: "addDirectories", directories: ["/w"], destination: "session" };
    const opened = hooks.open(
      event("Bash", { command: "ls", description: "look" }, { permission_suggestions: [suggestion] }),
      "a1",
    );
    assert.ok(opened?.ask.kind === "approval");
    assert.deepEqual(
      [opened.conversation, opened.workspace, opened.ask.ask, opened.ask.source],
      ["conversation", "/w", "a1", "hook"],
    );
    assert.deepEqual(
      [opened.ask.evidence.command, opened.ask.evidence.purpose, opened.ask.evidence.directory],
      ["ls", "look", "/w"],
    );
    assert.deepEqual(printed(opened.pending, { kind: "allow", choice: "suggestion-0" }), {
      behavior: "allow",
      updatedInput: { command: "ls", description: "look" },
      updatedPermissions: [suggestion],
    });
    assert.deepEqual(printed(opened.pending, { kind: "deny", reason: "no" }), { behavior: "deny", message: "no" });
    assert.equal(hooks.print(opened.pending, { kind: "replies", replies: [] }), undefined);
  });

  it("is a question or a plan", () => {
    const questions = [
      { question: "Which?", header: "DB", options: [{ label: "A" }, { label: "B" }], multiSelect: false },
    ];
    const asked = hooks.open(event("AskUserQuestion", { questions }), "q");
    assert.ok(asked?.ask.kind === "question");
    const replies = [{ question: "q1", picks: ["B"] }];
    assert.deepEqual(printed(asked.pending, { kind: "replies", replies }), {
      behavior: "allow",
      updatedInput: { questions, answers: { "Which?": "B" } },
    });
    const planned = hooks.open(event("ExitPlanMode", { plan: "# Plan", planFilePath: "/p.md" }), "p");
    assert.ok(planned?.ask.kind === "plan");
    assert.equal(planned.ask.plan, "# Plan");
    assert.deepEqual(printed(planned.pending, { kind: "approve", choice: "default" })["behavior"], "allow");
  });

  it("is nothing where it is nothing of the kind", () => {
    for (const one of [
      null,
      1,
      "x",
      [],
      {},
      { hook_event_name: "Stop" },
      { hook_event_name: EVENT },
      event("Bash", {}, { cwd: 1 }),
    ])
      assert.equal(hooks.open(one, "a"), undefined, JSON.stringify(one));
    const odd = hooks.open({ hook_event_name: EVENT, session_id: "c", cwd: "/w", tool_name: 7, tool_input: [] }, "a");
    assert.equal(odd?.ask.kind, "approval");
  });

  function printed(pending: unknown, answer: Parameters<typeof hooks.print>[1]): Record<string, unknown> {
    const text = hooks.print(pending, answer);
    const { hookSpecificOutput } = JSON.parse(text ?? "{}") as {
      hookSpecificOutput: { hookEventName: string; decision: Record<string, unknown> };
    };
    assert.equal(hookSpecificOutput.hookEventName, EVENT);
    return hookSpecificOutput.decision;
  }
});

type Settings = { hooks?: Record<string, unknown[]> } & Record<string, unknown>;

/** What the text means once comments and trailing commas are gone; by other means than the code under test. */
function meant(text: string): Settings {
  return JSON.parse(JSON.stringify(runInNewContext(`(${text.replace(/^\uFEFF/u, "")}\n)`))) as Settings;
}

function withoutEmpty({ hooks: all, ...others }: Settings): Settings {
  const left = Object.entries(all ?? {}).filter(([, list]) => list.length > 0);
  return left.length === 0 ? others : { ...others, hooks: Object.fromEntries(left) };
}
