/** Facts that are said in words, and the wrapping of facts into drafts. */
import type { Fact, FactOf } from "@flybridge/protocol/entry.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { Draft } from "../agent.ts";
import { rawOf, wordsOf } from "../bounds.ts";
import type { Memory } from "./memory.ts";

type Notice = FactOf<"notice">;

/** Kinds of notice that are remembered as given; beyond it they are given again. */
const MAX_NOTICED = 64;

export function noticeOf(level: Notice["level"], text: string, raw?: string): Notice {
  return { kind: "notice", level, text: wordsOf(text), ...(raw === undefined ? {} : { raw: rawOf(raw) }) };
}

export function notice(level: Notice["level"], text: string, raw?: string): Draft {
  return told(noticeOf(level, text, raw));
}

/** True the first time that `name` is asked for. */
export function first(memory: Memory, name: string): boolean {
  if (memory.noticed.includes(name)) return false;
  if (memory.noticed.length < MAX_NOTICED) memory.noticed.push(name);
  return true;
}

export function told(fact: Fact): Draft {
  return { kind: "fact", fact };
}

export function began(item: Item): Draft {
  return told({ kind: "item.began", item });
}

export function completed(item: Item): Draft {
  return told({ kind: "item.completed", item });
}
