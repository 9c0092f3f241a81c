/**
 * Words and thoughts. A block streams as `stream_event`s, and is told once more, whole, by an `assistant` message
 * just before it stops; sub-agents stream nothing and are only told whole.
 */
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import { MAX_BODY_CHARS } from "@flybridge/protocol/limits.ts";
import type { Draft } from "../agent.ts";
import { kept, room } from "../bounds.ts";
import { numberAt, objectAt, textAt, type Json } from "../json.ts";
import { began, completed, nextId, type Memory, type OpenBlock } from "./memory.ts";

type Kind = OpenBlock["kind"];

export function hearStream(memory: Memory, event: Json, parent: ItemId | undefined, at: number): Draft[] {
  const index = numberAt(event, "index") ?? 0;
  switch (textAt(event, "type")) {
    case "message_start": {
      // A retried call begins its message again; what the broken one left open stays as far as it came.
      const left = closeBlocks(memory, (block) => block.parent === parent);
      if (parent === undefined) memory.context = tokensIn(objectAt(objectAt(event, "message"), "usage"));
      return left;
    }
    case "content_block_start": {
      const block = objectAt(event, "content_block");
      const kind = kindOf(textAt(block, "type"));
      if (kind === undefined) return [];
      memory.blocks.push({ parent, index, kind, at, text: "" });
      const text = textAt(block, kind === "words" ? "text" : "thinking") ?? "";
      return text === "" ? [] : grown(memory, parent, index, text, at);
    }
    case "content_block_delta": {
      const delta = objectAt(event, "delta");
      const text = textAt(delta, "text") ?? textAt(delta, "thinking") ?? "";
      return text === "" ? [] : grown(memory, parent, index, text, at);
    }
    case "message_delta":
      if (parent === undefined) memory.context += numberAt(objectAt(event, "usage"), "output_tokens") ?? 0;
      return [];
    case "message_stop":
      return closeBlocks(memory, (block) => block.parent === parent);
    default:
      return [];
  }
}

/** A whole block: it completes the open one that streamed it, or stands for itself. */
export function hearWhole(memory: Memory, kind: Kind, text: string, parent: ItemId | undefined, at: number): Draft[] {
  const open = memory.blocks.find((block) => block.parent === parent && block.kind === kind);
  if (open) {
    memory.blocks = memory.blocks.filter((block) => block !== open);
    if (open.item !== undefined) return [completed(itemOf(memory, open, open.item, text))];
  }
  if (text.trim() === "") return [];
  const block: OpenBlock = { parent, index: 0, kind, at: open?.at ?? at, text };
  const item = nextId<ItemId>(memory, "i");
  return [began(itemOf(memory, block, item, "")), completed(itemOf(memory, block, item, text))];
}

/** Completes what is open with what came of it. */
export function closeBlocks(memory: Memory, which: (block: OpenBlock) => boolean = () => true): Draft[] {
  const closing = memory.blocks.filter(which);
  memory.blocks = memory.blocks.filter((block) => !which(block));
  return closing.flatMap((block) =>
    block.item === undefined ? [] : [completed(itemOf(memory, block, block.item, block.text))],
  );
}

function grown(memory: Memory, parent: ItemId | undefined, index: number, text: string, at: number): Draft[] {
  const block = memory.blocks.find((one) => one.parent === parent && one.index === index);
  if (!block) return [];
  const piece = room(block.text.length, text);
  block.text += piece;
  const drafts: Draft[] = [];
  if (block.item === undefined) {
    block.item = nextId<ItemId>(memory, "i");
    block.at = at;
    drafts.push(began(itemOf(memory, block, block.item, "")));
  }
  if (piece !== "") drafts.push({ kind: "grow", item: block.item, text: piece });
  return drafts;
}

function itemOf(memory: Memory, block: OpenBlock, item: ItemId, text: string): Item {
  return {
    kind: block.kind,
    item,
    ...(memory.turn === undefined ? {} : { turn: memory.turn }),
    ...(block.parent === undefined ? {} : { parent: block.parent }),
    body: kept(text, MAX_BODY_CHARS),
    at: block.at,
  };
}

function kindOf(type: string | undefined): Kind | undefined {
  if (type === "text") return "words";
  if (type === "thinking") return "thought";
  return undefined;
}

function tokensIn(usage: Json | undefined): number {
  const parts = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
  return parts.reduce((sum, part) => sum + (numberAt(usage, part) ?? 0), 0);
}
