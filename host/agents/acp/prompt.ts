/** Prompts: what goes with one as content blocks, and when one is written. ACP takes one at a time. */
import { pathToFileURL } from "node:url";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { PromptId } from "@flybridge/protocol/ids.ts";
import type { Attached } from "../agent.ts";
import type { Json } from "../json.ts";
import type { Memory, WaitingPrompt } from "./memory.ts";
import { first, noticeOf } from "./notice.ts";
import { openLine } from "./open.ts";
import { probeLine, requestLine } from "./rpc.ts";

/** Characters of images that a prompt keeps while it waits; of a heavier one the agent is told where the image lies. */
const MAX_WAITING_CHARS = 1024 * 1024;

/** Lines for a prompt: it is written at once, or waits for the conversation, a setting or the running turn. */
export function promptLines(memory: Memory, entry: Entry, attached: readonly Attached[]): string[] {
  const { fact } = entry;
  if (fact.kind !== "prompt.accepted") return [];
  const { prompt, text } = fact;
  // Given again after a crash: what waits is remembered, and what was written and not yet heard of is written again.
  if (memory.waiting.some((one) => one.prompt === prompt)) return [];
  if (memory.turn?.prompt === prompt) {
    return memory.turn.turn === undefined ? writtenAgain(memory, blocksOf(memory, text, attached)) : [];
  }
  if (memory.stage === "failed") {
    memory.waiting.push({ prompt, blocks: blocksOf(memory, text, attached, MAX_WAITING_CHARS) });
    // Somebody may have signed in meanwhile. Where nothing can help, the answer to the probe says so.
    return memory.hopeless === true ? [probeLine(memory)] : [openLine(memory)];
  }
  if (memory.stage !== "open" || memory.turn !== undefined || isChanging(memory)) {
    memory.waiting.push({ prompt, blocks: blocksOf(memory, text, attached, MAX_WAITING_CHARS) });
    if (memory.turn !== undefined && fact.delivery === "steer" && first(memory, "steer")) {
      const words = `${memory.title} takes nothing into a running turn: what you send meanwhile follows when it is over.`;
      memory.later.push(noticeOf("info", words));
      return [probeLine(memory)];
    }
    return [];
  }
  return [...write(memory, { prompt, blocks: blocksOf(memory, text, attached) }), probeLine(memory)];
}

/** The next one that waits, when it may be written. */
export function nextLines(memory: Memory): string[] {
  if (memory.stage !== "open" || memory.turn !== undefined || isChanging(memory)) return [];
  const next = memory.waiting.shift();
  return next === undefined ? [] : write(memory, next);
}

/** Lines for one that is taken back: none, since what is written cannot be. */
export function withdrawPrompt(memory: Memory, prompt: PromptId): void {
  memory.waiting = memory.waiting.filter((one) => one.prompt !== prompt);
}

function write(memory: Memory, { prompt, blocks }: WaitingPrompt): string[] {
  const line = requestLine(memory, { kind: "turn" }, "session/prompt", paramsOf(memory, blocks));
  memory.turn = { request: memory.count, ...(prompt === undefined ? {} : { prompt }) };
  return [line];
}

function writtenAgain(memory: Memory, blocks: readonly Json[]): string[] {
  const count = memory.count;
  memory.count = (memory.turn?.request ?? 1) - 1;
  const lines = [requestLine(memory, { kind: "turn" }, "session/prompt", paramsOf(memory, blocks)), probeLine(memory)];
  memory.count = Math.max(count, memory.count);
  return lines;
}

function paramsOf(memory: Memory, prompt: readonly Json[]): Json {
  return { sessionId: memory.conversation ?? "", prompt };
}

/** A change of model or mode must have arrived before the prompt that was meant for it. */
function isChanging(memory: Memory): boolean {
  return Object.values(memory.sent).some(({ kind }) => kind === "model" || kind === "mode" || kind === "setting");
}

/** Text, images as such where the agent takes them, and for the rest where it lies: every agent takes links. */
function blocksOf(
  memory: Memory,
  text: string,
  attached: readonly Attached[],
  room = Number.POSITIVE_INFINITY,
): readonly Json[] {
  let left = room;
  const blocks = attached.map((one): Json => {
    const isImage = one.type.startsWith("image/") && memory.able.image && one.data.length <= left;
    if (isImage) left -= one.data.length;
    return isImage
      ? { type: "image", mimeType: one.type, data: one.data }
      : {
          type: "resource_link",
          name: one.name,
          uri: pathToFileURL(one.path).href,
          mimeType: one.type,
          size: one.size,
        };
  });
  return [{ type: "text", text }, ...blocks];
}
