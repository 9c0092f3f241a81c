/**
 * An agent's words as markdown that grows. Blocks that are finished are rendered once and kept; only the last block is
 * read again when text comes. Everything passes DOMPurify with a list of what may be there; there are no images, and a
 * link says where it goes.
 */
import { visible } from "@flybridge/protocol/text.ts";
import createPurifier from "dompurify";
import { Marked, type Tokens } from "marked";
import remend from "remend";

/** Characters of one body that are read as markdown; what is longer is shown as plain text after that. */
const MAX_MARKDOWN_CHARS = 400_000;

const marked = new Marked({ gfm: true, breaks: false, async: false });
marked.use({
  renderer: {
    // HTML in an agent's words is text that talks about HTML.
    html: ({ text }) => escaped(text),
    image: ({ href, text }) => `<a href="${escaped(href)}">${escaped(text || href)}</a>`,
    code: ({ text, lang }: Tokens.Code) =>
      `<pre tabindex="0"><code data-lang="${escaped(/^[\w+#-]{1,20}/u.exec(lang ?? "")?.[0] ?? "")}">${escaped(text)}\n</code></pre>`,
    checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
  },
});

const TAGS =
  "p br hr em strong del code pre ul ol li blockquote h1 h2 h3 h4 h5 h6 table thead tbody tr th td a span".split(" ");
const purifier = createPurifier(window);
purifier.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  const href = node.getAttribute("href") ?? "";
  const target = URL.canParse(href) ? new URL(href) : undefined;
  if (!target || !/^https?:$/u.test(target.protocol)) {
    node.removeAttribute("href");
    return;
  }
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer");
  node.setAttribute("title", visible(target.href));
  const said = (node.textContent ?? "").trim();
  if (said === href || said === target.href || `${said}/` === target.href) return;
  const where = document.createElement("span");
  where.className = "link-host";
  where.textContent = visible(target.host);
  node.append(where);
});

export interface Growing {
  /** Brings `into` up to the text; cheap when the text only grew. */
  show(text: string, open: boolean): void;
}

/** Draws into an element that nothing else writes to. */
export function growingMarkdown(into: HTMLElement): Growing {
  let done = "";
  let tail: HTMLElement | undefined;
  let shown = "";
  return {
    show(text, open) {
      if (!text.startsWith(done)) {
        into.replaceChildren();
        tail = undefined;
        done = "";
      }
      const rest = text.slice(done.length);
      if (rest === shown && open) return;
      const blocks = done.length > MAX_MARKDOWN_CHARS ? [] : marked.lexer(rest).filter((token) => token.raw !== "");
      let last = blocks.length - 1;
      while (last > 0 && blocks[last]?.type === "space") last--;
      for (const block of blocks.slice(0, last)) {
        done += block.raw;
        if (block.type === "space") continue;
        fill((tail ??= newBlock(into)), block.raw);
        tail = undefined;
      }
      shown = text.slice(done.length);
      if (shown.trim() !== "") fill((tail ??= newBlock(into)), open ? remend(shown) : shown);
    },
  };
}

function newBlock(into: HTMLElement): HTMLElement {
  const block = document.createElement("div");
  block.dir = "auto";
  into.append(block);
  return block;
}

function fill(block: HTMLElement, source: string): void {
  if (source.length > MAX_MARKDOWN_CHARS) {
    block.textContent = visible(source);
    return;
  }
  const html = marked.parse(hidden(source)) as string;
  const safe = purifier.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ["href", "title", "class", "target", "rel", "start", "align", "data-lang", "tabindex"],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_TRUSTED_TYPE: true,
  });
  block.innerHTML = safe as unknown as string;
  for (const code of block.querySelectorAll<HTMLElement>("pre > code")) dress(code);
  for (const table of block.querySelectorAll("table")) {
    const box = document.createElement("div");
    box.className = "table-box";
    box.tabIndex = 0;
    table.replaceWith(box);
    box.append(table);
  }
}

/** Bidi and zero-width marks are shown where they could deceive; plain right-to-left text needs none of them. */
function hidden(source: string): string {
  return visible(source);
}

/** Colours a finished block of code when it comes into view. */
function dress(code: HTMLElement): void {
  const lang = code.dataset["lang"] ?? "";
  if (lang === "") return;
  seen.observe(code);
}

const seen = new IntersectionObserver((changes) => {
  for (const change of changes) {
    if (!change.isIntersecting) continue;
    seen.unobserve(change.target);
    void import("./highlight.ts").then(({ highlight }) => highlight(change.target as HTMLElement));
  }
});

function escaped(text: string): string {
  return text.replace(/[&<>"']/gu, (mark) => `&#${mark.charCodeAt(0)};`);
}
