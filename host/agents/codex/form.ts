/**
 * What an MCP server asks a person through Codex (`mcpServer/elicitation/request`): its schema as questions, the
 * replies as its content. The schema is MCP's of 2025-11-25 (`ElicitRequestFormParams`): one flat object of texts,
 * numbers, booleans and choices.
 */
import type { Question, Reply } from "@flybridge/protocol/ask.ts";
import { MAX_OPTIONS, MAX_QUESTIONS } from "@flybridge/protocol/limits.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { isObject, listAt, numberAt, objectAt, textAt, textsAt, type Json } from "../json.ts";

const YES = "Yes";
const NO = "No";

interface Option {
  readonly label: string;
  readonly value: unknown;
}

/** One question per field; a server that asks for no field asks only for a yes. */
export function formQuestions(params: Json): Question[] {
  const server = textAt(params, "serverName") ?? "An MCP server";
  const message = textAt(params, "message") ?? "";
  const fields = fieldsOf(params);
  if (fields.length === 0) return [questionOf(keyOf(0), server, message, [YES], false)];
  return fields.map(([name, field, required], place) => {
    const text = [place === 0 ? message : "", textAt(field, "description") ?? "", ruleOf(field, required)];
    const options = optionsOf(field).map(({ label }) => label);
    const header = textAt(field, "title") ?? name;
    return questionOf(keyOf(place), header, text.filter((one) => one !== "").join("\n"), options, isMany(field));
  });
}

/** The content, or what is wrong with the replies: an invalid one would reach the server as if the person meant it. */
export function contentOf(
  params: Json,
  replies: readonly Reply[],
): { readonly content: Json } | { readonly fault: string } {
  const content: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [place, [name, field, required]] of fieldsOf(params).entries()) {
    const reply = replies.find((one) => one.question === keyOf(place));
    const given = [...(reply?.picks ?? []), ...(reply?.text === undefined || reply.text === "" ? [] : [reply.text])];
    const title = textAt(field, "title") ?? name;
    if (given.length === 0) {
      if (field["default"] !== undefined && required) content[name] = field["default"];
      else if (required) faults.push(`"${title}" is needed.`);
      continue;
    }
    const value = valueOf(field, given);
    if (value === undefined) faults.push(`"${given.join(", ")}" does not fit "${title}". ${ruleOf(field, required)}`);
    else content[name] = value;
  }
  return faults.length > 0 ? { fault: faults.join(" ") } : { content };
}

function fieldsOf(params: Json): readonly (readonly [name: string, field: Json, required: boolean])[] {
  const schema = objectAt(params, "requestedSchema");
  const properties = objectAt(schema, "properties") ?? {};
  const needed = new Set(textsAt(schema, "required"));
  return Object.keys(properties)
    .slice(0, MAX_QUESTIONS)
    .map((name) => [name, objectAt(properties, name) ?? {}, needed.has(name)] as const);
}

function isMany(field: Json): boolean {
  return textAt(field, "type") === "array";
}

function optionsOf(field: Json): readonly Option[] {
  if (textAt(field, "type") === "boolean") {
    return [
      { label: YES, value: true },
      { label: NO, value: false },
    ];
  }
  const from = isMany(field) ? objectAt(field, "items") : field;
  const titled = [...listAt(from, "oneOf"), ...listAt(from, "anyOf")].map((one) => ({
    label: textAt(one, "title") ?? textAt(one, "const") ?? "",
    value: one["const"],
  }));
  const names = textsAt(from, "enumNames");
  const plain = textsAt(from, "enum").map((value, place) => ({ label: names[place] ?? value, value }));
  const options = titled.length > 0 ? titled : plain;
  // Two with one name could not be told apart.
  return options
    .map(({ label, value }) => ({ label: labelOf(label), value }))
    .filter((one, place, all) => one.label !== "" && all.findIndex((other) => other.label === one.label) === place)
    .slice(0, MAX_OPTIONS);
}

function valueOf(field: Json, given: readonly string[]): unknown {
  const options = optionsOf(field);
  if (isMany(field)) {
    const values = given.map((label) => options.find((one) => one.label === label)?.value);
    const least = numberAt(field, "minItems") ?? 0;
    const most = numberAt(field, "maxItems") ?? values.length;
    return values.includes(undefined) || values.length < least || values.length > most ? undefined : values;
  }
  const [text = ""] = given;
  if (options.length > 0) return options.find((one) => one.label === text)?.value;
  switch (textAt(field, "type")) {
    case "number":
    case "integer": {
      const value = text.trim() === "" ? Number.NaN : Number(text);
      const whole = textAt(field, "type") === "number" || Number.isSafeInteger(value);
      const least = numberAt(field, "minimum") ?? Number.NEGATIVE_INFINITY;
      const most = numberAt(field, "maximum") ?? Number.POSITIVE_INFINITY;
      return Number.isFinite(value) && whole && value >= least && value <= most ? value : undefined;
    }
    default: {
      const least = numberAt(field, "minLength") ?? 0;
      const most = numberAt(field, "maxLength") ?? Number.POSITIVE_INFINITY;
      const length = [...text].length;
      return length >= least && length <= most && hasFormat(text, textAt(field, "format")) ? text : undefined;
    }
  }
}

function hasFormat(text: string, format: string | undefined): boolean {
  switch (format) {
    case "email":
      return /^[^\s@]+@[^\s@]+$/u.test(text);
    case "uri":
      return URL.canParse(text);
    case "date":
      return /^\d{4}-\d\d-\d\d$/u.test(text) && !Number.isNaN(Date.parse(text));
    case "date-time":
      return /^\d{4}-\d\d-\d\dT/u.test(text) && !Number.isNaN(Date.parse(text));
    default:
      return true;
  }
}

/** What fits, in words. */
function ruleOf(field: Json, required: boolean): string {
  const limits = [
    ["minimum", "at least"],
    ["maximum", "at most"],
    ["minLength", "at least", "characters"],
    ["maxLength", "at most", "characters"],
    ["minItems", "at least", "of them"],
    ["maxItems", "at most", "of them"],
  ].flatMap(([key = "", words = "", unit]) => {
    const limit = numberAt(field, key);
    return limit === undefined ? [] : [`${words} ${limit}${unit === undefined ? "" : ` ${unit}`}`];
  });
  const type = textAt(field, "type");
  const format = textAt(field, "format");
  const kind = type === "integer" ? "a whole number" : type === "number" ? "a number" : format && `as ${format}`;
  const rules = [...(kind ? [kind] : []), ...limits, ...(required ? ["needed"] : [])];
  if (rules.length === 0) return "";
  const text = rules.join(", ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function questionOf(key: string, header: string, text: string, options: readonly string[], many: boolean): Question {
  return {
    question: key,
    header: labelOf(header),
    text: wordsOf(text),
    options: options.map((label) => ({ label })),
    many,
    secret: false,
  };
}

function keyOf(place: number): string {
  return `q${place + 1}`;
}

/** Whether the request is for a tool of the server's, and not a question of its own. */
export function isToolApproval(params: Json): boolean {
  const meta = params["_meta"];
  return isObject(meta) && textAt(meta, "codex_approval_kind") === "mcp_tool_call";
}
