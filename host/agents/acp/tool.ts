/**
 * Tool calls: told in pieces, of which any may be missing. A call is shown once the agent has said what it is about,
 * and completed with all that it said of it.
 */
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Edit, Item, ToolItem } from "@flybridge/protocol/item.ts";
import { MAX_BODY_CHARS, MAX_EDITS, MAX_INPUT_CHARS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { kept, labelOf, room } from "../bounds.ts";
import { editBetween } from "../diff.ts";
import { isObject, listAt, numberAt, objectAt, textAt, textsAt, type Json } from "../json.ts";
import { nextId, type Memory, type RunningTool } from "./memory.ts";
import { began, completed } from "./notice.ts";
import { closeText, textOfBlock } from "./text.ts";

type ToolKind = ToolItem["tool"]["kind"];
type ToolState = ToolItem["tool"]["state"];
type Step = Extract<Item, { kind: "todo" }>["steps"][number];

/** Characters of a running tool's output that are shown while it runs: what is open is stored with every batch. */
const MAX_LIVE_CHARS = 64 * 1024;
/** Calls open at once; of more than these, the oldest are ended. */
const MAX_TOOLS = 128;
/** Ended calls of a turn that are remembered. */
const MAX_ENDED = 256;
/** Steps of one list that are shown. */
const MAX_STEPS = 500;

const KINDS: ReadonlyMap<unknown, ToolKind> = new Map(
  Object.entries({
    read: "read",
    edit: "edit",
    delete: "edit",
    move: "edit",
    search: "search",
    execute: "command",
    fetch: "fetch",
  } as const),
);
/** A call's name, where the agent gives it only a title. */
const NAMES: ReadonlyMap<unknown, string> = new Map(
  Object.entries({
    read: "Read",
    edit: "Edit",
    delete: "Delete",
    move: "Move",
    search: "Search",
    execute: "Run",
    fetch: "Fetch",
    think: "Think",
    switch_mode: "Switch mode",
  }),
);
/** What a title is when it is a name and not a sentence. */
const NAME = /^[\w.:-]{1,64}$/u;
/** The first of these that an input has is what a person would call its object. */
const OBJECTS = ["file_path", "filePath", "filepath", "path", "pattern", "query", "url", "description", "name"];

/** `tool_call` begins a call, `tool_call_update` says more of it; agents are found that do only one of the two. */
export function hearTool(memory: Memory, update: Json, isNew: boolean, at: number): Draft[] {
  const id = callOf(update);
  if (memory.ended.includes(id)) {
    if (!isNew) return [];
    memory.ended = memory.ended.filter((one) => one !== id);
  }
  const tool = toolFor(memory, id, update, at);
  describe(tool, update, at, textAt(update, "status") !== "pending");
  if (listSteps(memory, tool, update)) return finishSilently(memory, id, tool, update, at);
  const drafts = show(memory, tool, textAt(update, "status") !== "pending");
  drafts.push(...hearOutput(tool, update));
  const state = endOf(update);
  return state === undefined ? drafts : [...drafts, ...finish(memory, id, tool, state, update)];
}

/** The call that a permission is asked for: shown now, whatever was said of it. Its text is about the request. */
export function toolAsked(memory: Memory, call: Json, at: number): { tool: RunningTool; drafts: Draft[] } {
  const id = callOf(call);
  memory.ended = memory.ended.filter((one) => one !== id);
  const tool = toolFor(memory, id, call, at);
  describe(tool, call, at, true);
  return { tool, drafts: show(memory, tool, true) };
}

/** Calls of a turn that is over without their results. */
export function closeTools(memory: Memory, state: ToolState): Draft[] {
  const drafts = Object.entries(memory.tools).flatMap(([id, tool]) => finish(memory, id, tool, state, {}));
  memory.ended = [];
  return drafts;
}

/** A list of steps that replaces the one before; nothing where it says the same. */
export function hearSteps(memory: Memory, entries: readonly Json[], at: number): Draft[] {
  const steps = entries.slice(0, MAX_STEPS).map(stepOf);
  const text = JSON.stringify(steps);
  if (text === memory.steps || (steps.length === 0 && memory.steps === undefined)) return [];
  memory.steps = text;
  const item: Item = { kind: "todo", item: nextId<ItemId>(memory, "i"), ...turnOf(memory), body: "", at, steps };
  return [...closeText(memory), began(item), completed(item)];
}

export function kindOf(call: Json): ToolKind {
  return KINDS.get(textAt(call, "kind")) ?? "other";
}

/** Changes of files that a call tells, whole or in part. */
export function editsIn(call: Json): Edit[] {
  return listAt(call, "content")
    .filter((content) => textAt(content, "type") === "diff")
    .slice(0, MAX_EDITS)
    .map((diff) => {
      const [before, after] = [textAt(diff, "oldText") ?? "", textAt(diff, "newText") ?? ""];
      return editBetween(textAt(diff, "path") ?? "", ...closedLines(before, after));
    });
}

export function textIn(call: Json): string {
  return listAt(call, "content")
    .filter((content) => textAt(content, "type") === "content")
    .map((content) => textOfBlock(objectAt(content, "content")))
    .filter((text) => text !== "")
    .join("\n");
}

/** The command as it would be typed; agents give it as a line or as words. */
export function commandOf(input: Json | undefined): string | undefined {
  const command = input?.["command"] ?? input?.["cmd"];
  if (typeof command === "string") return command === "" ? undefined : command;
  const words = textsAt(input, "command");
  if (words.length === 0) return undefined;
  return words.map((word) => (/^[\w./:=@%+,-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}

/** The agent's id of a call, as a key that is no name of JavaScript's own. */
export function callOf(call: Json): string {
  return `call ${textAt(call, "toolCallId") ?? ""}`;
}

function toolFor(memory: Memory, id: string, call: Json, at: number): RunningTool {
  const known = memory.tools[id];
  if (known) return known;
  const title = textAt(call, "title") ?? "";
  const own = textAt(call, "name") ?? textAt(objectAt(objectAt(call, "_meta"), "claudeCode"), "toolName");
  const name = own ?? NAMES.get(textAt(call, "kind")) ?? (NAME.test(title) ? title : "Tool");
  const item: ToolItem = {
    kind: "tool",
    item: nextId<ItemId>(memory, "i"),
    ...turnOf(memory),
    body: "",
    at,
    tool: { name: labelOf(name), kind: kindOf(call), object: "", input: "{}", edits: [], state: "running" },
  };
  const tool: RunningTool = { item, began: false };
  memory.tools[id] = tool;
  return tool;
}

/** What the update says of the call itself; `firm` when its title is more than the name of a tool. */
function describe(tool: RunningTool, update: Json, at: number, firm: boolean): void {
  const known = tool.item.tool;
  const input = objectAt(update, "rawInput");
  const kind = textAt(update, "kind") === undefined ? known.kind : kindOf(update);
  const edits = merged(known.edits, editsIn(update));
  const exit = exitIn(update);
  if (exit !== undefined) tool.exit = exit;
  tool.item = {
    ...tool.item,
    at: tool.began ? tool.item.at : at,
    tool: {
      ...known,
      kind,
      object: objectOf(kind, update, input, known, firm),
      input: input && Object.keys(input).length > 0 ? kept(JSON.stringify(input), MAX_INPUT_CHARS) : known.input,
      edits,
    },
  };
}

function objectOf(
  kind: ToolKind,
  update: Json,
  input: Json | undefined,
  known: ToolItem["tool"],
  firm: boolean,
): string {
  const title = textAt(update, "title") ?? "";
  const said = firm && title !== known.name ? title : "";
  if (kind === "command") return labelOf((commandOf(input) ?? known.object) || said);
  const path = textAt(listAt(update, "locations")[0], "path");
  const key = OBJECTS.find((one) => textAt(input, one) !== undefined);
  const object = path ?? (key === undefined ? undefined : textAt(input, key));
  return labelOf((object ?? known.object) || said);
}

/** The item begins when there is something to show; `anyway` when there will be no more. */
function show(memory: Memory, tool: RunningTool, anyway: boolean): Draft[] {
  if (tool.began || tool.silent === true || (!anyway && tool.item.tool.object === "")) return [];
  tool.began = true;
  return [...closeText(memory), ...makeRoom(memory), began(tool.item)];
}

/** Output as it comes: told again whole with more at its end, or in pieces of a terminal of the agent's own. */
function hearOutput(tool: RunningTool, update: Json): Draft[] {
  const piece = textAt(objectAt(objectAt(update, "_meta"), "terminal_output"), "data");
  const text = piece === undefined ? textIn(update) : `${tool.output ?? tool.item.body}${piece}`;
  if (text === "") {
    // An empty list takes back what was said before.
    if (piece === undefined && Array.isArray(update["content"]) && editsIn(update).length === 0) tool.output = "";
    return [];
  }
  const { body } = tool.item;
  const grows = tool.began && text.length <= MAX_LIVE_CHARS && text.startsWith(body);
  if (!grows) {
    tool.output = kept(text, MAX_BODY_CHARS);
    return [];
  }
  delete tool.output;
  const rest = room(body.length, text.slice(body.length));
  if (rest === "") return [];
  tool.item = { ...tool.item, body: body + rest };
  return [{ kind: "grow", item: tool.item.item, text: rest }];
}

function endOf(update: Json): ToolState | undefined {
  const status = textAt(update, "status");
  return status === "completed" ? "done" : status === "failed" ? "failed" : undefined;
}

function finish(memory: Memory, id: string, tool: RunningTool, state: ToolState, update: Json): Draft[] {
  delete memory.tools[id];
  memory.ended = [...memory.ended, id].slice(-MAX_ENDED);
  if (tool.silent === true) return [];
  const shown = show(memory, tool, true);
  const body = (tool.output ?? tool.item.body) || rawTextIn(update);
  const { exit, item } = tool;
  const end = tool.refused === true && state !== "done" ? "refused" : state;
  return [
    ...shown,
    completed({
      ...item,
      body: kept(body, MAX_BODY_CHARS),
      tool: { ...item.tool, state: end, ...(exit === undefined ? {} : { exit }) },
    }),
  ];
}

/** opencode keeps its list of steps by a tool, and says nothing of it in the protocol's own way; repeated, it has a title. */
function listSteps(memory: Memory, tool: RunningTool, update: Json): boolean {
  if (tool.silent === true) return true;
  const { kind, name } = tool.item.tool;
  const steps = listAt(objectAt(update, "rawInput"), "todos");
  const isSteps = kind === "other" && steps.length > 0 && steps.every((step) => textAt(step, "content") !== undefined);
  const isList = (name === "todowrite" || isSteps) && !tool.began;
  if (isList) tool.silent = true;
  return isList;
}

function finishSilently(memory: Memory, id: string, tool: RunningTool, update: Json, at: number): Draft[] {
  const steps = listAt(objectAt(update, "rawInput"), "todos");
  const drafts = steps.length === 0 ? [] : hearSteps(memory, steps, at);
  const state = endOf(update);
  return state === undefined ? drafts : [...drafts, ...finish(memory, id, tool, state, update)];
}

function rawTextIn(update: Json): string {
  const raw = update["rawOutput"];
  if (typeof raw === "string") return raw;
  if (!isObject(raw)) return "";
  const text = ["output", "formatted_output", "stdout", "text", "error", "message"]
    .map((key) => textAt(raw, key))
    .find((one) => one !== undefined && one !== "");
  return text ?? (Object.keys(raw).length === 0 ? "" : JSON.stringify(raw, undefined, 2));
}

function exitIn(update: Json): number | undefined {
  const raw = objectAt(update, "rawOutput");
  return (
    numberAt(objectAt(objectAt(update, "_meta"), "terminal_exit"), "exit_code") ??
    numberAt(raw, "exit_code") ??
    numberAt(raw, "exitCode") ??
    numberAt(objectAt(raw, "metadata"), "exit")
  );
}

/** The first that is told of a file stays: what was asked for shows it with its surroundings, the result often not. */
function merged(before: readonly Edit[], now: readonly Edit[]): Edit[] {
  const paths = new Set(before.map((edit) => edit.path));
  return [...before, ...now.filter((edit) => !paths.has(edit.path))].slice(0, MAX_EDITS);
}

/** A fragment ends where it is cut, not where its file ends: without this each would say "no newline at end of file". */
function closedLines(before: string, after: string): [string, string] {
  const open = [before, after].every((text) => text !== "" && !text.endsWith("\n"));
  return open ? [`${before}\n`, `${after}\n`] : [before, after];
}

function makeRoom(memory: Memory): Draft[] {
  const [oldest] = Object.entries(memory.tools);
  if (!oldest || Object.keys(memory.tools).length <= MAX_TOOLS) return [];
  return finish(memory, oldest[0], oldest[1], "failed", {});
}

function turnOf(memory: Memory): { turn?: ToolItem["turn"] } {
  return memory.turn?.turn === undefined ? {} : { turn: memory.turn.turn };
}

function stepOf(entry: Json): Step {
  const status = textAt(entry, "status");
  const text = labelOf(textAt(entry, "content") ?? textAt(entry, "description") ?? "");
  return { text, state: status === "completed" ? "done" : status === "in_progress" ? "doing" : "open" };
}
