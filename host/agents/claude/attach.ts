/**
 * What goes with a prompt, as Claude's content blocks: pictures and PDFs as themselves, short texts in full, and of
 * anything else where it lies, for Claude to open with its own tools.
 */
import type { Attached } from "../agent.ts";
import type { Json } from "../json.ts";

/** What the model's service takes as a picture, and characters of one as it travels (a larger one fails the turn). */
const PICTURES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const MAX_PICTURE_CHARS = 5 * 1024 * 1024;
/** Bytes of a text that goes along in full; more would fill the context window unasked. */
const MAX_TEXT_BYTES = 48 * 1024;

/** A plain text where nothing is attached: Claude expands commands and mentions only there and in text blocks. */
export function contentOf(text: string, attached: readonly Attached[]): string | readonly Json[] {
  if (attached.length === 0) return text;
  return [...attached.map(blockOf), { type: "text", text }];
}

function blockOf(one: Attached): Json {
  const { type, data, name, path, size } = one;
  if (PICTURES.has(type) && data.length <= MAX_PICTURE_CHARS)
    return { type: "image", source: { type: "base64", media_type: type, data } };
  if (type === "application/pdf")
    return { type: "document", title: name, source: { type: "base64", media_type: type, data } };
  const words = textIn(one);
  if (words === undefined)
    return textBlock(`The person attached the file ${JSON.stringify(name)} (${type}, ${size} bytes). It is at ${path}`);
  return textBlock(
    `The person attached the file ${JSON.stringify(name)}. It is also at ${path}. All of it:\n\n${words}`,
  );
}

function textBlock(text: string): Json {
  return { type: "text", text };
}

/** Undefined when it is too long, or not UTF-8 text. */
function textIn({ data, size }: Attached): string | undefined {
  if (size > MAX_TEXT_BYTES) return undefined;
  try {
    const words = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(data, "base64"));
    return words.includes("\0") ? undefined : words;
  } catch {
    return undefined;
  }
}
