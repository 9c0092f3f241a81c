/** A list, and below it a line that takes one of its keys. */
import { noOf } from "./keys.ts";
import { type KeyedList, listAbove } from "./list.ts";
import { aboveOf, type Prompt } from "./prompt.ts";
import { isShellPrompt } from "./resting.ts";
import type { View } from "./rows.ts";
import type { Found } from "./shape.ts";

const CHOOSES =
  /\b(?:choice|choose|select|selection|option|number|numeric|pick|answer|which|action|command|what now|update|menu|index|item|enter (?:a |the |your )?(?:number|choice|option|selection|letter|value)|\d+\s*(?:[-–/]|to|\.\.)\s*\d+)\b|#\?|^(?:wahl|auswahl|choix|elecci[oó]n|opci[oó]n|scelta|escolha|выбор|wybór)\b|\[(?:\d+[-–/,]?)+\]|\(\d+\s?[-–/]\s?\d+\)|选择|選択/iu;

const WAITS = /^(.*[:?>#$›»⟩\])])\s*(\S{0,12})$/u;

/** A list above, and a line that takes one of its keys. */
export function chooser(view: View, prompt: Prompt): Found | undefined {
  const wide = WAITS.exec(prompt.text);
  if (!wide) return undefined;
  const [, label = "", typed = ""] = wide;
  if (label === "" || (typed !== "" && !(/^[\w,.-]{1,6}$/u.test(typed) && CHOOSES.test(label)))) return undefined;
  const list = listAbove(view, prompt.top, CHOOSES.test(label));
  const chooses =
    CHOOSES.test(label) ||
    (list !== undefined &&
      CHOOSES.test(aboveOf(view, list.top)) &&
      /[>:?]$/u.test(label) &&
      label.split(/\s+/u).length <= 2);
  if (!list || !fits(list, label, chooses)) return undefined;
  const near = aboveOf(view, list.top);
  const bare = /^[>:?#›»\s]*$/u.test(label);
  const question = bare ? near || label : near === "" ? label : `${near}\n${label}`;
  const many =
    /\b(?:(?:items?|options?|numbers?|choices?|locales?)\b.{0,40}(?:separated|comma|space)|select (?:all|one or more)|multiple)/iu.test(
      `${near} ${label}`,
    );
  return {
    question,
    top: Math.min(list.top, prompt.top),
    end: prompt.end,
    shape: {
      asks: "choice",
      by: "keys",
      options: list.options,
      ...(many ? { many: true as const } : {}),
      ...(typed === "" ? {} : { typed }),
      ...noOf(list.options),
    },
  };
}

function fits(list: KeyedList, label: string, chooses: boolean): boolean {
  if (isShellPrompt(label)) return false;
  const words = label.split(/\s+/u).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  const prose =
    list.options.filter((option) => option.label.length > 90 || /[.;]$/u.test(option.label)).length * 2 >
    list.options.length;
  if (chooses) return list.between <= 3;
  // Without a word that says so, it must stand just below, and say little.
  return (
    list.between === 0 &&
    words <= 3 &&
    !prose &&
    !/\b(?:name|e-?mail|address|password|version|path|url|title|description|comment|message|port|host|user)\b/iu.test(
      label,
    )
  );
}
