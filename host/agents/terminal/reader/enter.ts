/** Prompts that wait for the return key, or any. */
import { contextOf, type Prompt } from "./prompt.ts";
import { isWatched } from "./resting.ts";
import type { View } from "./rows.ts";
import type { Found } from "./shape.ts";
import { ENTER } from "./words.ts";

export function enter(view: View, prompt: Prompt): Found | undefined {
  const { text } = prompt;
  if (!ENTER.test(text) || text.length > 240) return undefined;
  if (
    /\(press return\)|or type command|type selection|enter a |or (?:type|enter) (?:a |the )?(?:number|name|path|selection)|\+ enter\b|default(?:\)|:)?\s*$/iu.test(
      text,
    )
  )
    return undefined;
  if (/^(?:[›>•*·-]|\d+[.)])\s/u.test(text) || isWatched(text.replace(ENTER, " "))) return undefined;
  if (
    /^enter to \w+\s{2,}/iu.test(text) ||
    (/^(?:enter|return) to\b/iu.test(text) && /\b(?:esc|ctrl|tab)\b/iu.test(text))
  )
    return undefined;
  // A key among several of a legend steers a program; it does not ask.
  if (
    /^(?:\S+ ){0,6}(?:press|hit)\b/iu.test(text) === false &&
    !/(?:press|hit|appuyez|dr[uü]cken|presione|pulse|нажмите|按|enter|return)/iu.test(text)
  )
    return undefined;
  return {
    question: text,
    context: contextOf(view, prompt.top),
    top: prompt.top,
    end: prompt.end,
    shape: { asks: "confirm", by: "enter", options: [{ label: "Continue", key: "" }] },
  };
}
