/**
 * A session's terminal in this one: its bytes go to the person's terminal, the person's keys to its program. The host
 * alone answers the program's queries, so what the person's terminal answers is left out; and a program may not write
 * that terminal's clipboard.
 */
import { BROWSER, openTerminal, type Screen } from "@flybridge/client/terminal.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_COLUMNS, MAX_ROWS } from "@flybridge/protocol/limits.ts";
import type { Size } from "@flybridge/protocol/terminal.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { Fault } from "./fault.ts";
import type { LocalHost } from "./local.ts";
import type { Terminal } from "./terminal.ts";
import { shellCell, until, watch } from "./watch.ts";

/** Ctrl-\ (FS). Programs hardly use it: to most it is the key that kills them. */
const LEAVE = "\u001c";
/** Leaves the other screen and every mode that programs set; then the cursor, below what there is. */
const TIDY =
  "\u001b[?1049l\u001b[!p\u001b[?1l\u001b>\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1004l\u001b[?1006l\u001b[?2004l\u001b[?25h\u001b[0m";
/**
 * What a terminal answers to a program: positions and states (CSI … R, n, c, $y), strings (DCS), colours and the like
 * (OSC). Shift-F3 looks like a position, and is lost.
 */
const [BEL, ESC, CAN, SUB] = ["\u0007", "\u001b", "\u0018", "\u001a"];
const ANSWERS = new RegExp(
  [
    `${ESC}\\[[?>]?[\\d;]*(?:[cnR]|\\$y)`,
    `${ESC}P[^${ESC}]*${ESC}\\\\`,
    `${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)`,
  ].join("|"),
  "gu",
);
/** What ends a string that is given up, or ended as it should be. */
const STRING_ENDS = new RegExp(`[${BEL}${CAN}${SUB}${ESC}]`, "u");

export async function showScreen(host: LocalHost, session: SessionId, terminal: Terminal): Promise<void> {
  const { stdin, stdout } = process;
  const filter = new ClipboardFilter();
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((written) => stdout.write(filter.pass(bytes), () => written()));
  const screen: Screen = {
    async snapshot(_size, bytes) {
      if (terminal.interactive) stdout.write(`${TIDY}\u001b[H\u001b[2J`);
      await write(bytes);
    },
    output: write,
    size: () => Promise.resolve(),
    answered: () => {},
  };
  const shown = openTerminal(host.replica, session, screen, { ...BROWSER, makeCell: shellCell });
  const leave = new AbortController();
  const over = new AbortController();
  const ended = until(
    shown.view,
    (view) => {
      if (view.gone !== undefined) throw new Fault("not_found", view.gone);
      return view.drawn && view.ended ? ("ended" as const) : undefined;
    },
    over.signal,
  );
  ended.catch(() => {});
  using keys = terminal.interactive ? takeKeys(shown, leave) : undefined;
  try {
    await Promise.race([ended, host.lost, aborted(leave.signal)]);
  } finally {
    over.abort();
    shown.close();
    keys?.[Symbol.dispose]();
    if (terminal.interactive) stdout.write(`${TIDY}\r\n`);
    stdin.pause();
  }
  terminal.note(
    leave.signal.aborted
      ? `It goes on. Come back with flybridge attach ${session}`
      : `The program has ended. Start it again with flybridge resume ${session}`,
  );

  function takeKeys(opened: typeof shown, left: AbortController): Disposable {
    const decoder = new TextDecoder();
    const typed = (bytes: Buffer): void => {
      const text = decoder.decode(bytes, { stream: true }).replaceAll(ANSWERS, "");
      const at = text.indexOf(LEAVE);
      if (text !== "" && at !== 0) opened.type(at < 0 ? text : text.slice(0, at));
      if (at >= 0) left.abort();
    };
    const fit = (): void => opened.fit(sizeOf(stdout));
    let dropped = 0;
    const stop = watch(opened.view, ({ dropped: lost }) => {
      if (lost === undefined || lost.count === dropped) return;
      dropped = lost.count;
      terminal.note(`\r${visibleLine(lost.why)}\r`);
    });
    stdin.setRawMode(true);
    stdin.on("data", typed);
    stdin.resume();
    stdout.on("resize", fit);
    fit();
    // Who attaches wants to work here: the size is this terminal's, as soon as it is connected.
    void until(opened.view, ({ live }) => (live ? true : undefined), left.signal).then(
      () => opened.take(),
      () => {},
    );
    return {
      [Symbol.dispose]() {
        stop();
        stdin.off("data", typed);
        stdout.off("resize", fit);
        stdin.setRawMode(false);
      },
    };
  }
}

/** Within what a host takes. */
export function sizeOf({ columns, rows }: Pick<NodeJS.WriteStream, "columns" | "rows">): Size {
  return { cols: Math.min(Math.max(2, columns), MAX_COLUMNS), rows: Math.min(Math.max(2, rows), MAX_ROWS) };
}

/** Leaves `OSC 52` out of a stream, however it is cut. */
export class ClipboardFilter {
  /** What may be the beginning of one: held back until it is one or not. */
  #held = "";
  #inside = false;

  pass(bytes: Uint8Array): Uint8Array {
    // Bytes as characters, so that nothing is changed that is not left out.
    let rest = this.#held + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    this.#held = "";
    let passed = "";
    while (rest !== "") {
      if (this.#inside) {
        const end = STRING_ENDS.exec(rest);
        if (!end) break;
        // The escape of its end begins something else, or, with a backslash, nothing.
        rest = rest.slice(end.index + (end[0] === ESC ? 0 : 1));
        this.#inside = false;
        continue;
      }
      const at = rest.indexOf(OSC_52);
      if (at >= 0) {
        passed += rest.slice(0, at);
        rest = rest.slice(at + OSC_52.length);
        this.#inside = true;
        continue;
      }
      const keep = beginningAtEnd(rest);
      passed += rest.slice(0, rest.length - keep);
      this.#held = rest.slice(rest.length - keep);
      rest = "";
    }
    return Buffer.from(passed, "latin1");
  }
}

const OSC_52 = "\u001b]52;";

function beginningAtEnd(text: string): number {
  for (let length = OSC_52.length - 1; length > 0; length--) if (text.endsWith(OSC_52.slice(0, length))) return length;
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}
