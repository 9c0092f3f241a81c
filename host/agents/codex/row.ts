/**
 * The lines of a rollout file as rows of a history. A thing is written up to three times, as what the model said
 * (`response_item`), as an event, and in newer versions as a whole item (`item_completed`); one row is made of all, at
 * the place of the first, with what each of them knows.
 */
import type { Edit, ToolItem } from "@flybridge/protocol/item.ts";
import { isObject, listAt, numberAt, objectAt, parsed, textAt, textsAt, type Json } from "../json.ts";
import { editsIn, storedEdits } from "./patch.ts";
import { contentOf, inputOf, unwrapped } from "./tool.ts";

type Tool = ToolItem["tool"];

export type Row =
  | { readonly kind: "prompt" | "thought"; readonly body: string; readonly at: number }
  | { readonly kind: "words"; readonly body: string; readonly at: number; readonly commentary: boolean }
  | { readonly kind: "tool"; body: string; readonly at: number; tool: Tool }
  | { readonly kind: "todo"; readonly at: number; readonly steps: { text: string; state: "open" | "doing" | "done" }[] }
  | { readonly kind: "notice"; readonly body: string; readonly at: number };

/** Said to the model in the person's name, by Codex itself. */
const REMARK =
  /^\s*(?:<(?:environment_context|user_instructions|turn_aborted|user_shell_command|skill|subagent_notification|permissions|collaboration_mode|INSTRUCTIONS)\b|# AGENTS\.md instructions)/u;
/** How far back the same words may stand and be the same. */
const NEAR_ROWS = 4;

const COMMANDS = new Set(["exec_command", "shell", "shell_command", "local_shell", "container.exec", "unified_exec"]);
const COMPACTED = "The conversation was compacted: the agent goes on from a summary.";

export function rowsIn(lines: readonly string[]): Row[] {
  const rows = new Rows();
  for (const line of lines) {
    // Most of a file is none of these, and big.
    if (!/"type":\s*"(?:response_item|event_msg|compacted)"/u.test(line.slice(0, 400))) continue;
    const found = parsed(line);
    const payload = objectAt(found, "payload");
    const at = Date.parse(textAt(found, "timestamp") ?? "");
    rows.at = Number.isNaN(at) ? rows.at : at;
    switch (textAt(found, "type")) {
      case "response_item":
        if (payload) rows.response(payload);
        break;
      case "event_msg":
        if (payload) rows.event(payload);
        break;
      case "compacted":
        rows.notice(COMPACTED);
        break;
      default:
    }
  }
  return rows.rows;
}

/** What a person said, where a line is that. */
export function promptIn(line: string): string | undefined {
  if (!line.includes('"user') && !line.includes("UserMessage")) return undefined;
  const [row] = rowsIn([line]);
  return row?.kind === "prompt" ? row.body : undefined;
}

class Rows {
  readonly rows: Row[] = [];
  at = 0;
  readonly #byId = new Map<string, number>();

  response(payload: Json): void {
    switch (textAt(payload, "type")) {
      case "message": {
        const text = textIn(payload["content"]);
        if (textAt(payload, "role") === "user") this.prompt(text);
        if (textAt(payload, "role") === "assistant") this.words(textAt(payload, "id"), text, textAt(payload, "phase"));
        return;
      }
      case "reasoning":
        this.thought(
          textAt(payload, "id"),
          listAt(payload, "summary")
            .map((one) => textAt(one, "text") ?? "")
            .join("\n\n"),
        );
        return;
      case "function_call":
        this.call(payload);
        return;
      case "custom_tool_call": {
        const input = textAt(payload, "input") ?? "";
        const name = textAt(payload, "name") ?? "tool";
        if (name === "apply_patch") this.patch(textAt(payload, "call_id"), { edits: editsIn(input), input });
        else this.tool(textAt(payload, "call_id"), { name, kind: "other", object: "", input: inputOf(input) });
        return;
      }
      case "local_shell_call": {
        const command = textsAt(objectAt(payload, "action"), "command");
        this.tool(textAt(payload, "call_id") ?? textAt(payload, "id"), commandTool("local_shell", command));
        return;
      }
      case "web_search_call":
        this.search(textAt(payload, "id"), objectAt(payload, "action") ?? {});
        return;
      case "function_call_output":
      case "custom_tool_call_output":
      case "local_shell_call_output":
        this.output(textAt(payload, "call_id"), payload["output"]);
        return;
      default:
    }
  }

  event(payload: Json): void {
    const call = textAt(payload, "call_id");
    switch (textAt(payload, "type")) {
      case "item_completed":
        this.item(objectAt(payload, "item") ?? {});
        return;
      case "user_message":
        this.prompt(textAt(payload, "message") ?? "");
        return;
      case "agent_message":
        this.words(undefined, textAt(payload, "message") ?? "", textAt(payload, "phase"));
        return;
      case "agent_reasoning":
        this.thought(undefined, textAt(payload, "text") ?? "");
        return;
      case "exec_command_begin":
      case "exec_command_end": {
        const exit = numberAt(payload, "exit_code");
        this.tool(call, {
          ...commandTool("exec_command", textsAt(payload, "command")),
          ...(exit === undefined ? {} : { exit, state: exit === 0 ? "done" : "failed" }),
        });
        const output = textAt(payload, "aggregated_output") ?? textAt(payload, "formatted_output");
        if (output !== undefined) this.body(call, output);
        return;
      }
      case "patch_apply_begin":
      case "patch_apply_end": {
        const changes = objectAt(payload, "changes");
        const failed = payload["success"] === false;
        this.patch(call, { ...(changes ? { edits: storedEdits(changes), input: changes } : {}), failed });
        return;
      }
      case "mcp_tool_call_begin":
      case "mcp_tool_call_end":
        this.mcp(call, objectAt(payload, "invocation") ?? {}, payload["result"]);
        return;
      case "web_search_begin":
      case "web_search_end":
        this.search(call, { query: payload["query"] ?? "" });
        return;
      case "context_compacted":
        this.notice(COMPACTED);
        return;
      case "turn_aborted":
        this.notice("The turn was interrupted.");
        return;
      case "error":
        this.notice(textAt(payload, "message") ?? "The turn failed.");
        return;
      default:
    }
  }

  item(item: Json): void {
    const id = textAt(item, "id");
    switch (textAt(item, "type")) {
      case "UserMessage":
        this.prompt(textIn(item["content"]));
        return;
      case "AgentMessage":
        this.words(id, textIn(item["content"]), textAt(item, "phase"));
        return;
      case "Plan":
        this.words(id, textAt(item, "text") ?? "", undefined);
        return;
      case "Reasoning":
        this.thought(id, textsAt(item, "summary_text").join("\n\n"));
        return;
      case "CommandExecution": {
        const exit = numberAt(item, "exit_code");
        this.tool(id, {
          ...commandTool("exec_command", textsAt(item, "command")),
          state: stateOf(textAt(item, "status")),
          ...(exit === undefined ? {} : { exit }),
        });
        this.body(id, textAt(item, "aggregated_output") ?? "");
        return;
      }
      case "FileChange": {
        const changes = objectAt(item, "changes") ?? {};
        const status = textAt(item, "status");
        this.patch(id, { edits: storedEdits(changes), input: changes, failed: status === "failed" });
        if (status === "declined") this.tool(id, { state: "refused" });
        return;
      }
      case "McpToolCall":
        this.mcp(id, item, item["result"] ?? item["error"]);
        return;
      case "WebSearch":
        this.search(id, objectAt(item, "action") ?? { query: item["query"] ?? "" });
        return;
      case "ContextCompaction":
        this.notice(COMPACTED);
        return;
      default:
    }
  }

  prompt(text: string): void {
    if (text.trim() === "" || REMARK.test(text) || this.#isNear("prompt", text)) return;
    this.rows.push({ kind: "prompt", body: text, at: this.at });
  }

  words(id: string | undefined, text: string, phase: string | undefined): void {
    if (text.trim() === "" || this.#isKnown(id) || this.#isNear("words", text)) return;
    this.#remember(id);
    this.rows.push({ kind: "words", body: text, at: this.at, commentary: phase === "commentary" });
  }

  thought(id: string | undefined, text: string): void {
    if (text.trim() === "" || this.#isKnown(id) || this.#isNear("thought", text)) return;
    this.#remember(id);
    this.rows.push({ kind: "thought", body: text, at: this.at });
  }

  notice(text: string): void {
    if (!this.#isNear("notice", text)) this.rows.push({ kind: "notice", body: text, at: this.at });
  }

  call(payload: Json): void {
    const id = textAt(payload, "call_id");
    const name = textAt(payload, "name") ?? "tool";
    const namespace = textAt(payload, "namespace");
    const input = parsed(textAt(payload, "arguments") ?? "") ?? {};
    if (name === "update_plan") return this.steps(input);
    if (namespace?.startsWith("mcp__") === true) {
      const tool = `${namespace}__${name}`;
      return this.tool(id, { name: tool, kind: "other", object: objectOf(input), input: inputOf(input) });
    }
    if (COMMANDS.has(name)) {
      const command = textAt(input, "cmd") ?? textAt(input, "command");
      const words = command === undefined ? textsAt(input, "command") : [command];
      return this.tool(id, { ...commandTool(name, words), input: inputOf(input) });
    }
    if (name === "write_stdin") {
      // How the agent types into a background terminal, or looks at it.
      const typed = textAt(input, "chars") ?? "";
      const terminal = `terminal ${numberAt(input, "session_id") ?? "?"}`;
      const object = typed === "" ? `looks at ${terminal}` : `${JSON.stringify(typed)} into ${terminal}`;
      return this.tool(id, { name, kind: "command", object, input: inputOf(input) });
    }
    const kind = name === "spawn_agent" ? "agent" : name === "view_image" ? "read" : "other";
    this.tool(id, { name, kind, object: objectOf(input), input: inputOf(input) });
  }

  steps(input: Json): void {
    const states: Record<string, "open" | "doing" | "done"> = { in_progress: "doing", completed: "done" };
    const steps = listAt(input, "plan").map((step) => ({
      text: textAt(step, "step") ?? "",
      state: states[textAt(step, "status") ?? ""] ?? ("open" as const),
    }));
    if (steps.length > 0) this.rows.push({ kind: "todo", at: this.at, steps });
  }

  mcp(id: string | undefined, call: Json, result: unknown): void {
    const input = call["arguments"] ?? {};
    const object = isObject(input) ? objectOf(input) : "";
    this.tool(id, {
      name: `mcp__${textAt(call, "server") ?? ""}__${textAt(call, "tool") ?? ""}`,
      kind: "other",
      object,
      input: inputOf(input),
    });
    if (!isObject(result)) return;
    const whole = objectAt(result, "Ok") ?? result;
    const failed = result["Err"] !== undefined || whole["isError"] === true || textAt(result, "message") !== undefined;
    this.tool(id, { state: failed ? "failed" : "done" });
    this.body(id, textAt(result, "Err") ?? textAt(result, "message") ?? contentOf(whole["content"]));
  }

  search(id: string | undefined, action: Json): void {
    const object = textAt(action, "query") ?? textAt(action, "url") ?? textsAt(action, "queries")[0] ?? "";
    if (object === "" && this.#isKnown(id)) return;
    if (!this.#isKnown(id) && this.#isNear("tool", object)) return;
    this.tool(id, { name: "web_search", kind: "fetch", object, input: inputOf(action), state: "done" });
  }

  patch(
    id: string | undefined,
    told: { readonly edits?: Edit[]; readonly input?: unknown; readonly failed?: boolean },
  ): void {
    const { edits, input, failed } = told;
    const [first] = edits ?? [];
    const object =
      first && edits ? (edits.length === 1 ? first.path : `${first.path} and ${edits.length - 1} more`) : undefined;
    this.tool(id, {
      name: "apply_patch",
      kind: "edit",
      ...(object === undefined ? {} : { object }),
      ...(edits ? { edits } : {}),
      ...(input === undefined ? {} : { input: inputOf(input) }),
      ...(failed === true ? { state: "failed" as const } : {}),
    });
  }

  /** A call as far as it is known by now. */
  tool(id: string | undefined, told: Partial<Tool>): void {
    const place = id === undefined ? undefined : this.#byId.get(id);
    const row = place === undefined ? undefined : this.rows[place];
    if (row?.kind === "tool") {
      row.tool = { ...row.tool, ...told, name: row.tool.name };
      return;
    }
    this.#remember(id);
    const blank: Tool = { name: "tool", kind: "other", object: "", input: "{}", edits: [], state: "done" };
    this.rows.push({ kind: "tool", body: "", at: this.at, tool: { ...blank, ...told } });
  }

  body(id: string | undefined, text: string): void {
    const row = this.rows[this.#byId.get(id ?? "") ?? -1];
    if (row?.kind === "tool") row.body = text;
  }

  /** What the model was told of a call's end: less sure than an event of it, which may stand there already. */
  output(id: string | undefined, output: unknown): void {
    const row = this.rows[this.#byId.get(id ?? "") ?? -1];
    if (row?.kind !== "tool") return;
    const { text, exit, failed } = outputOf(output);
    if (row.body === "") row.body = text;
    if (row.tool.exit === undefined && exit !== undefined && row.tool.kind === "command")
      row.tool = { ...row.tool, exit };
    if (failed && row.tool.state === "done") row.tool = { ...row.tool, state: "failed" };
  }

  #isKnown(id: string | undefined): boolean {
    return id !== undefined && this.#byId.has(id);
  }

  #remember(id: string | undefined): void {
    if (id !== undefined) this.#byId.set(id, this.rows.length);
  }

  #isNear(kind: Row["kind"], text: string): boolean {
    return this.rows.slice(-NEAR_ROWS).some((row) => {
      if (row.kind !== kind) return false;
      if (row.kind === "tool") return row.tool.object === text;
      return row.kind !== "todo" && row.body.trim() === text.trim();
    });
  }
}

function commandTool(name: string, words: readonly string[]): Pick<Tool, "name" | "kind" | "object" | "input"> {
  const [shell = "", flag = "", script] = words;
  const isWrapped =
    script !== undefined && words.length === 3 && /(?:^|\/)(?:ba|z|da)?sh$/u.test(shell) && /^-l?c$/u.test(flag);
  const command = isWrapped ? script : words.length === 1 ? unwrapped(shell) : words.join(" ");
  return { name, kind: "command", object: command, input: inputOf({ command: words.length === 1 ? shell : words }) };
}

function outputOf(output: unknown): { text: string; exit?: number; failed: boolean } {
  const raw =
    typeof output === "string"
      ? output
      : isObject(output)
        ? (textAt(output, "content") ?? contentOf(output["content"]))
        : contentOf(output);
  const whole = parsed(raw);
  const told = textAt(whole, "output");
  const coded = numberAt(objectAt(whole, "metadata"), "exit_code") ?? exitIn(raw);
  const text = told ?? raw.replace(/^(?:[^\n]*\n)*?Output:\n?/u, "");
  const running = /^Process running with session ID \S+/mu.exec(raw)?.[0];
  return {
    text:
      running === undefined
        ? text
        : `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}(${running}: it went on in the background.)`,
    ...(coded === undefined ? {} : { exit: coded }),
    failed: (coded !== undefined && coded !== 0) || (isObject(output) && output["success"] === false),
  };
}

function exitIn(text: string): number | undefined {
  const found = /^(?:Process exited with code|Exit code:) (?<code>-?\d+)/mu.exec(text)?.groups?.["code"];
  return found === undefined ? undefined : Number(found);
}

function stateOf(status: string | undefined): Tool["state"] {
  if (status === "failed") return "failed";
  return status === "declined" ? "refused" : "done";
}

function objectOf(input: Json): string {
  return Object.values(input).find((value) => typeof value === "string") ?? "";
}

function textIn(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .filter(isObject)
    .map((one) => textAt(one, "text") ?? "")
    .filter((text) => text !== "")
    .join("\n");
}
