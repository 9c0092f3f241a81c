/** The legend of keys that programs draw below what they ask: `Esc to cancel · Tab to amend`, `↑↓ navigate • ⏎ select`. */

const NAMED = String.raw`(?:esc(?:ape)?|enter|return|ret|tab|space(?:bar)?|back ?space|delete|del|pg ?(?:up|dn|down)|page (?:up|down)|home|end|(?:use )?(?:the )?(?:up|down|left|right)(?:[ /](?:and |or )?(?:down|right))?(?: ?arrows?)?(?: keys?)?|(?:use )?(?:the )?arrow(?:[ -]?keys?|s)|any key|f\d{1,2}|number keys?|digits?|[a-z0-9?/!]|wasd)`;
const MODIFIED = String.raw`(?:(?:ctrl|control|alt|option|opt|shift|cmd|command|meta|super|c|m|s|⌃|⌥|⌘|⇧|\^)[ +-]?)`;
const DRAWN = String.raw`[↑↓←→⏎↵⇥⇤⇆⇅↕↔⌫␣⎋⇧⌃⌥⌘⭾⮐↩⬆⬇⬅➡▲▼◀▶]+(?:[/ ]?[↑↓←→⬆⬇▲▼◀▶]+)*`;
const ONE =
  String.raw`[<[("'‘“` +
  "`" +
  String.raw`]?(?:${MODIFIED}*${NAMED}|${MODIFIED}\S|${DRAWN})[>\])"'’”` +
  "`" +
  String.raw`]?`;
const KEYS = String.raw`(?:(?:press|use|hit|push|type|tap) )?${ONE}(?:(?: ?[/,+&|] ?| or | and | )${ONE}){0,6}`;
const DOES = String.raw`(?:select|choose|pick|confirm|submit|accept|approve|continue|proceed|navigate|move|toggle|cycle|switch|change|cancel|quit|exit|close|dismiss|leave|abort|back|go back|return|filter|search|find|amend|edit|add|remove|delete|interrupt|stop|reject|deny|decline|complete|finish|done|next|prev(?:ious)?|help|show|shortcuts|full ?screen|invert|mark|check|uncheck|all|none|up|down|left|right|scroll|page|expand|collapse|open|view|preview|copy|skip|clear|type|new ?line|retry|undo|options|commands|menu|details?|more|less|default|highlight|answer|start|run|save|set|reset|refresh|queue|send|suggest|editor|explain|attach|vote|jump|focus|sort|zoom|hide|adjust|use|apply)`;
const PART = new RegExp(
  String.raw`^[-–(\[]?\s*${KEYS}\s*(?:[:=→-]|to|for|will|can|keys?)?\s*(?:to |for |the )?${DOES}\b[^[\]]{0,60}$`,
  "iu",
);
/** `select: enter`, `Navigate ↑↓`. */
const TURNED = new RegExp(
  String.raw`^[-–(\[]?\s*(?:to )?${DOES}(?: \w+){0,2}\s*[:=(\[ ]\s*(?:with |press |using )?${ONE}[)\]]?(?:\s*[/,+ ]\s*${ONE})*\.?[)\]]?$`,
  "iu",
);
const USE =
  /\b(?:use (?:the )?(?:arrow|up|down|↑|space)|arrow[- ]?keys|press (?:<?(?:space|enter|tab|a)>?|the space)\b.*\bto\b)|use arrows to move|move up and down|reveal more choices|return to submit|type to (?:search|filter)|↑\/?↓/iu;
/** Parts that answer a menu, rather than steer a whole program. */
const ANSWERS =
  /\b(?:save|apply|select|choose|pick|confirm|submit|accept|approve|toggle|navigate|move|proceed|continue|cycle|complete|highlight|answer|mark|next)\b|return to submit|arrow[- ]?keys/iu;
const DOING = new RegExp(String.raw`\b${DOES}\b`, "iu");
const MAX_HINT_CHARS = 240;
const MAX_PART_CHARS = 100;

/** Whether a row is a legend of keys and nothing else. */
export function isHint(said: string): boolean {
  if (said.length > MAX_HINT_CHARS || said.length < 4 || /^\?\s+\p{Lu}|[:?>]$/u.test(said)) return false;
  const parts = partsOf(said);
  if (parts.length === 0) return false;
  const legends = parts.filter(isPart).length;
  // Half of them are enough where one leads: behind buttons on the same row they do not.
  return legends > 0 && (legends * 2 > parts.length || (legends * 2 === parts.length && isPart(parts[0] ?? "")));
}

/** Whether the legend says how an answer is given. */
export function answers(said: string): boolean {
  return isHint(said) && ANSWERS.test(said);
}

/** `(Use arrow keys)`, `[Use arrows to move, type to filter]`, `- Use arrow-keys. Return to submit.` after a question. */
export function trailingHint(said: string): string | undefined {
  const hint =
    /(?:[([](?:use|press|move|select|space|type|↑|↓|arrow)[^)\]]{3,160}(?:[)\]]|$).{0,4}|(?:- |(?<=[…›‣?:]\s{1,3}))(?:use|press) (?:arrow|space|the).{3,120})$/iu.exec(
      said,
    );
  return hint && (USE.test(hint[0]) || /\bto (?:select|toggle|move|choose|submit|confirm)\b/iu.test(hint[0]))
    ? hint[0]
    : undefined;
}

/** The part of a row before its legend, where a program puts both on one: `Allow once   Reject    ⇆ select  enter confirm`. */
export function beforeHint(text: string): { readonly text: string; readonly hint: string } {
  const pieces = [...text.matchAll(/\S+(?: \S+)*/gu)];
  for (const [place, piece] of pieces.entries()) {
    const rest = pieces.slice(place).map(([words]) => words);
    if (rest.every(isPart) && rest.length > 0)
      return { text: text.slice(0, piece.index).trimEnd(), hint: rest.join(" · ") };
  }
  return { text, hint: "" };
}

function isPart(part: string): boolean {
  // Long parts are prose, and short patterns over them would be tried from many places.
  if (part.length > MAX_PART_CHARS || !DOING.test(part)) return USE.test(part.slice(0, MAX_HINT_CHARS));
  return PART.test(part) || TURNED.test(part) || USE.test(part);
}

function partsOf(said: string): string[] {
  return said
    .replace(/^[([]|[)\]]$/gu, "")
    .split(/\s*[·•|│‧∙⋅;]\s*|,\s+(?:and )?|\s{2,}|\s+[—–]\s+|\.\s+/u)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
