/** The terminal's colours and letters, out of the page's own tokens, as xterm takes them. */
import type { ITheme } from "@xterm/xterm";

const NAMES = [
  "black",
  "red",
  "green",
  "yellow",
  "blue",
  "magenta",
  "cyan",
  "white",
  "brightBlack",
  "brightRed",
  "brightGreen",
  "brightYellow",
  "brightBlue",
  "brightMagenta",
  "brightCyan",
  "brightWhite",
] as const satisfies readonly (keyof ITheme)[];

/** Computed anew on each call: light and dark are the style sheet's business. */
export function coloursOf(element: HTMLElement): ITheme {
  const read = reader(element);
  const theme: ITheme = {
    foreground: read("--text"),
    background: read("--term-page"),
    cursor: read("--strong"),
    cursorAccent: read("--term-page"),
    selectionBackground: read("--term-selection"),
    scrollbarSliderBackground: read("--hull-5"),
    scrollbarSliderHoverBackground: read("--hull-6"),
    scrollbarSliderActiveBackground: read("--hull-7"),
  };
  for (const [at, name] of NAMES.entries()) theme[name] = read(`--term-${at}`);
  return theme;
}

/** xterm reads hexadecimal only; the browser itself says what a token comes to in it. */
function reader(element: HTMLElement): (token: string) => string {
  const probe = document.createElement("span");
  probe.hidden = true;
  element.append(probe);
  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const read = (token: string): string => {
    probe.style.color = `var(${token})`;
    if (!context) return "#808080";
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
    return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  };
  queueMicrotask(() => {
    probe.remove();
  });
  return read;
}
