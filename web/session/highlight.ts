/** Colours code by prism's tokens, as elements made by hand: no markup string, so nothing to trust. */
import Prism from "prismjs/components/prism-core.js";
import "prismjs/components/prism-clike.js";
import "prismjs/components/prism-javascript.js";
import "prismjs/components/prism-typescript.js";
import "prismjs/components/prism-markup.js";
import "prismjs/components/prism-css.js";
import "prismjs/components/prism-jsx.js";
import "prismjs/components/prism-tsx.js";
import "prismjs/components/prism-json.js";
import "prismjs/components/prism-bash.js";
import "prismjs/components/prism-python.js";
import "prismjs/components/prism-go.js";
import "prismjs/components/prism-rust.js";
import "prismjs/components/prism-sql.js";
import "prismjs/components/prism-yaml.js";
import "prismjs/components/prism-diff.js";

/** Characters of a block beyond which it stays plain. */
const MAX_COLOURED_CHARS = 60_000;

const OTHER_NAMES: Record<string, string> = {
  ts: "typescript",
  js: "javascript",
  sh: "bash",
  shell: "bash",
  zsh: "bash",
  console: "bash",
  py: "python",
  rs: "rust",
  yml: "yaml",
  html: "markup",
  xml: "markup",
  svg: "markup",
  patch: "diff",
  golang: "go",
};

type Token = string | { type: string; content: Token | Token[] };

export function highlight(code: HTMLElement): void {
  const lang = (code.dataset["lang"] ?? "").toLowerCase();
  const grammar = Prism.languages[OTHER_NAMES[lang] ?? lang];
  const text = code.textContent ?? "";
  if (!grammar || text.length > MAX_COLOURED_CHARS) return;
  code.replaceChildren(...(Prism.tokenize(text, grammar) as Token[]).map(nodeOf));
}

function nodeOf(token: Token): Node {
  if (typeof token === "string") return document.createTextNode(token);
  const span = document.createElement("span");
  span.className = `tk tk-${token.type}`;
  span.append(...[token.content].flat().map(nodeOf));
  return span;
}
