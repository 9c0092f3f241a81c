/** Words, thoughts, and in repeated history prompts: chunks that go on until something else is said. */
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { kept, room } from "../bounds.ts";
import { objectAt, textAt, type Json } from "../json.ts";
import { nextId, type Memory, type OpenText } from "./memory.ts";
import { began, completed } from "./notice.ts";

export function hearChunk(memory: Memory, kind: OpenText["kind"], update: Json, at: number): Draft[] {
  const text = textOfBlock(objectAt(update, "content"));
  if (text === "") return [];
  const message = textAt(update, "messageId");
  const goesOn = memory.text?.kind === kind && memory.text.message === message;
  const drafts: Draft[] = goesOn ? [] : closeText(memory);
  let open = memory.text;
  if (open === undefined) {
    open = { kind, item: nextId<ItemId>(memory, "i"), at, text: "", ...(message === undefined ? {} : { message }) };
    memory.text = open;
    drafts.push(began(itemOf(memory, open)));
  }
  const piece = room(open.text.length, text);
  open.text += piece;
  if (piece !== "") drafts.push({ kind: "grow", item: open.item, text: piece });
  return drafts;
}

/** Completes what is open with what came of it. */
export function closeText(memory: Memory): Draft[] {
  const open = memory.text;
  delete memory.text;
  return open === undefined ? [] : [completed(itemOf(memory, open))];
}

/** A content block as text: of what is no text, its kind and name. */
export function textOfBlock(block: Json | undefined): string {
  switch (textAt(block, "type")) {
    case "text":
      return textAt(block, "text") ?? "";
    case "resource_link":
      return `[${textAt(block, "title") ?? textAt(block, "name") ?? "file"}](${textAt(block, "uri") ?? ""})`;
    case "resource": {
      const resource = objectAt(block, "resource");
      return textAt(resource, "text") ?? `[${textAt(resource, "uri") ?? "resource"}]`;
    }
    case "image":
    case "audio":
      return `[${textAt(block, "type")}: ${textAt(block, "mimeType") ?? "unknown"}]`;
    default:
      return "";
  }
}

function itemOf(memory: Memory, open: OpenText): Item {
  return {
    kind: open.kind,
    item: open.item,
    ...(memory.turn?.turn === undefined ? {} : { turn: memory.turn.turn }),
    body: kept(open.text, MAX_BODY_CHARS),
    at: open.at,
  };
}
