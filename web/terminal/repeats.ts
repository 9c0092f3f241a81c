/**
 * What xterm does as often as it is told, up to 2^31 times, for ten bytes of a program: a page would stand still for
 * minutes. Once for each row, column or cell does all of it. The host's own emulator is bounded the same way.
 */
import type { Terminal } from "@xterm/xterm";

const REPEATING = [
  ["S", "scrollUp"],
  ["T", "scrollDown"],
  ["L", "insertLines"],
  ["M", "deleteLines"],
  ["I", "cursorForwardTab"],
  ["Z", "cursorBackwardTab"],
  ["b", "repeatPrecedingCharacter"],
] as const;

/** Not part of what xterm offers: a test holds it to this. */
interface Core {
  readonly _core: {
    readonly _inputHandler: Record<
      (typeof REPEATING)[number][1],
      (params: { readonly length: number; readonly params: readonly number[] }) => boolean
    >;
  };
}

export function boundRepeats(terminal: Terminal): void {
  const { _inputHandler: handler } = (terminal as unknown as Core)._core;
  for (const [final, method] of REPEATING)
    terminal.parser.registerCsiHandler({ final }, ([count = 1]) => {
      const most = terminal.cols * terminal.rows;
      if (typeof count !== "number" || count <= most) return false;
      handler[method]({ length: 1, params: [most] });
      return true;
    });
}
