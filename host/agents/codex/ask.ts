/** What Codex's server asks of whoever drives it, as asks; and the answers as the lines that settle them. */
import type { Answer, Ask, Choice, Evidence, Question, Reply } from "@flybridge/protocol/ask.ts";
import type { AskId, ItemId } from "@flybridge/protocol/ids.ts";
import { MAX_INPUT_CHARS, MAX_OPTIONS, MAX_QUESTIONS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { kept, labelOf, pathOf, wordsOf } from "../bounds.ts";
import { isObject, listAt, numberAt, objectAt, textAt, textsAt, type Json } from "../json.ts";
import { choicesOf, decisionFor, decisionsOf } from "./decision.ts";
import { contentOf, formQuestions, isToolApproval } from "./form.ts";
import { nextId, type Memory, type PendingAsk } from "./memory.ts";
import { settingsOf } from "./mode.ts";
import { ownPromptLine, textInput } from "./prompt.ts";
import { inputOf, unwrapped } from "./tool.ts";
import { answerLine, OURS, refusalLine, requestLine } from "./wire.ts";

/** As Codex's own screen says it when a plan is accepted. */
const IMPLEMENT = "Implement the plan.";
/** What Codex's own screen answers with when a person picks none of the options. */
const NONE = "None of the above";

const SESSION_COMMAND = "The same command is not asked for again until this session's process ends.";
const SESSION_EDIT = "Edits of the same files are not asked for again until this session's process ends.";

const PLAN_CHOICES: Choice[] = [
  {
    choice: "auto",
    label: "Approve and start",
    detail: "Edits and commands in the workspace run without asking; Codex asks to go beyond it.",
    scope: "session",
  },
  {
    choice: "ask",
    label: "Approve and ask for each change",
    detail: "Codex asks before each edit and whatever would change something.",
    scope: "session",
  },
];

type Opened = { readonly ask: Ask; readonly pending: PendingAsk };
type Details = Omit<PendingAsk, "request" | "turn" | "about"> & { readonly about?: string };

/** The ask for a request, and what must be kept to answer it. */
export function openAsk(memory: Memory, id: string | number, method: string, params: Json): Opened {
  const open = memory.items[textAt(params, "itemId") ?? ""];
  const turn = textAt(params, "turnId");
  const child = memory.children[textAt(params, "threadId") ?? ""];
  const from = child === undefined ? undefined : childName(memory, child);
  const common = {
    ask: nextId<AskId>(memory, "a"),
    ...(open?.begun === true ? { item: open.item.item } : {}),
    ...(from === undefined ? {} : { from }),
  };
  const pending = (details: Details): PendingAsk => ({
    about: method,
    request: id,
    ...(turn === undefined ? {} : { turn }),
    ...details,
  });
  switch (method) {
    case "item/commandExecution/requestApproval": {
      const decisions = decisionsOf(params).slice(0, MAX_OPTIONS);
      const evidence = commandEvidence(memory, params);
      return {
        ask: { ...common, kind: "approval", evidence, choices: choicesOf(decisions, SESSION_COMMAND) },
        pending: pending({
          kind: "decision",
          decisions,
          detail: {},
          about: evidence.command ?? evidence.url ?? method,
        }),
      };
    }
    case "item/fileChange/requestApproval": {
      const decisions = decisionsOf(params).slice(0, MAX_OPTIONS);
      const tool = open?.item.kind === "tool" ? open.item.tool : undefined;
      const root = textAt(params, "grantRoot");
      const reasons = [textAt(params, "reason"), root && `It asks for all of ${root}.`];
      const evidence: Evidence = {
        tool: "apply_patch",
        kind: "edit",
        directory: pathOf(memory.workspace),
        edits: tool?.edits ?? [],
        input: tool?.input ?? inputOf(params),
        ...(tool === undefined ? {} : { path: pathOf(tool.object) }),
        ...reasonOf(reasons),
      };
      return {
        ask: { ...common, kind: "approval", evidence, choices: choicesOf(decisions, SESSION_EDIT) },
        pending: pending({ kind: "decision", decisions, detail: {}, about: `the edit of ${tool?.object ?? "files"}` }),
      };
    }
    case "item/permissions/requestApproval": {
      const permissions = objectAt(params, "permissions") ?? {};
      const evidence: Evidence = {
        tool: "request_permissions",
        kind: "other",
        directory: pathOf(textAt(params, "cwd") ?? memory.workspace),
        edits: [],
        input: inputOf(permissions),
        purpose: wordsOf(permissionWords(permissions)),
        ...reasonOf([textAt(params, "reason")]),
      };
      const choices: Choice[] = [
        { choice: "turn", label: "Allow in this turn", detail: "Forgotten when the turn ends.", scope: "once" },
        {
          choice: "session",
          label: "Allow in this session",
          detail: "Forgotten when this session's process ends.",
          scope: "session",
        },
      ];
      return {
        ask: { ...common, kind: "approval", evidence, choices },
        pending: pending({ kind: "permissions", decisions: [], detail: permissions, about: "more permissions" }),
      };
    }
    case "item/tool/requestUserInput": {
      const questions = questionsOf(params);
      if (questions.length === 0) break;
      const ids = listAt(params, "questions").map((question) => ({
        id: textAt(question, "id") ?? "",
        options: listAt(question, "options").length > 0,
      }));
      return {
        ask: { ...common, kind: "question", questions },
        pending: pending({ kind: "questions", decisions: [], detail: { ids }, about: "the questions" }),
      };
    }
    case "mcpServer/elicitation/request": {
      if (isToolApproval(params)) return openToolApproval(memory, common, params, pending);
      const url = textAt(params, "url");
      if (textAt(params, "mode") === "url" && url !== undefined) {
        const evidence: Evidence = {
          tool: labelOf(textAt(params, "serverName") ?? "MCP"),
          kind: "other",
          edits: [],
          url: kept(url, MAX_INPUT_CHARS),
          input: inputOf(params),
          ...said("purpose", textAt(params, "message")),
          ...said("server", textAt(params, "serverName")),
        };
        const choices: Choice[] = [
          { choice: "done", label: "Done there", detail: "Say so when you have opened it.", scope: "once" },
        ];
        return {
          ask: { ...common, kind: "approval", evidence, choices },
          pending: pending({ kind: "tool", decisions: [], detail: {}, about: "the server's request" }),
        };
      }
      if (objectAt(params, "requestedSchema") === undefined) break;
      return {
        ask: { ...common, kind: "question", questions: formQuestions(params) },
        pending: pending({
          kind: "form",
          decisions: [],
          detail: { requestedSchema: params["requestedSchema"] },
          about: "the server's question",
        }),
      };
    }
    default:
  }
  const evidence: Evidence = {
    tool: labelOf(method),
    kind: "other",
    edits: [],
    input: inputOf(params),
    reason: "Codex asks for something that Flybridge does not know. Refuse it, or go on with an empty answer.",
  };
  const choices: Choice[] = [{ choice: "empty", label: "Answer with nothing", scope: "once" }];
  return {
    ask: { ...common, kind: "approval", evidence, choices },
    pending: pending({ kind: "unknown", decisions: [], detail: {} }),
  };
}

/** A plan is asked about when its turn is over: no request of Codex's stands behind it. */
export function planAsk(memory: Memory, plan: string): Draft {
  const ask = nextId<AskId>(memory, "a");
  memory.asks[ask] = { kind: "plan", about: "the plan", decisions: [], detail: {} };
  return { kind: "fact", fact: { kind: "ask.opened", ask: { ask, kind: "plan", plan, choices: PLAN_CHOICES } } };
}

/** The lines that settle an ask; none where the answer does not belong to it. */
export function answerTo(memory: Memory, ask: string, pending: PendingAsk, answer: Answer): string[] {
  if (pending.kind === "plan") return planLines(memory, answer);
  const { request } = pending;
  if (request === undefined) return [];
  if (answer.kind === "deny") return [...reasonLines(memory, ask, pending, answer.reason), refusal(request, pending)];
  switch (pending.kind) {
    case "decision": {
      const decision = answer.kind === "allow" ? decisionFor(pending.decisions, answer.choice) : undefined;
      return decision === undefined ? [] : [answerLine(request, { decision })];
    }
    case "permissions": {
      if (answer.kind !== "allow") return [];
      const scope = answer.choice === "session" ? "session" : "turn";
      return [answerLine(request, { permissions: granted(pending.detail), scope })];
    }
    case "questions":
      return answer.kind === "replies" ? [answerLine(request, { answers: repliesFor(pending, answer.replies) })] : [];
    case "form": {
      if (answer.kind !== "replies") return [];
      const made = contentOf(pending.detail, answer.replies);
      if ("content" in made) return [answerLine(request, { action: "accept", content: made.content, _meta: null })];
      return [...reasonLines(memory, ask, pending, made.fault), refusal(request, pending)];
    }
    case "tool": {
      if (answer.kind !== "allow") return [];
      const persist = answer.choice === "session" || answer.choice === "always" ? { persist: answer.choice } : null;
      return [answerLine(request, { action: "accept", content: {}, _meta: persist })];
    }
    case "unknown":
      return answer.kind === "allow" ? [answerLine(request, {})] : [];
  }
}

/** What ends an ask together with its turn, as Codex's own "cancel" does. */
export function cancelLine(pending: PendingAsk): string | undefined {
  if (pending.request === undefined) return undefined;
  switch (pending.kind) {
    case "decision":
      return answerLine(pending.request, { decision: "cancel" });
    case "form":
    case "tool":
      return answerLine(pending.request, { action: "cancel", content: null, _meta: null });
    default:
      return refusal(pending.request, pending);
  }
}

function refusal(request: string | number, pending: PendingAsk): string {
  switch (pending.kind) {
    case "decision":
      return answerLine(request, { decision: "decline" });
    case "permissions":
      return answerLine(request, { permissions: {}, scope: "turn" });
    case "questions":
      return answerLine(request, { answers: {} });
    case "form":
    case "tool":
      return answerLine(request, { action: "decline", content: null, _meta: null });
    case "plan":
    case "unknown":
      return refusalLine(request, "The person looked at this and said no.");
  }
}

/** The wire has no place for a reason, so it is steered into the turn, before the refusal: the model reads both at once. */
function reasonLines(memory: Memory, ask: string, pending: PendingAsk, reason: string | undefined): string[] {
  if (reason === undefined || reason.trim() === "" || memory.turn === undefined) return [];
  if (pending.turn !== undefined && pending.turn !== memory.turn) return [];
  return [
    requestLine("reason", ask, {
      threadId: memory.thread,
      expectedTurnId: memory.turn,
      clientUserMessageId: `${OURS}${ask}`,
      input: [textInput(`I said no to ${pending.about}. ${reason}`)],
    }),
  ];
}

function planLines(memory: Memory, answer: Answer): string[] {
  if (answer.kind === "revise") return [ownPromptLine(memory, answer.feedback, {})];
  if (answer.kind === "deny") {
    const reason = answer.reason?.trim() ?? "";
    return reason === "" ? [] : [ownPromptLine(memory, reason, {})];
  }
  if (answer.kind !== "approve") return [];
  const text = answer.edited === undefined ? IMPLEMENT : `Implement this plan instead of yours:\n\n${answer.edited}`;
  return [ownPromptLine(memory, text, settingsOf(answer.choice, memory))];
}

function openToolApproval(
  memory: Memory,
  common: { readonly ask: AskId; readonly item?: ItemId; readonly from?: string },
  params: Json,
  pending: (details: Details) => PendingAsk,
): Opened {
  const meta = objectAt(params, "_meta");
  const server = textAt(params, "serverName") ?? "";
  const name = textAt(meta, "tool_name") ?? "tool";
  const evidence: Evidence = {
    tool: labelOf(`mcp__${server}__${name}`),
    kind: "other",
    edits: [],
    input: inputOf(meta?.["tool_params"] ?? {}),
    server: labelOf(server),
    ...said("purpose", textAt(meta, "tool_description")),
    ...reasonOf([textAt(params, "message")]),
  };
  // Codex ties the question to the turn, not to the call: the running one of that tool is it.
  const running = Object.values(memory.items).findLast(
    ({ item }) => item.kind === "tool" && item.tool.name === evidence.tool,
  );
  const lasting: Record<string, Choice> = {
    session: {
      choice: "session",
      label: "Allow in this session",
      detail: `The tool ${name} of ${server} is not asked for again until this session's process ends.`,
      scope: "session",
    },
    always: {
      choice: "always",
      label: "Always allow",
      detail: `The tool ${name} of ${server} is not asked for again in any session. Stored in Codex's config.toml.`,
      scope: "always",
    },
  };
  const persist = typeof meta?.["persist"] === "string" ? [meta["persist"]] : textsAt(meta, "persist");
  const offered = persist.flatMap((one) => (Object.hasOwn(lasting, one) && lasting[one] ? [lasting[one]] : []));
  return {
    ask: {
      ...common,
      ...(common.item === undefined && running ? { item: running.item.item } : {}),
      kind: "approval",
      evidence,
      choices: [{ choice: "once", label: "Allow once", scope: "once" }, ...new Set(offered)],
    },
    pending: pending({ kind: "tool", decisions: [], detail: {}, about: `the tool ${name} of ${server}` }),
  };
}

function commandEvidence(memory: Memory, params: Json): Evidence {
  const command = textAt(params, "command");
  const network = objectAt(params, "networkApprovalContext");
  const host = textAt(network, "host");
  const extra = objectAt(params, "additionalPermissions");
  const url = host === undefined ? undefined : `${textAt(network, "protocol") ?? "https"}://${host}`;
  return {
    tool: textAt(params, "kind") === "stdin" ? "write_stdin" : "exec_command",
    kind: host === undefined ? "command" : "fetch",
    directory: pathOf(textAt(params, "cwd") ?? memory.workspace),
    edits: [],
    // Without what differs each time it is asked: a standing rule is for exactly this.
    input: inputOf({
      ...(command === undefined ? {} : { command }),
      cwd: params["cwd"] ?? memory.workspace,
      ...(network ? { network } : {}),
      ...(extra ? { additionalPermissions: extra } : {}),
    }),
    ...(command === undefined ? {} : { command: kept(unwrapped(command), MAX_INPUT_CHARS) }),
    ...(url === undefined ? {} : { url: kept(url, MAX_INPUT_CHARS) }),
    ...said("purpose", textAt(params, "reason")),
    ...reasonOf([host && `It reaches ${host}.`, extra && permissionWords(extra)]),
  };
}

function questionsOf(params: Json): Question[] {
  return listAt(params, "questions")
    .slice(0, MAX_QUESTIONS)
    .map((question, place) => ({
      question: keyOf(place),
      header: labelOf(textAt(question, "header") ?? ""),
      text: wordsOf(textAt(question, "question") ?? ""),
      options: listAt(question, "options")
        .slice(0, MAX_OPTIONS)
        .map((option) => ({
          label: labelOf(textAt(option, "label") ?? ""),
          ...said("detail", textAt(option, "description")),
        })),
      many: false,
      secret: question["isSecret"] === true,
    }));
}

/** Own words go beside the option that says "none of these", as Codex's own screen has it. */
function repliesFor(pending: PendingAsk, replies: readonly Reply[]): Json {
  const answers: Record<string, Json> = {};
  for (const [place, question] of listAt(pending.detail, "ids").entries()) {
    const reply = replies.find((one) => one.question === keyOf(place));
    const notes = [reply?.text, reply?.note].filter((one) => one !== undefined && one.trim() !== "");
    const picks = [...(reply?.picks ?? [])];
    if (picks.length === 0 && notes.length > 0 && question["options"] === true) picks.push(NONE);
    const given = [...picks, ...notes.map((note) => `user_note: ${note}`)];
    if (given.length > 0) answers[textAt(question, "id") ?? ""] = { answers: given };
  }
  return answers;
}

/** Exactly what was asked for, without the parts that were not. */
function granted(permissions: Json): Json {
  return Object.fromEntries(Object.entries(permissions).filter(([, value]) => value !== null));
}

function permissionWords(permissions: Json): string {
  const files = objectAt(permissions, "fileSystem");
  const entries = listAt(files, "entries").map(
    (entry) => `${textAt(entry, "access") ?? "use"} ${JSON.stringify(entry["path"])}`,
  );
  const words = [
    objectAt(permissions, "network")?.["enabled"] === true ? "use the network" : "",
    ...textsAt(files, "read").map((path) => `read ${path}`),
    ...textsAt(files, "write").map((path) => `write ${path}`),
    ...entries,
  ].filter((one) => one !== "");
  return words.length === 0 ? "It asks for more permissions." : `It asks to ${words.join(", ")}.`;
}

function childName(memory: Memory, child: ItemId): string {
  const open = Object.values(memory.items).find(({ item }) => item.item === child);
  return open?.item.kind === "tool" ? open.item.tool.object || "A sub-agent" : "A sub-agent";
}

function reasonOf(reasons: readonly (string | undefined)[]): { reason?: string } {
  return said("reason", reasons.filter((one) => one !== undefined && one !== "").join(" ") || undefined);
}

function said<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  return (value === undefined || value.trim() === "" ? {} : { [key]: wordsOf(value) }) as { [K in Key]?: string };
}

function keyOf(place: number): string {
  return `q${place + 1}`;
}

/** The id of a server's request: JSON-RPC 2.0 §4 has texts and numbers. */
export function requestIdIn(message: Json): string | number | undefined {
  return textAt(message, "id") ?? numberAt(message, "id");
}

export function isRequest(message: Json): boolean {
  return (
    textAt(message, "method") !== undefined &&
    message["id"] !== undefined &&
    message["id"] !== null &&
    !isObject(message["id"])
  );
}
