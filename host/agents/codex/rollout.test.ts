/** Codex's own files as other versions write them, and as nobody should. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Fact } from "@flybridge/protocol/entry.ts";
import fc from "fast-check";
import * as v from "valibot";
import { historyOf } from "./history.ts";
import { freshMemory } from "./memory.ts";
import { recall, rolloutOf } from "./rollout.ts";
import { rowsIn } from "./row.ts";

const home = mkdtempSync(join(tmpdir(), "flybridge-rollout-"));
after(() => rmSync(home, { recursive: true, force: true }));

let made = 0;

function line(type: string, payload: object, at = "2026-01-02T03:04:05.678Z"): string {
  return JSON.stringify({ timestamp: at, type, payload });
}
const response = (payload: object): string => line("response_item", payload);
const event = (payload: object): string => line("event_msg", payload);
const user = (text: string): string =>
  response({ type: "message", role: "user", content: [{ type: "input_text", text }] });
const meta = (id: string, more: object = {}): string =>
  line("session_meta", { id, cwd: "/home/ada/work", source: "cli", ...more });

/** A file of a conversation of its own in `folder`, which is a CODEX_HOME. */
function rollout(folder: string, lines: readonly string[], age = 0): { id: string; path: string } {
  made += 1;
  const id = `01a22f16-29b5-7f73-937a-${String(made).padStart(12, "0")}`;
  const day = join(folder, "sessions", "2026", "01", "02");
  mkdirSync(day, { recursive: true });
  const path = join(day, `rollout-2026-01-02T03-04-05-${id}.jsonl`);
  writeFileSync(path, lines.map((one) => one.replaceAll("ID", id)).join("\n"));
  const seconds = 1_700_000_000 - age;
  utimesSync(path, seconds, seconds);
  return { id, path };
}

function fresh(): { readonly folder: string; readonly env: Record<string, string> } {
  const folder = mkdtempSync(join(home, "codex-"));
  return { folder, env: { CODEX_HOME: folder } };
}

const OLDER = [
  meta("ID"),
  user("<environment_context>\n<cwd>/x</cwd>\n</environment_context>"),
  user("Mend it"),
  event({ type: "user_message", message: "Mend it" }),
  event({ type: "agent_reasoning", text: "Hm" }),
  response({ type: "reasoning", summary: [{ type: "summary_text", text: "Hm" }] }),
  event({ type: "agent_message", message: "I look first", phase: "commentary" }),
  response({
    type: "message",
    role: "assistant",
    phase: "commentary",
    content: [{ type: "output_text", text: "I look first" }],
  }),
  response({ type: "function_call", name: "shell", call_id: "c1", arguments: '{"command":["bash","-lc","npm test"]}' }),
  event({
    type: "exec_command_end",
    call_id: "c1",
    command: ["bash", "-lc", "npm test"],
    aggregated_output: "1 failed\n",
    exit_code: 1,
  }),
  response({ type: "function_call_output", call_id: "c1", output: '{"output":"1 failed","metadata":{"exit_code":1}}' }),
  response({
    type: "custom_tool_call",
    name: "apply_patch",
    call_id: "c2",
    input:
      "*** Begin Patch\n*** Update File: a.ts\n@@\n one\n-two\n-three\n+2\n*** Add File: b.ts\n+new\n*** End Patch",
  }),
  response({
    type: "custom_tool_call_output",
    call_id: "c2",
    output: '{"output":"Success.","metadata":{"exit_code":0}}',
  }),
  response({ type: "web_search_call", status: "completed", action: { type: "search", query: "cats" } }),
  event({ type: "web_search_end", call_id: "ws_1", query: "cats" }),
  event({
    type: "mcp_tool_call_end",
    call_id: "c3",
    invocation: { server: "demo", tool: "deploy", arguments: { env: "prod" } },
    result: { Ok: { content: [{ type: "text", text: "deployed" }], isError: false } },
  }),
  response({ type: "function_call", name: "exec_command", call_id: "c4", arguments: '{"cmd":"npm start"}' }),
  response({
    type: "function_call_output",
    call_id: "c4",
    output: "Wall time: 1\nProcess running with session ID 77\nOutput:\nup\n",
  }),
  response({
    type: "function_call",
    name: "write_stdin",
    call_id: "c5",
    arguments: '{"session_id":77,"chars":"q\\n"}',
  }),
  response({ type: "function_call_output", call_id: "c5", output: "Process exited with code 0\nOutput:\nbye\n" }),
  response({
    type: "function_call",
    name: "update_plan",
    call_id: "c6",
    arguments: '{"plan":[{"step":"a","status":"in_progress"}]}',
  }),
  line("compacted", { message: "…" }),
  event({ type: "context_compacted" }),
  response({ type: "message", role: "assistant", content: [{ type: "output_text", text: "It works now" }] }),
  event({ type: "turn_aborted", reason: "interrupted" }),
];

describe("the record that Codex keeps", () => {
  it("[E20] [E21] is read with commentary, tools, searches, MCP, patches, compactions and background terminals", () => {
    const rows = rowsIn(OLDER).map((row) => {
      if (row.kind === "tool") {
        const counts = row.tool.edits.map(({ added, removed }) => `+${added} −${removed}`);
        return [row.tool.name, row.tool.object, row.tool.state, row.tool.exit, row.body.trim(), ...counts];
      }
      if (row.kind === "words") return [row.commentary ? "commentary" : "words", row.body];
      return row.kind === "todo" ? ["todo", row.steps[0]?.state] : [row.kind, row.body];
    });
    assert.deepEqual(rows, [
      ["prompt", "Mend it"],
      ["thought", "Hm"],
      ["commentary", "I look first"],
      ["shell", "npm test", "failed", 1, "1 failed"],
      ["apply_patch", "a.ts and 1 more", "done", undefined, "Success.", "+1 −2", "+1 −0"],
      ["web_search", "cats", "done", undefined, ""],
      ["mcp__demo__deploy", "prod", "done", undefined, "deployed"],
      [
        "exec_command",
        "npm start",
        "done",
        undefined,
        "up\n(Process running with session ID 77: it went on in the background.)",
      ],
      ["write_stdin", '"q\\n" into terminal 77', "done", 0, "bye"],
      ["todo", "doing"],
      ["notice", "The conversation was compacted: the agent goes on from a summary."],
      ["words", "It works now"],
      ["notice", "The turn was interrupted."],
    ]);
  });

  it("[E19] [E26] lists newest first, by folder and name, also what appears after it was looked for", async () => {
    const { folder, env } = fresh();
    assert.deepEqual(await recall.list(env, 10), []);
    assert.equal(await recall.read(env, "nothing", 10), undefined);
    const old = rollout(folder, [meta("ID"), user("Old one")], 100);
    rollout(folder, [meta("ID", { source: { subagent: { thread_spawn: {} } } }), user("Of a sub-agent")]);
    rollout(folder, [meta("ID"), "never used"]);
    rollout(folder, ["not json", '{"type":']);
    rollout(folder, []);
    const long = rollout(
      folder,
      [meta("ID"), line("world_state", { full: "x".repeat(300_000) }), user("Late\nprompt")],
      50,
    );
    writeFileSync(
      join(folder, "session_index.jsonl"),
      `junk\n${JSON.stringify({ id: old.id, thread_name: "Named" })}\n`,
    );
    const listed = await recall.list(env, 10);
    assert.deepEqual(
      listed.map(({ conversation, title, workspace, updated }) => [conversation, title, workspace, updated]),
      [
        [long.id, "Late prompt", "/home/ada/work", 1_699_999_950_000],
        [old.id, "Named", "/home/ada/work", 1_699_999_900_000],
      ],
    );
    assert.equal((await recall.list(env, 1)).length, 1);
    const late = rollout(folder, OLDER, -5);
    assert.equal((await recall.list(env, 1))[0]?.conversation, late.id);
    assert.deepEqual(
      (await recall.read(env, late.id, 2))?.map(({ who, text }) => [who, text]),
      [
        ["agent", "I look first"],
        ["agent", "It works now"],
      ],
    );
  });

  it("takes a copy's beginning from its original, up to where it was made", async () => {
    const { folder, env } = fresh();
    const first = [
      meta("ID"),
      user("One"),
      response({ type: "message", role: "assistant", content: [{ text: "Two" }] }),
    ];
    const original = rollout(folder, first);
    const bytes = Buffer.byteLength(`${first.join("\n").replaceAll("ID", original.id)}\n`);
    appendFileSync(original.path, `\n${user("Not in the copy")}`);
    const base = { thread_id: original.id, end_byte_offset: bytes };
    const copy = rollout(folder, [meta("ID", { forked_from_id: original.id, history_base: base }), user("Three")]);
    assert.deepEqual(
      (await recall.read(env, copy.id, 10))?.map(({ text }) => text),
      ["One", "Two", "Three"],
    );
    // One that names itself is read once and again, and no further.
    const circle = rollout(folder, [meta("ID", { history_base: { thread_id: "ID" } }), user("Round")]);
    assert.ok(((await recall.read(env, circle.id, 100))?.length ?? 0) <= 5);
  });

  it("begins a session with its end alone where it is long, within bounds", async () => {
    const { folder, env } = fresh();
    const many = Array.from({ length: 5_000 }, (_, at) =>
      user(`Prompt ${at} ${"x".repeat(30_000 * (at % 7 === 0 ? 1 : 0))}`),
    );
    const { id } = rollout(folder, [
      meta("ID"),
      ...many,
      '{"timestamp":"2026-01-02T03:04:05.678Z","type":"response_it',
    ]);
    const facts = await historyOf(env, id, freshMemory("/", false));
    assert.ok(facts.length > 100 && facts.length <= 201);
    assert.ok(JSON.stringify(facts).length < 3 * 1024 * 1024);
    const [first] = facts;
    assert.ok(first?.kind === "notice");
    const last = facts.at(-1);
    assert.ok(
      last?.kind === "item.completed" && last.item.kind === "prompt" && last.item.body.startsWith("Prompt 4999"),
    );
    assert.equal(await rolloutOf(env, "no-such"), undefined);
  });

  it("survives any line, and gives facts that the protocol can carry", async () => {
    const spoiled = fc
      .tuple(fc.constantFrom(...OLDER), fc.jsonValue(), fc.nat(), fc.boolean())
      .map(([text, value, place, cut]) => (cut ? text.slice(0, place % (text.length + 1)) : spoil(text, value, place)));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(spoiled, fc.string(), fc.json()), { maxLength: 20 }),
        (lines) => void rowsIn(lines),
      ),
    );
    const { folder, env } = fresh();
    for (const lines of fc.sample(fc.array(spoiled, { minLength: 5, maxLength: 30 }), 20)) {
      const { id } = rollout(folder, [meta("ID"), ...lines]);
      for (const fact of await historyOf(env, id, freshMemory("/", false))) v.parse(Fact, fact);
    }
    assert.ok((await recall.list(env, 100)).length <= 20);
  });
});

/** The line with one of its values, at any depth, replaced. */
function spoil(text: string, value: unknown, place: number): string {
  const whole = JSON.parse(text) as object;
  const places: [Record<string, unknown>, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      walk((node as Record<string, unknown>)[key]);
    }
  };
  walk(whole);
  const chosen = places[place % places.length];
  if (chosen) chosen[0][chosen[1]] = value;
  return JSON.stringify(whole);
}
