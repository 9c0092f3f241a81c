/**
 * What a terminal would answer by itself, and here does not: several devices may show one program, and only the
 * host's own emulator answers for all of them. An answer of ours would be typed into the program a second time.
 * The list is that of everything xterm 6 replies to; a test feeds it all of them.
 */
import type { IFunctionIdentifier, IParser } from "@xterm/xterm";

const CSI: readonly IFunctionIdentifier[] = [
  // Device attributes: primary, secondary, tertiary.
  { final: "c" },
  { prefix: ">", final: "c" },
  { prefix: "=", final: "c" },
  // Status and cursor position reports.
  { final: "n" },
  { prefix: "?", final: "n" },
  // DECRQM, for ANSI and private modes.
  { intermediates: "$", final: "p" },
  { prefix: "?", intermediates: "$", final: "p" },
  // XTVERSION.
  { prefix: ">", final: "q" },
  // Window operations: most report something, and the others move a window that is not the program's.
  { final: "t" },
  // DECREQTPARM, DECRQCRA, and the kitty keyboard's query.
  { final: "x" },
  { intermediates: "*", final: "y" },
  { prefix: "?", final: "u" },
];

/** DECRQSS and XTGETTCAP. */
const DCS: readonly IFunctionIdentifier[] = [
  { intermediates: "$", final: "q" },
  { intermediates: "+", final: "q" },
];

/** Colours: a `?` asks for one, anything else sets it, which is the program's to do. */
const OSC_COLOURS = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 19] as const;

export function swallowQueries(parser: IParser): void {
  for (const id of CSI) parser.registerCsiHandler(id, () => true);
  for (const id of DCS) parser.registerDcsHandler(id, () => true);
  for (const code of OSC_COLOURS)
    parser.registerOscHandler(code, (data) => data.split(";").some((part) => part.trim() === "?"));
}
