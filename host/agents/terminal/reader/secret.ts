/** Prompts for a secret, by what they call it, by saying that it is hidden, or by what is drawn for its letters. */
import { isNoise } from "./label.ts";
import type { Prompt } from "./prompt.ts";
import type { Found } from "./shape.ts";
import { isSecret, secretPart, TELLS } from "./words.ts";

export function secret(prompt: Prompt): Found | undefined {
  const { text } = prompt;
  const hidden =
    /\s*[[(](?:input|hidden|typing|masked|text)[^\])]{0,40}(?:hidden|masked|shown|visible|echo\w*|input)[\])]\s*$|\s*\((?:hidden|no echo|will (?:not be shown|be hidden))\)\s*:?\s*$/iu.exec(
      text,
    );
  const masked = /\s[*•●▪■∗＊]+_?$/u.exec(text);
  const label = text.slice(0, Math.min(hidden?.index ?? text.length, masked?.index ?? text.length)).trimEnd();
  const named = isSecret(label);
  const waits =
    /[:?>：›»‣…]\s*(?:\([^()]{0,60}\)\s*:?\s*|\[[^[\]]{0,40}\]\s*:?\s*)?$/u.test(label) ||
    /\([^()]{0,60}\)\s*$/u.test(label);
  const strong = hidden !== null || (prompt.live && (named || masked !== null)) || (masked !== null && named);
  if (!strong && !(named && (waits || /\b(?:below|here|now|and press (?:enter|return))[.:]?$/iu.test(label))))
    return undefined;
  if (isNoise(label) || (!prompt.live && !waits && hidden === null && !TELLS.test(label))) return undefined;
  if (!strong && !TELLS.test(label) && label.split(/\s+/u).length > 14) return undefined;
  return {
    question: untyped(label),
    top: prompt.top,
    end: prompt.end,
    shape: { asks: "secret", by: "line", options: [] },
  };
}

/** Without what may be the secret itself, where the terminal shows it. */
function untyped(label: string): string {
  if (/[:?>：›»‣…)\]]$/u.test(label)) return label;
  const marked = /^(.*[:?>：›»‣])\s/u.exec(label)?.[1];
  return marked !== undefined && secretPart(marked) !== undefined ? marked : (secretPart(label) ?? label);
}
