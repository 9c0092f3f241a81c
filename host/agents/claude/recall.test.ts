import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Conversation, Said } from "@flybridge/protocol/conversation.ts";
import { Fact } from "@flybridge/protocol/entry.ts";
import * as v from "valibot";
import { outside, processesOf } from "./live.ts";
import { freshMemory } from "./memory.ts";
import { past, recall } from "./recall.ts";

let home: string;
let env: Record<string, string>;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "flybridge-recall-"));
  env = { HOME: home };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const line = (message: object): string => `${JSON.stringify(message)}\n`;
let count = 0;
const common = (): object => ({
  uuid: `u${(count += 1)}`,
  cwd: "/w",
  isSidechain: false,
  timestamp: "2026-12-01T00:00:00.000Z",
});
const prompt = (content: unknown, more: object = {}): string =>
  line({ type: "user", message: { role: "user", content }, ...common(), ...more });
const words = (...content: object[]): string => line({ type: "assistant", message: { content }, ...common() });
const text = (value: string): object => ({ type: "text", text: value });
const tool = (id: string, command: string): object => ({ type: "tool_use", id, name: "Bash", input: { command } });
const result = (id: string, content: string, more: object = {}): string =>
  prompt([{ type: "tool_result", tool_use_id: id, content, is_error: false }], {
    toolUseResult: { stdout: content },
    ...more,
  });

function transcript(conversation: string, content: string | Buffer, at = 1_000, project = "-w"): string {
  const folder = join(home, ".claude", "projects", project);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${conversation}.jsonl`);
  writeFileSync(path, content);
  utimesSync(path, at, at);
  return path;
}

describe("Claude's conversations on disk", () => {
  it("are listed newest first, by the name they were given or the first prompt, with where they are", async () => {
    transcript(
      "prompted",
      `${line({ type: "mode", mode: "normal" })}${prompt("Mend the door")}${words(text("Done."))}`,
      10,
    );
    transcript("summed", `${line({ type: "summary", summary: "On doors" })}${prompt("x")}`, 30, "-elsewhere");
    transcript(
      "named",
      `${prompt("x")}${line({ type: "ai-title", aiTitle: "A" })}${line({ type: "custom-title", customTitle: "B" })}`,
      20,
    );
    transcript(
      "command",
      `${prompt("<command-name>/init</command-name><command-args></command-args>")}${prompt([text("And then this")])}`,
      5,
    );
    transcript("moved", `${prompt("first")}${prompt("second", { cwd: "/moved" })}`, 4);
    const listed = await recall.list(env, 10);
    assert.deepEqual(
      listed.map(({ conversation, title, workspace, updated }) => [conversation, title, workspace, updated]),
      [
        ["summed", "On doors", "/w", 30_000],
        ["named", "B", "/w", 20_000],
        ["prompted", "Mend the door", "/w", 10_000],
        ["command", "And then this", "/w", 5_000],
        ["moved", "first", "/moved", 4_000],
      ],
    );
    for (const one of listed) v.parse(Conversation, one);
    assert.equal((await recall.list(env, 2)).length, 2);
  });

  it("are none where there is no folder, and what is not one is passed over", async () => {
    assert.deepEqual(await recall.list(env, 10), []);
    assert.equal(await recall.read(env, "none", 10), undefined);
    assert.equal(await recall.read(env, "../../../etc/passwd", 10), undefined);
    transcript("empty", "");
    transcript("binary", Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7919) % 256)));
    transcript("cut", '{"type":"user","message":{"content":"half');
    transcript("foreign", `[1,2]\n"type":"user"\n{"type":"user"}\n${line({ type: "user", message: 7, cwd: {} })}`);
    transcript("unspoken", line({ type: "mode", mode: "normal", cwd: "/w" }));
    transcript(
      "remarks",
      `${prompt("<system-reminder>x</system-reminder>")}${prompt("meta", { isMeta: true })}${prompt("side", { isSidechain: true })}`,
    );
    mkdirSync(join(home, ".claude", "projects", "-w", "folder.jsonl"));
    mkdirSync(join(home, ".claude", "projects", "-w", "prompted", "subagents"), { recursive: true });
    writeFileSync(join(home, ".claude", "projects", "-w", "prompted", "agent-1.jsonl"), prompt("of a sub-agent"));
    writeFileSync(join(home, ".claude", "projects", "not a folder"), "");
    transcript("fine", prompt("Hello"));
    assert.deepEqual(
      (await recall.list(env, 100)).map(({ conversation }) => conversation),
      ["fine"],
    );
  });

  it("lie where CLAUDE_CONFIG_DIR says", async () => {
    transcript("one", prompt("Hello"));
    const listed = await recall.list({ HOME: "/nowhere", CLAUDE_CONFIG_DIR: join(home, ".claude") }, 10);
    assert.equal(listed.length, 1);
  });

  it("show what was last said, without tools, thoughts and what Claude says for itself", async () => {
    transcript(
      "one",
      [
        prompt("First"),
        words({ type: "thinking", thinking: "hm" }, text("Let me look.")),
        words(tool("t1", "ls")),
        result("t1", "a\nb"),
        words(text("There are two."), text("Both fine.")),
        prompt([text("[Request interrupted by user for tool use]")]),
        prompt("<command-name>/compact</command-name><command-args>hard</command-args>"),
        prompt("This session is being continued…", { isCompactSummary: true }),
        '{"type":"assistant","message":',
      ].join(""),
    );
    const said = await recall.read(env, "one", 10);
    assert.deepEqual(
      said?.map((one) => [one.who, one.text]),
      [
        ["person", "First"],
        ["agent", "Let me look."],
        ["agent", "There are two.\nBoth fine."],
        ["person", "/compact hard"],
      ],
    );
    assert.equal(said?.[0]?.at, Date.parse("2026-12-01T00:00:00.000Z"));
    for (const one of said ?? []) v.parse(Said, one);
    assert.deepEqual(
      (await recall.read(env, "one", 1))?.map((one) => one.text),
      ["/compact hard"],
    );
  });

  it("of 100 MB are read from their ends only", async () => {
    const path = transcript("huge", `${prompt("The beginning")}${line({ type: "x", filler: "y".repeat(1_000) })}`);
    truncateSync(path, 100 * 1024 * 1024);
    appendFileSync(path, `\n${prompt("The end")}${words(text("Yes."))}`);
    const began = performance.now();
    const [one] = await recall.list(env, 10);
    assert.equal(one?.title, "The beginning");
    assert.deepEqual(
      (await recall.read(env, "huge", 5))?.map((said) => said.text),
      ["The end", "Yes."],
    );
    assert.ok(performance.now() - began < 10_000);
    const line100 = transcript("line", "");
    writeFileSync(line100, prompt("z".repeat(3_000_000)));
    assert.equal((await recall.read(env, "line", 5))?.length, 1);
  });
});

describe("a conversation that is gone on with", () => {
  it("begins with what happened in it: prompts, words, and tools with their results", async () => {
    transcript(
      "one",
      [
        prompt("Do it"),
        words(text("I look."), tool("t1", "ls"), tool("t2", "rm x")),
        result("t1", "a", { permissionDecision: { decision: "accept" } }),
        result("t2", "no", { toolDenialKind: "user-rejected" }),
        words(tool("t3", "sleep 100")),
      ].join(""),
    );
    const memory = freshMemory("s", "/w");
    const facts = await past(env, "one", memory);
    const items = facts.map((fact) =>
      v.parse(Fact, fact).kind === "item.completed" && "item" in fact && typeof fact.item === "object"
        ? fact.item
        : undefined,
    );
    assert.deepEqual(
      items.map((item) => [item?.kind, item?.body, item?.kind === "tool" ? item.tool.state : ""]),
      [
        ["prompt", "Do it", ""],
        ["words", "I look.", ""],
        ["tool", "a", "done"],
        ["tool", "no", "refused"],
        ["tool", "", "failed"],
      ],
    );
    assert.deepEqual(memory.tools, {});
    assert.equal(new Set(items.map((item) => item?.item)).size, 5);
  });

  it("begins with the newest two hundred", async () => {
    transcript("long", Array.from({ length: 500 }, (_, at) => prompt(`p${at}`)).join(""));
    const facts = await past(env, "long", freshMemory("s", "/w"));
    assert.equal(facts.length, 200);
    assert.match(JSON.stringify(facts.at(-1)), /"body":"p499"/u);
  });
});

describe("Claude in other terminals", () => {
  const session = (pid: number | string, more: object = {}): void => {
    const folder = join(home, ".claude", "sessions");
    mkdirSync(folder, { recursive: true });
    const told = {
      pid,
      sessionId: "c1",
      cwd: "/w",
      status: "busy",
      statusUpdatedAt: 5,
      version: "2.1.328",
      entrypoint: "cli",
      ...more,
    };
    writeFileSync(join(folder, `${pid}.json`), JSON.stringify(told));
  };

  it("is seen by its own word while it is alive", async () => {
    session(process.pid, { status: "waiting", name: "w-e7", nameSource: "derived" });
    session(process.ppid, { sessionId: "c2", entrypoint: "sdk-cli" });
    // No process has this pid on any system.
    session(4_194_305, { sessionId: "c3" });
    const listed = await outside.list(env);
    assert.deepEqual(
      listed.map(({ conversation, pid, state, since, title, workspace }) => [
        conversation,
        pid,
        state,
        since,
        title,
        workspace,
      ]),
      [["c1", process.pid, "waiting", 5, undefined, "/w"]],
    );
    assert.equal((await processesOf(env)).length, 2);
  });

  it("is gone when another process has its pid", { skip: process.platform !== "linux" }, async () => {
    session(process.pid, { procStart: "1" });
    assert.deepEqual(await outside.list(env), []);
  });

  it("is passed over where its file is broken, and where there is none", async () => {
    assert.deepEqual(await outside.list(env), []);
    const folder = join(home, ".claude", "sessions");
    mkdirSync(folder, { recursive: true });
    const broken = [
      "",
      "{",
      "[]",
      '{"pid":1}',
      '{"pid":"x"}',
      JSON.stringify({ pid: process.pid, sessionId: "", cwd: "/w" }),
      "x".repeat(200_000),
    ];
    for (const [at, content] of broken.entries()) writeFileSync(join(folder, `${at + 10}.json`), content);
    mkdirSync(join(folder, "99.json"));
    assert.deepEqual(await outside.list(env), []);
  });

  it("is read on as its transcript grows, from the mark, over a cut line, and anew when it became another", async () => {
    const read = async (mark: unknown) => {
      const { facts, mark: next } = (await outside.read?.(env, "c1", mark)) ?? { facts: [], mark };
      return { kinds: facts.map(told), next: JSON.parse(JSON.stringify(next)) as unknown };
    };
    const none = await read(undefined);
    assert.deepEqual(none.kinds, []);
    const path = transcript("c1", `${prompt("One")}${words(tool("t1", "ls"))}`);
    const first = await read(none.next);
    assert.deepEqual(first.kinds, ["agent.reported One", "item.completed prompt One", "item.began tool "]);
    assert.deepEqual((await read(first.next)).kinds, []);
    const cut = result("t1", "a");
    appendFileSync(path, cut.slice(0, 40));
    const half = await read(first.next);
    assert.deepEqual(half.kinds, []);
    appendFileSync(path, `${cut.slice(40)}${words(text("Done."))}`);
    const rest = await read(half.next);
    assert.deepEqual(rest.kinds, ["item.completed tool a", "item.completed words Done."]);
    writeFileSync(path, prompt("Two"));
    assert.deepEqual((await read(rest.next)).kinds, ["item.completed prompt Two"]);
    for (const mark of [null, 7, "x", [], { conversation: "c1", offset: "x", tools: 1, steps: 2 }])
      assert.equal((await read(mark)).kinds.length, 2, JSON.stringify(mark));
  });

  function told(fact: Fact): string {
    if (fact.kind === "agent.reported") return `${fact.kind} ${fact.title ?? ""}`;
    if (fact.kind === "item.began" || fact.kind === "item.completed")
      return `${fact.kind} ${fact.item.kind} ${fact.item.body}`;
    return fact.kind;
  }
});
