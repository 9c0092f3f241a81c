/**
 * A model that costs nothing for Gemini CLI: the generating part of Google's API on loopback, played from the script in
 * the prompt (`script.ts`). The agent in front of it is the real one.
 */
import { type Asked, type Model, piecesOf, playedWhole, sendJson, startModel, stream, type Vendor } from "./model.ts";
import { stepsOf, toolOf, type Directive, type Step } from "./script.ts";

interface Part {
  readonly text?: string;
  readonly thought?: boolean;
  readonly inlineData?: { readonly mimeType: string };
  readonly functionResponse?: { readonly response?: unknown };
}

interface Content {
  readonly role?: string;
  readonly parts?: readonly Part[];
}

/** What an agent sent: the body of one model call, as far as tests read it. */
export interface Generation {
  readonly contents?: readonly Content[];
  readonly generationConfig?: { readonly responseMimeType?: string };
}

export function startGemini(port = 0): Promise<Model<Generation>> {
  return startModel(VENDOR, port);
}

/** All text the model was shown in a call, one line per part: for "the model was told". */
export function toldInGeneration(call: Generation | undefined): string {
  const parts = (call?.contents ?? []).flatMap((content) => content.parts ?? []);
  return parts.map((part) => part.text ?? JSON.stringify(part.functionResponse?.response ?? "")).join("\n");
}

const VENDOR: Vendor<Generation> = {
  aside(path) {
    if (/enerateContent/u.test(path)) return undefined;
    return path.includes("countTokens") ? { totalTokens: 10 } : { models: [] };
  },
  play,
  refusal: (code, message) => ({ error: { code, message, status: code >= 500 ? "INTERNAL" : "INVALID_ARGUMENT" } }),
};

async function play(asked: Asked<Generation>): Promise<void> {
  const { call, path, response, number } = asked;
  const step = stepFor(call);
  if (playedWhole(step, response, VENDOR.refusal)) return;
  const chunk = (parts: readonly object[], finishReason?: string): object => ({
    candidates: [
      { index: 0, content: { role: "model", parts }, ...(finishReason === undefined ? {} : { finishReason }) },
    ],
    usageMetadata: { promptTokenCount: 1_000, candidatesTokenCount: 20, totalTokenCount: 1_020 },
    modelVersion: "fake",
    responseId: `response-${number}`,
  });
  if (!path.includes("streamGenerateContent")) {
    // Its own question, which model to take: any answer that it can read.
    const json = '{"complexity_score":1,"complexity_reasoning":"x","model_choice":"flash","reasoning":"x"}';
    const parts = call.generationConfig?.responseMimeType === "application/json" ? [{ text: json }] : partsOf(step);
    return sendJson(response, 200, chunk(parts, "STOP"));
  }
  const said = (directive: Directive): object[] => partsOf([directive]).map((part) => chunk([part]));
  await stream(asked, step, { said, last: [chunk([{ text: "" }], "STOP")] });
}

function partsOf(step: Step): object[] {
  return step.flatMap((directive: Directive): object[] => {
    if (directive.kind === "text") return piecesOf(directive.argument).map((text) => ({ text }));
    if (directive.kind === "think") return [{ text: directive.argument, thought: true }];
    if (directive.kind !== "tool") return [];
    const { name, input } = toolOf(directive);
    return [{ functionCall: { name, args: input } }];
  });
}

/** The step of the newest prompt: what the agent tells the model of its surroundings and of tools is none. */
function stepFor(call: Generation): Step {
  const contents = call.contents ?? [];
  const at = contents.findLastIndex((one) => one.role === "user" && spoken(one) !== "");
  const prompt = contents[at] ? spoken(contents[at]) : "";
  const played = contents.slice(at + 1).filter((one) => one.role === "model").length;
  const step = stepsOf(prompt)[played];
  if (step) return step;
  const results = (contents.at(-1)?.parts ?? []).flatMap((part) => part.functionResponse?.response ?? []);
  const last = results
    .map((one) => JSON.stringify(one))
    .join(" | ")
    .slice(0, 300);
  return [
    { kind: "text", argument: played === 0 ? `You said: ${prompt.slice(-400)}` : `All done. Last result: ${last}` },
  ];
}

/** The newest text in a message: a prompt that was interrupted shares its message with the one after it. */
function spoken(content: Content): string {
  const parts = content.parts ?? [];
  if (parts.some((part) => part.functionResponse !== undefined)) return "";
  const texts = parts.map((part) => (part.thought === true ? "" : (part.text ?? "")));
  const own = texts.map((text) => text.replaceAll(/<session_context>[\s\S]*?<\/session_context>/gu, "").trim());
  return own.findLast((text) => text.includes("[[")) ?? own.findLast((text) => text !== "") ?? "";
}

if (import.meta.main) {
  const { url } = await startGemini(Number(process.argv[2] ?? 0));
  process.stdout.write(`${url}\n`);
}
