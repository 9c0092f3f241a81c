/**
 * An item is one thing an agent did or said in a turn: words, a thought, a tool call. Its `body` is the one text of it
 * that grows while it streams: the words, the thought, or the tool's output.
 */
import * as v from "valibot";
import { ItemId, Time, TurnId } from "./ids.ts";
import {
  MAX_BODY_CHARS,
  MAX_DIFF_CHARS,
  MAX_EDITS,
  MAX_INPUT_CHARS,
  MAX_LABEL_CHARS,
  MAX_PATH_CHARS,
} from "./limits.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
const body = v.pipe(v.string(), v.maxLength(MAX_BODY_CHARS));

/** One file's change. `diff` is a unified diff without its two file lines, cut at MAX_DIFF_CHARS. */
export const Edit = v.object({
  path: v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS)),
  diff: v.pipe(v.string(), v.maxLength(MAX_DIFF_CHARS)),
  added: v.number(),
  removed: v.number(),
});
export type Edit = v.InferOutput<typeof Edit>;

/** What a tool does, for the icon and for folding: reads and searches fold into one line. */
export const ToolKind = v.picklist(["command", "read", "search", "edit", "fetch", "agent", "list", "other"]);
export type ToolKind = v.InferOutput<typeof ToolKind>;

const common = {
  item: ItemId,
  turn: v.optional(TurnId),
  /** The tool item of the sub-agent that did it. */
  parent: v.optional(ItemId),
  body,
  /** When it began; with the entry's own time that gives how long it took. */
  at: Time,
};

const WordsItem = v.object({
  ...common,
  kind: v.literal("words"),
  /** Said on the way; the answer is still to come. */
  commentary: v.optional(v.boolean()),
});
/** What a person said to the agent at some other place: before this session, or at the agent's own screen. */
const PromptItem = v.object({ ...common, kind: v.literal("prompt") });
const ThoughtItem = v.object({ ...common, kind: v.literal("thought") });
export const ToolItem = v.object({
  ...common,
  kind: v.literal("tool"),
  tool: v.object({
    /** The agent's own name of it: `Bash`, `mcp__demo__deploy`. */
    name: label,
    kind: ToolKind,
    /** The object of the line, after icon and verb: a command, a path, a pattern. */
    object: label,
    /** Exactly what the tool was given, as JSON text. */
    input: v.pipe(v.string(), v.maxLength(MAX_INPUT_CHARS)),
    edits: v.pipe(v.array(Edit), v.maxLength(MAX_EDITS)),
    state: v.picklist(["running", "done", "failed", "refused"]),
    exit: v.optional(v.number()),
  }),
});
/** What the agent means to do next, as a list it keeps up to date. */
const TodoItem = v.object({
  ...common,
  kind: v.literal("todo"),
  steps: v.pipe(v.array(v.object({ text: label, state: v.picklist(["open", "doing", "done"]) })), v.maxLength(500)),
});

export const Item = v.variant("kind", [WordsItem, ThoughtItem, ToolItem, TodoItem, PromptItem]);
export type Item = v.InferOutput<typeof Item>;
export type ToolItem = v.InferOutput<typeof ToolItem>;
