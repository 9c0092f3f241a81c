/**
 * xterm within the page's policy. It makes `<style>` elements and `style` attributes as it draws, which the policy
 * refuses, rightly: a program's output ends up in both. Here it gets the same through the object model instead, which
 * no markup reaches: constructed style sheets, and properties that are set.
 */
import type { Terminal } from "@xterm/xterm";

/** What is reached into, of the exact version that is installed: a test fails when a line of it has changed. */
interface Inside {
  readonly _core: {
    readonly _renderService: {
      readonly _renderer: { readonly value: { readonly _rowFactory: { _document: Pick<Document, "createElement"> } } };
    };
  };
}

/** As `terminal.open`. */
export function openXterm(terminal: Terminal, holder: HTMLElement): void {
  // Every style sheet of xterm's is made while it opens.
  document.createElement = withoutStyle as typeof document.createElement;
  try {
    terminal.open(holder);
  } finally {
    Reflect.deleteProperty(document, "createElement");
  }
  // The cells of its rows are made later, each with a style of its own where it has one.
  (terminal as unknown as Inside)._core._renderService._renderer.value._rowFactory._document = {
    createElement: cell as unknown as typeof document.createElement,
  };
}

function withoutStyle(tag: string): HTMLElement {
  return tag === "style" ? sheetElement() : Document.prototype.createElement.call(document, tag);
}

function cell(tag: string): HTMLElement {
  const element = document.createElement(tag);
  element.setAttribute = setAttribute;
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
    textContent: {
      set(text: string) {
        sheet.replaceSync(text);
      },
    },
    remove: { value: remove },
  });
}
