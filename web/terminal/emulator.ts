/** The screen of a terminal: xterm, made to fit the page's policy, colours and manners. Loaded when there is one to draw. */
import type { Screen } from "@flybridge/client/terminal.ts";
import type { Size } from "@flybridge/protocol/terminal.ts";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { copyFrom } from "./clipboard.ts";
import { coloursOf } from "./colours.ts";
import type { Seen, Shown } from "./echo.ts";
import { addressProvider, targetOf } from "./links.ts";
import { openXterm } from "./policy.ts";
import { swallowQueries } from "./queries.ts";
import { boundRepeats } from "./repeats.ts";

/** Lines above the screen that are kept here; the host keeps more. */
const SCROLLBACK_LINES = 2_000;
/** Contrast that every text has with what is behind it, whatever colours the program chose (WCAG AA). */
const CONTRAST = 4.5;
/** What xterm tells a program when this page gains or loses the focus: the program has several screens, so none has. */
const FOCUS = new Set(["\u001b[I", "\u001b[O"]);
const RESET = "\u001bc";

export interface EmulatorEvents {
  /** Keys, what an input method composed, and the mouse, as the program reads them. */
  typed(text: string): void;
  /** The screen changed. */
  drawn(): void;
  bell(): void;
  /** An http or https address was chosen. */
  link(target: string): void;
  /** The program wants this in the clipboard. */
  copy(text: string): void;
  selected(any: boolean): void;
  /** What is seen is another part of what is kept. */
  scrolled(): void;
  /** The chord that leads out of the terminal. */
  leave(): void;
}

export interface Emulator extends Omit<Screen, "answered"> {
  readonly element: HTMLElement;
  /** Cells that fit into so many CSS pixels. */
  fitting(width: number, height: number): Size;
  /** Pixels that a screen of a size takes. */
  extent(size: Size): { width: number; height: number };
  letters(pixels: number): void;
  readable(on: boolean): void;
  recolour(): void;
  focus(): void;
  readonly selection: string;
  /** The screen and what is above it, as text without the ends of lines that nothing stands in. */
  text(): string;
  readonly screenText: string;
  readonly seen: Seen;
  readonly bracketed: boolean;
  readonly applicationKeys: boolean;
  /** Draws guesses over the screen; undefined takes them off. */
  guess(shown: Shown | undefined): void;
  /** As a wheel would, by CSS pixels, where a finger is. */
  scroll(pixels: number, at: { x: number; y: number }): void;
  readonly scrolledBack: boolean;
  /** Pixels from the top of the screen to the line of the cursor, and to below the last that shows something. */
  readonly cursorTop: number;
  readonly textBottom: number;
  toBottom(): void;
  close(): void;
}

export function openEmulator(holder: HTMLElement, pixels: number, label: string, events: EmulatorEvents): Emulator {
  const terminal = new Terminal({
    // For the widths of letters, which must be the host's: what a program aligned would stand askew.
    allowProposedApi: true,
    fontFamily: getComputedStyle(holder).getPropertyValue("--mono").trim() || "monospace",
    fontSize: pixels,
    scrollback: SCROLLBACK_LINES,
    minimumContrastRatio: CONTRAST,
    cursorBlink: false,
    logLevel: "off",
    rightClickSelectsWord: false,
    altClickMovesCursor: false,
    linkHandler: {
      activate: (_event, text) => {
        const target = targetOf(text);
        if (target !== undefined) events.link(target);
      },
    },
    theme: coloursOf(holder),
  });
  swallowQueries(terminal.parser);
  boundRepeats(terminal);
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = "11";
  terminal.parser.registerOscHandler(52, (data) => {
    const text = copyFrom(data);
    if (text !== undefined) events.copy(text);
    return true;
  });
  openXterm(terminal, holder);
  const element = terminal.element as HTMLElement;
  const screen = element.querySelector<HTMLElement>(".xterm-screen") as HTMLElement;
  const input = terminal.textarea as HTMLTextAreaElement;
  input.setAttribute("aria-label", label);
  input.setAttribute("autocomplete", "off");
  // Until it has had the focus once, xterm draws no cursor.
  input.focus({ preventScroll: true });
  input.blur();
  terminal.registerLinkProvider(addressProvider(terminal, events.link));

  const guesses = document.createElement("div");
  guesses.className = "term-guesses";
  guesses.setAttribute("aria-hidden", "true");
  screen.append(guesses);
  let guessed: Shown | undefined;

  terminal.onData((data) => {
    if (!FOCUS.has(data)) events.typed(data);
  });
  terminal.onBinary((data) => {
    // The oldest way to report a mouse has bytes that are no text; what typing carries is text.
    if ([...data].every((char) => char < "\u0080")) events.typed(data);
  });
  terminal.onWriteParsed(() => {
    events.drawn();
  });
  terminal.onScroll(() => {
    events.scrolled();
  });
  terminal.onBell(() => {
    events.bell();
  });
  terminal.onSelectionChange(() => {
    events.selected(terminal.hasSelection());
  });
  terminal.attachCustomKeyEventHandler((event) => {
    if (!event.ctrlKey || !event.shiftKey) return true;
    const isDown = event.type === "keydown";
    if (event.code === "Period") {
      if (isDown) {
        event.preventDefault();
        events.leave();
      }
      return false;
    }
    if (event.code === "KeyC" && terminal.hasSelection()) {
      if (isDown) {
        event.preventDefault();
        void navigator.clipboard?.writeText(terminal.getSelection());
      }
      return false;
    }
    // The browser's own pasting, which arrives as a paste.
    return event.code !== "KeyV";
  });

  const waiting = new Set<() => void>();
  let closed = false;
  /** Lines of a finger's way that are not a whole one yet. */
  let scrolled = 0;
  const written = (bytes: Uint8Array | string, after = (): void => {}): Promise<void> => {
    if (closed) return Promise.resolve();
    return new Promise((resolve) => {
      waiting.add(resolve);
      terminal.write(bytes, () => {
        waiting.delete(resolve);
        if (!closed) after();
        resolve();
      });
    });
  };
  const cell = (): { width: number; height: number } => ({
    width: Number.parseFloat(screen.style.width) / terminal.cols || 8,
    height: Number.parseFloat(screen.style.height) / terminal.rows || 16,
  });
  const place = (): void => {
    guesses.replaceChildren();
    const { active } = terminal.buffer;
    const row = (guessed?.row ?? 0) - active.viewportY;
    element.classList.toggle("guessing", guessed !== undefined && row >= 0 && row < terminal.rows);
    if (!guessed || row < 0 || row >= terminal.rows) return;
    const { width, height } = cell();
    const put = (column: number, char: string, kind: string): void => {
      const one = document.createElement("span");
      one.className = kind;
      one.textContent = char;
      one.style.cssText = `left:${column * width}px;top:${row * height}px;width:${width}px;height:${height}px;line-height:${height}px;font-size:${terminal.options.fontSize ?? 12}px`;
      guesses.append(one);
    };
    const here = guessed.cells.find(({ column }) => column === guessed?.cursor)?.char;
    for (const { column, char } of guessed.cells) put(column, char, "term-guess");
    put(
      guessed.cursor,
      here ?? terminal.buffer.active.getLine(guessed.row)?.getCell(guessed.cursor)?.getChars() ?? "",
      "term-guess-cursor",
    );
  };

  return {
    element,
    async snapshot(size, bytes) {
      await written("", () => {
        terminal.resize(size.cols, size.rows);
      });
      await written(RESET);
      await written(bytes);
    },
    output: (bytes) => written(bytes),
    size: (size) =>
      written("", () => {
        if (size.cols !== terminal.cols || size.rows !== terminal.rows) terminal.resize(size.cols, size.rows);
      }),
    fitting(width, height) {
      const one = cell();
      return { cols: Math.floor(width / one.width), rows: Math.floor(height / one.height) };
    },
    extent({ cols, rows }) {
      const one = cell();
      return { width: cols * one.width, height: rows * one.height };
    },
    letters(size) {
      terminal.options.fontSize = size;
      place();
    },
    readable(on) {
      terminal.options.screenReaderMode = on;
    },
    recolour() {
      terminal.options.theme = coloursOf(holder);
    },
    focus: () => terminal.focus(),
    get selection() {
      return terminal.getSelection();
    },
    text: () => linesOf(terminal, 0),
    get screenText() {
      return linesOf(terminal, terminal.buffer.active.baseY);
    },
    get seen() {
      const { active } = terminal.buffer;
      return {
        cols: terminal.cols,
        column: active.cursorX,
        row: active.baseY + active.cursorY,
        alternate: active.type === "alternate",
        cell(column: number, row: number) {
          const one = active.getLine(row)?.getCell(column);
          return !one || one.getWidth() !== 1 ? undefined : one.getChars();
        },
      };
    },
    get bracketed() {
      return terminal.modes.bracketedPasteMode;
    },
    get applicationKeys() {
      return terminal.modes.applicationCursorKeysMode;
    },
    guess(shown) {
      if (shown === undefined && guessed === undefined) return;
      guessed = shown;
      place();
    },
    scroll(pixels, { x, y }) {
      scrolled += pixels / cell().height;
      const lines = Math.trunc(scrolled);
      scrolled -= lines;
      if (terminal.buffer.active.type === "normal" && terminal.modes.mouseTrackingMode === "none") {
        if (lines !== 0) terminal.scrollLines(lines);
        return;
      }
      // A program that has the screen is told as by a wheel: as its mouse, or as arrow keys.
      for (let count = 0; count < Math.abs(lines); count++)
        screen.dispatchEvent(
          new WheelEvent("wheel", {
            deltaY: Math.sign(lines),
            deltaMode: WheelEvent.DOM_DELTA_LINE,
            clientX: x,
            clientY: y,
            bubbles: true,
            cancelable: true,
          }),
        );
    },
    get cursorTop() {
      return terminal.buffer.active.cursorY * cell().height;
    },
    get textBottom() {
      const { active } = terminal.buffer;
      let row = terminal.rows - 1;
      while (row > active.cursorY && active.getLine(active.baseY + row)?.translateToString(true) === "") row--;
      return (row + 1) * cell().height;
    },
    get scrolledBack() {
      const { active } = terminal.buffer;
      return active.viewportY < active.baseY;
    },
    toBottom: () => terminal.scrollToBottom(),
    close() {
      closed = true;
      terminal.dispose();
      for (const resolve of waiting) resolve();
      waiting.clear();
    },
  };
}

/** Lines that were wrapped are joined again; nothing follows the last that shows something. */
function linesOf(terminal: Terminal, from: number): string {
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = from; row < active.length; row++) {
    const line = active.getLine(row);
    if (!line) break;
    const isJoined = active.getLine(row + 1)?.isWrapped === true;
    const text = line.translateToString(!isJoined);
    if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
    else lines.push(text);
  }
  return lines.join("\n").trimEnd();
}
