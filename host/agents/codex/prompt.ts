/** Prompts on their way to Codex: as a turn of their own, into the running one, or as one of its commands. */
import type { AgentCommand } from "@flybridge/protocol/agent.ts";
import type { FactOf } from "@flybridge/protocol/entry.ts";
import type { Attached } from "../agent.ts";
import type { Json } from "../json.ts";
import { nextId, type Memory, type WrittenPrompt } from "./memory.ts";
import { requestLine, type Request } from "./wire.ts";

/** What Codex's own screen has as commands and its server as calls; any other it would take for a prompt. */
export const COMMANDS: AgentCommand[] = [
  { name: "compact", detail: "Go on from a summary of the conversation" },
  { name: "review", detail: "Review what is not committed" },
  { name: "stop", detail: "End the commands that run in the background" },
];

/** Image types that Codex reads from a path. */
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** The lines that give a prompt to Codex now; none where it has to wait. */
export function deliver(memory: Memory, fact: FactOf<"prompt.accepted">, attached: readonly Attached[]): string[] {
  if (memory.prompts.some(({ prompt }) => prompt === fact.prompt)) return [];
  const written: WrittenPrompt = { prompt: fact.prompt, input: inputFor(fact.text, attached), state: "held" };
  memory.prompts.push(written);
  if (!memory.ready && memory.refused === undefined) return [];
  const waits = memory.turn !== undefined || memory.prompts.some(({ state }) => state === "started");
  if (waits && fact.delivery === "queue") return [];
  if (memory.turn === undefined) {
    written.state = "started";
    return [promptLine(memory, written)];
  }
  // A command is no text for the running turn.
  if (commandOf(written.input) !== undefined) return [];
  written.state = "steered";
  return [
    requestLine("steer", written.prompt, {
      threadId: memory.thread,
      expectedTurnId: memory.turn,
      clientUserMessageId: written.prompt,
      input: written.input,
    }),
  ];
}

/** As a turn of its own, or as the command it names. */
export function promptLine(memory: Memory, written: WrittenPrompt): string {
  const command = commandOf(written.input);
  // Without one it is refused, which is how such a prompt is told that it has failed.
  const threadId = memory.thread ?? "";
  if (command === "review")
    return requestLine(command, written.prompt, { threadId, target: { type: "uncommittedChanges" } });
  if (command !== undefined) return requestLine(command, written.prompt, { threadId });
  return requestLine("prompt", written.prompt, {
    threadId,
    clientUserMessageId: written.prompt,
    input: written.input,
  });
}

/** A prompt of ours in the person's name: the answer to a plan. */
export function ownPromptLine(memory: Memory, text: string, more: Json): string {
  const id = nextId<string>(memory, "own");
  return requestLine("plan", id, {
    threadId: memory.thread,
    clientUserMessageId: `flybridge:${id}`,
    input: [textInput(text)],
    ...more,
  });
}

export function textInput(text: string): Json {
  return { type: "text", text, text_elements: [] };
}

function commandOf(input: readonly Json[]): Extract<Request, "compact" | "review" | "stop"> | undefined {
  const [only] = input;
  if (input.length !== 1 || typeof only?.["text"] !== "string") return undefined;
  const name = /^\/(?<name>compact|review|stop)\s*$/u.exec(only["text"])?.groups?.["name"];
  return name as Extract<Request, "compact" | "review" | "stop"> | undefined;
}

/** Images by their path, as Codex reads them itself; of other files it is told where they are. */
function inputFor(text: string, attached: readonly Attached[]): Json[] {
  const images = attached.filter(({ type }) => IMAGES.has(type));
  const files = attached.filter(({ type }) => !IMAGES.has(type));
  const mentioned = files.map(({ name, path }) => `Attached file ${JSON.stringify(name)}: ${path}`);
  return [textInput([text, ...mentioned].join("\n")), ...images.map(({ path }) => ({ type: "localImage", path }))];
}
