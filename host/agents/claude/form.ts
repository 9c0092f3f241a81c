/** What an MCP server asks a person through Claude (`elicitation`): its schema as questions, the replies as its content. */
import type { Question, Reply } from "@flybridge/protocol/ask.ts";
import { MAX_OPTIONS, MAX_QUESTIONS } from "@flybridge/protocol/limits.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { objectAt, textAt, textsAt, type Json } from "../json.ts";

const YES = "Yes";
const NO = "No";

/** One question per field; a server that asks for no field asks only for a yes. */
export function formQuestions(request: Json): Question[] {
  const server = textAt(request, "mcp_server_name") ?? "An MCP server";
  const message = [textAt(request, "message"), textAt(request, "url")].filter((one) => one !== undefined).join("\n");
  const fields = fieldsOf(request);
  if (fields.length === 0) {
    return [questionOf("confirm", server, message, [YES, NO])];
  }
  return fields.map(([, field], place) => {
    const text = [place === 0 ? message : "", textAt(field, "description") ?? ""]
      .filter((one) => one !== "")
      .join("\n");
    return questionOf(keyOf(place), textAt(field, "title") ?? fields[place]?.[0] ?? server, text, optionsOf(field));
  });
}

/** Fields without a reply are left out; the server says which ones it needs. */
export function contentOf(request: Json, replies: readonly Reply[]): Json {
  const content: Record<string, unknown> = {};
  for (const [place, [name, field]] of fieldsOf(request).entries()) {
    const reply = replies.find((one) => one.question === keyOf(place));
    const given = reply?.picks[0] ?? reply?.text;
    if (given !== undefined && given !== "") content[name] = valueOf(field, given);
  }
  return content;
}

function fieldsOf(request: Json): readonly (readonly [string, Json])[] {
  const properties = objectAt(objectAt(request, "requested_schema"), "properties") ?? {};
  const names = Object.keys(properties).slice(0, MAX_QUESTIONS);
  return names.map((name) => [name, objectAt(properties, name) ?? {}] as const);
}

function optionsOf(field: Json): readonly string[] {
  if (textAt(field, "type") === "boolean") return [YES, NO];
  return textsAt(field, "enum").slice(0, MAX_OPTIONS);
}

function valueOf(field: Json, given: string): unknown {
  const type = textAt(field, "type");
  if (type === "boolean") return given === YES;
  if ((type === "number" || type === "integer") && Number.isFinite(Number(given))) return Number(given);
  return given;
}

function questionOf(key: string, header: string, text: string, options: readonly string[]): Question {
  return {
    question: key,
    header: labelOf(header),
    text: wordsOf(text),
    options: options.map((label) => ({ label: labelOf(label) })),
    many: false,
    secret: false,
  };
}

function keyOf(place: number): string {
  return `q${place + 1}`;
}
