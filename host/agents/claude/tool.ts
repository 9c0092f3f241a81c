/** Tool calls: what each is about, the diffs of those that edit, and what their results mean. */
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Edit, Item, ToolItem } from "@flybridge/protocol/item.ts";
import { MAX_BODY_CHARS, MAX_EDITS, MAX_INPUT_CHARS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { foreignIdOf, kept, labelOf } from "../bounds.ts";
import { editBetween, editOf, type Hunk } from "../diff.ts";
import { isObject, listAt, numberAt, objectAt, textAt, textsAt, type Json } from "../json.ts";
import { began, completed, nextId, type Memory, type RunningTool } from "./memory.ts";

type ToolKind = ToolItem["tool"]["kind"];
type ToolState = ToolItem["tool"]["state"];

/** What each tool does, and which part of its input a person would call its object. */
const TOOLS: Record<string, readonly [kind: ToolKind, object: string]> = {
  Bash: ["command", "command"],
  PowerShell: ["command", "command"],
  BashOutput: ["command", "bash_id"],
  KillShell: ["command", "shell_id"],
  Monitor: ["command", "command"],
  Read: ["read", "file_path"],
  NotebookRead: ["read", "notebook_path"],
  Grep: ["search", "pattern"],
  Glob: ["search", "pattern"],
  ToolSearch: ["search", "query"],
  LS: ["list", "path"],
  Edit: ["edit", "file_path"],
  MultiEdit: ["edit", "file_path"],
  Write: ["edit", "file_path"],
  NotebookEdit: ["edit", "notebook_path"],
  WebFetch: ["fetch", "url"],
  WebSearch: ["fetch", "query"],
  Task: ["agent", "description"],
  Agent: ["agent", "description"],
  Skill: ["other", "skill"],
};
/** Steps of one list that are shown. */
const MAX_STEPS = 500;
/** Where a tool is not in the table: the first of these that its input has. */
const USUAL_OBJECTS = ["command", "file_path", "path", "pattern", "query", "url", "description", "name", "prompt"];
/** Tools that are shown as something else: the list of steps, and the asks. */
const SILENT_TOOLS = new Set(["TodoWrite", "TaskCreate", "TaskUpdate", "TaskList", "TaskGet"]);

export function kindOf(name: string): ToolKind {
  return TOOLS[name]?.[0] ?? "other";
}

/** Inputs are shown as the agent gave them. */
export function inputOf(input: Json): string {
  return kept(JSON.stringify(input), MAX_INPUT_CHARS);
}

export function hearToolUse(memory: Memory, block: Json, parent: ItemId | undefined, at: number): Draft[] {
  const name = textAt(block, "name") ?? "tool";
  const input = objectAt(block, "input") ?? {};
  const id = foreignIdOf(textAt(block, "id")) ?? nextId<string>(memory, "tool");
  if (memory.tools[id]) return [];
  if (name === "TodoWrite") return stepsItem(memory, listAt(input, "todos").map(todoStep), parent, at);
  const item: ToolItem = {
    kind: "tool",
    item: id as ItemId,
    ...(memory.turn === undefined ? {} : { turn: memory.turn }),
    ...(parent === undefined ? {} : { parent }),
    body: "",
    at,
    tool: {
      name: labelOf(name),
      kind: kindOf(name),
      object: labelOf(objectOf(name, input)),
      input: inputOf(input),
      edits: editsOf(name, input),
      state: "running",
    },
  };
  memory.tools[id] = { item };
  return SILENT_TOOLS.has(name) ? [] : [began(item)];
}

/** One result in a `user` message; `whole` is that message, whose structured result says more than the text. */
export function hearToolResult(memory: Memory, result: Json, whole: Json, at: number): Draft[] {
  const id = foreignIdOf(textAt(result, "tool_use_id"));
  const running = id === undefined ? undefined : memory.tools[id];
  if (id === undefined || !running) return [];
  const structured = objectAt(whole, "tool_use_result");
  if (textAt(structured, "status") === "async_launched") {
    running.background = true;
    return [];
  }
  delete memory.tools[id];
  const { item } = running;
  if (SILENT_TOOLS.has(item.tool.name)) return structured ? hearTask(memory, item, structured, at) : [];
  const failed = result["is_error"] === true;
  const refused = listAt(whole, "tool_result_meta").some((meta) => textAt(meta, "id") === id && wasRefused(meta));
  const exit = item.tool.kind === "command" ? exitOf(result, structured) : undefined;
  return [
    finished(running, refused ? "refused" : failed ? "failed" : "done", bodyOf(item, result), {
      ...(exit === undefined ? {} : { exit }),
      ...(structured ? { edits: editsDone(item.tool.edits, structured) } : {}),
    }),
  ];
}

/** A tool that went on in the background has come to its end. True when it was one of ours. */
export function hearBackgroundEnd(memory: Memory, notice: Json): Draft[] | undefined {
  const id = foreignIdOf(textAt(notice, "tool_use_id"));
  const running = id === undefined ? undefined : memory.tools[id];
  if (id === undefined || running?.background !== true) return undefined;
  delete memory.tools[id];
  return [
    finished(running, textAt(notice, "status") === "completed" ? "done" : "failed", textAt(notice, "summary") ?? ""),
  ];
}

/** Calls of a turn that ended without their results: only those in the background go on. */
export function closeTools(memory: Memory): Draft[] {
  return Object.entries(memory.tools).flatMap(([id, running]) => {
    const parent = running.item.parent;
    const alive = running.background === true || (parent !== undefined && memory.tools[parent]?.background === true);
    if (alive) return [];
    delete memory.tools[id];
    return SILENT_TOOLS.has(running.item.tool.name) ? [] : [finished(running, "failed", "")];
  });
}

/** What an edit would do, from its input alone: an adapter reads no files, so a `Write` shows all it writes. */
export function editsOf(name: string, input: Json): Edit[] {
  const path = textAt(input, "file_path") ?? textAt(input, "notebook_path") ?? "";
  switch (name) {
    case "Edit":
      return [fragment(path, input)];
    case "MultiEdit":
      return listAt(input, "edits")
        .slice(0, MAX_EDITS)
        .map((edit) => fragment(path, edit));
    case "Write":
      return [editBetween(path, "", textAt(input, "content") ?? "")];
    case "NotebookEdit":
      return [editBetween(path, "", line(textAt(input, "new_source") ?? ""))];
    default:
      return [];
  }
}

function objectOf(name: string, input: Json): string {
  if (name === "AskUserQuestion") return textAt(listAt(input, "questions")[0], "question") ?? "";
  const named = TOOLS[name]?.[1];
  const key = named ?? USUAL_OBJECTS.find((one) => typeof input[one] === "string");
  const object = key === undefined ? undefined : textAt(input, key);
  return object ?? textAt(input, "description") ?? "";
}

function finished(
  running: RunningTool,
  state: ToolState,
  body: string,
  more: { readonly exit?: number; readonly edits?: Edit[] } = {},
): Draft {
  const { item } = running;
  return completed({ ...item, body: kept(body, MAX_BODY_CHARS), tool: { ...item.tool, ...more, state } });
}

function wasRefused(meta: Json): boolean {
  return (
    textAt(objectAt(meta, "permission_decision"), "decision") === "reject" ||
    textAt(meta, "non_execution_kind") === "user-rejected"
  );
}

function bodyOf(item: ToolItem, result: Json): string {
  const text = textOf(result["content"]);
  if (item.tool.kind !== "command") return text.replace(/^<tool_use_error>([\s\S]*)<\/tool_use_error>$/u, "$1");
  // The exit code has its own place, and silence needs no words.
  return text.replace(/^Exit code \d+\n?/u, "").replace(/^\(Bash completed with no output\)$/u, "");
}

function exitOf(result: Json, structured: Json | undefined): number | undefined {
  const told = /^Exit code (\d+)/u.exec(textOf(result["content"]))?.[1];
  if (told !== undefined && result["is_error"] === true) return Number(told);
  const ran =
    structured !== undefined &&
    result["is_error"] !== true &&
    structured["interrupted"] !== true &&
    textAt(structured, "backgroundTaskId") === undefined &&
    // "No matches found" and the like: the code was not 0, and what it was is not told.
    textAt(structured, "returnCodeInterpretation") === undefined;
  return ran ? 0 : undefined;
}

/** After the edit Claude tells the change with its place in the file, which the input could not. */
function editsDone(before: readonly Edit[], structured: Json): Edit[] {
  const path = textAt(structured, "filePath");
  const hunks = listAt(structured, "structuredPatch").map(hunkOf);
  return path === undefined || hunks.length === 0 ? [...before] : [editOf(path, hunks)];
}

function hunkOf(hunk: Json): Hunk {
  return {
    oldStart: numberAt(hunk, "oldStart") ?? 0,
    oldLines: numberAt(hunk, "oldLines") ?? 0,
    newStart: numberAt(hunk, "newStart") ?? 0,
    newLines: numberAt(hunk, "newLines") ?? 0,
    lines: textsAt(hunk, "lines"),
  };
}

function fragment(path: string, edit: Json): Edit {
  return editBetween(path, line(textAt(edit, "old_string") ?? ""), line(textAt(edit, "new_string") ?? ""));
}

/** A fragment ends where it is cut, not where its file ends: without this each would say "no newline at end of file". */
function line(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const parts = content
    .filter(isObject)
    .map((part) => textAt(part, "text") ?? `[${textAt(part, "type") ?? "something"}]`);
  return parts.join("\n");
}

type Step = Extract<Item, { kind: "todo" }>["steps"][number];

/** Claude keeps its list either as a whole (`TodoWrite`) or step by step (`TaskCreate`, `TaskUpdate`). */
function hearTask(memory: Memory, item: ToolItem, structured: Json, at: number): Draft[] {
  const task = objectAt(structured, "task");
  if (item.tool.name === "TaskCreate" && task) {
    memory.steps.push({ id: textAt(task, "id") ?? "", text: labelOf(textAt(task, "subject") ?? ""), state: "open" });
  } else if (item.tool.name === "TaskUpdate") {
    const id = textAt(structured, "taskId");
    const to = textAt(objectAt(structured, "statusChange"), "to");
    if (to === "deleted") memory.steps = memory.steps.filter((step) => step.id !== id);
    for (const step of memory.steps) if (step.id === id && to !== undefined) step.state = stateOf(to);
  } else {
    return [];
  }
  const steps = memory.steps.map(({ text, state }) => ({ text, state }));
  return stepsItem(memory, steps, item.parent, at);
}

function stepsItem(memory: Memory, steps: readonly Step[], parent: ItemId | undefined, at: number): Draft[] {
  const item: Item = {
    kind: "todo",
    item: nextId<ItemId>(memory, "i"),
    ...(memory.turn === undefined ? {} : { turn: memory.turn }),
    ...(parent === undefined ? {} : { parent }),
    body: "",
    at,
    steps: steps.slice(0, MAX_STEPS),
  };
  return [began(item), completed(item)];
}

function todoStep(todo: Json): Step {
  return { text: labelOf(textAt(todo, "content") ?? ""), state: stateOf(textAt(todo, "status")) };
}

function stateOf(status: string | undefined): Step["state"] {
  return status === "completed" ? "done" : status === "in_progress" ? "doing" : "open";
}
