/**
 * What an agent, or an MCP server behind it, asks by a form (ACP elicitation, a flat JSON schema): its fields as
 * questions, the replies as its content.
 */
import type { Question, Reply } from "@flybridge/protocol/ask.ts";
import { MAX_OPTIONS, MAX_QUESTIONS } from "@flybridge/protocol/limits.ts";
import { labelOf, wordsOf } from "../bounds.ts";
import { isObject, listAt, numberAt, objectAt, textAt, textsAt, type Json } from "../json.ts";

const YES = "Yes";
const NO = "No";

/** One question per field; a form without fields asks only for a yes. */
export function formQuestions(title: string, message: string, schema: Json | undefined): Question[] {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return [questionOf("confirm", title, message, [{ label: YES }, { label: NO }])];
  const required = textsAt(schema, "required");
  return fields.map(([name, field], place) => {
    const hints = hintsOf(field, required.includes(name));
    const text = [place === 0 ? message : "", textAt(field, "description") ?? "", hints].filter((one) => one !== "");
    const question = questionOf(keyOf(place), textAt(field, "title") ?? name, text.join("\n"), optionsOf(field));
    const secret = textAt(field, "format") === "password" || field["writeOnly"] === true;
    return { ...question, many: textAt(field, "type") === "array", secret };
  });
}

export type Content =
  | { readonly content: Json }
  /** A yes or no that was no. */
  | { readonly content?: undefined; readonly declined: true }
  /** A field that the form needs has no fitting reply. */
  | { readonly content?: undefined; readonly missing: string };

/** A field without a fitting reply takes its default; one that is needed and has none makes the form useless. */
export function contentOf(schema: Json | undefined, replies: readonly Reply[]): Content {
  const fields = fieldsOf(schema);
  if (fields.length === 0) {
    return replies.some((reply) => reply.picks.includes(NO)) ? { declined: true } : { content: {} };
  }
  const required = textsAt(schema, "required");
  const content: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [place, [name, field]] of fields.entries()) {
    const reply = replies.find((one) => one.question === keyOf(place));
    const value = (reply === undefined ? undefined : valueOf(field, reply)) ?? field["default"] ?? undefined;
    if (value !== undefined) content[name] = value;
    else if (required.includes(name)) return { missing: textAt(field, "title") ?? name };
  }
  return { content: { ...content } };
}

function fieldsOf(schema: Json | undefined): readonly (readonly [string, Json])[] {
  const properties = objectAt(schema, "properties") ?? {};
  const names = Object.keys(properties).slice(0, MAX_QUESTIONS);
  return names.map((name) => [name, objectAt(properties, name) ?? {}] as const);
}

interface Option {
  readonly value: string;
  readonly label: string;
  readonly detail?: string;
}

/** `enum` names values, `oneOf` and `anyOf` give them titles; a list has them in its items. */
function choicesOf(field: Json): readonly Option[] {
  const from = textAt(field, "type") === "array" ? objectAt(field, "items") : field;
  const titled = [...listAt(from, "oneOf"), ...listAt(from, "anyOf")].flatMap((one): Option[] => {
    const value = textAt(one, "const");
    const detail = textAt(one, "description");
    if (value === undefined) return [];
    return [{ value, label: labelOf(textAt(one, "title") ?? value), ...(detail === undefined ? {} : { detail }) }];
  });
  const names = textsAt(from, "enumNames");
  const plain = textsAt(from, "enum").map((value, place) => ({ value, label: labelOf(names[place] ?? value) }));
  return (titled.length > 0 ? titled : plain).slice(0, MAX_OPTIONS);
}

function optionsOf(field: Json): Question["options"] {
  if (textAt(field, "type") === "boolean") return [{ label: YES }, { label: NO }];
  return choicesOf(field).map(({ label, detail }) => ({
    label,
    ...(detail === undefined ? {} : { detail: wordsOf(detail) }),
  }));
}

function valueOf(field: Json, reply: Reply): unknown {
  const text = reply.text === undefined || reply.text === "" ? undefined : reply.text;
  const choices = choicesOf(field);
  const chosen = reply.picks.map((pick) => choices.find((one) => one.label === pick)?.value ?? pick);
  switch (textAt(field, "type")) {
    case "boolean":
      return boolean(chosen[0] ?? text);
    case "number":
    case "integer":
      return numeric(field, chosen[0] ?? text);
    case "array": {
      const all = [...chosen, ...(text === undefined ? [] : [text])];
      return all.length === 0 ? undefined : all;
    }
    default:
      return chosen[0] ?? text;
  }
}

function boolean(given: string | undefined): boolean | undefined {
  if (given === undefined) return undefined;
  if (given === YES || /^(?:true|yes|y)$/iu.test(given)) return true;
  return given === NO || /^(?:false|no|n)$/iu.test(given) ? false : undefined;
}

function numeric(field: Json, given: string | undefined): number | undefined {
  if (given === undefined || given.trim() === "") return undefined;
  const number = Number(given);
  const isWhole = textAt(field, "type") === "integer";
  return Number.isFinite(number) && (!isWhole || Number.isInteger(number)) ? number : undefined;
}

/** What the field takes, where its kind alone does not say it. */
function hintsOf(field: Json, required: boolean): string {
  const type = textAt(field, "type");
  const [low, high] = [numberAt(field, "minimum"), numberAt(field, "maximum")];
  const range = low === undefined && high === undefined ? "" : ` (${low ?? "…"} to ${high ?? "…"})`;
  const given = field["default"];
  const parts = [
    type === "integer" ? `A whole number${range}.` : type === "number" ? `A number${range}.` : "",
    FORMATS.get(textAt(field, "format")) ?? "",
    given === undefined || given === null || isObject(given) ? "" : `Without an answer: ${JSON.stringify(given)}.`,
    required ? "" : "Optional.",
  ];
  return parts.filter((one) => one !== "").join(" ");
}

const FORMATS: ReadonlyMap<unknown, string> = new Map(
  Object.entries({
    email: "An e-mail address.",
    uri: "An address (URI).",
    date: "A date, like 2026-01-31.",
    "date-time": "A date and time, like 2026-01-31T12:00:00Z.",
  }),
);

function questionOf(key: string, header: string, text: string, options: Question["options"]): Question {
  return { question: key, header: labelOf(header), text: wordsOf(text), options, many: false, secret: false };
}

function keyOf(place: number): string {
  return `q${place + 1}`;
}
