/**
 * xterm within the page's policy. It makes `<style>` elements and `style` attributes as it draws, which the policy
 * refuses, rightly: a program's output ends up in both. Here it is handed a document that gives it the same through
 * the object model instead, which no markup reaches: constructed style sheets, and properties set one by one.
 */
import type { Terminal } from "@xterm/xterm";

/** Given to `new Terminal` as its document. */
export function documentForXterm(): Document {
  return new Proxy(document, {
    get(target, name) {
      if (name === "createElement") return createElement;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

/** As `terminal.open`. One part of xterm takes the page's own document whatever it was given; it does so in here. */
export function openXterm(terminal: Terminal, holder: HTMLElement): void {
  document.createElement = createElement as typeof document.createElement;
  try {
    terminal.open(holder);
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
}

function createElement(tag: string): HTMLElement {
  if (tag === "style") return sheetElement();
  const element = Document.prototype.createElement.call(document, tag);
  // Cells of a row: the only ones whose `style` attribute is written.
  if (tag === "span") element.setAttribute = setAttribute;
  return element;
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}

/** Stands where a `<style>` would; its text is a constructed style sheet's. */
function sheetElement(): HTMLElement {
  const sheet = new CSSStyleSheet();
  const element = Document.prototype.createElement.call(document, "span");
  element.hidden = true;
  document.adoptedStyleSheets.push(sheet);
  const remove = (): void => {
    Element.prototype.remove.call(element);
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
  };
  return Object.defineProperties(element, {
    textContent: { set: (text: string) => sheet.replaceSync(text) },
    remove: { value: remove },
  });
}
