/** Writes icons.ts and icons-more.ts: the outlines of the lucide icons in use, each as one path. Run it after changing a list. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Those of the first screen; the others come a moment later. */
const FIRST = new Set([
  "archive",
  "back",
  "check",
  "chevron",
  "close",
  "command",
  "fail",
  "inbox",
  "lock",
  "offline",
  "phone",
  "plus",
  "relay",
  "search",
  "sessions",
  "terminal",
]);
const USED = {
  alert: "triangle-alert",
  archive: "archive",
  attach: "paperclip",
  arrowDown: "arrow-down",
  arrowUp: "arrow-up",
  back: "chevron-left",
  bot: "bot",
  camera: "camera",
  check: "check",
  checks: "check-check",
  chevron: "chevron-right",
  clock: "clock-3",
  close: "x",
  copy: "copy",
  desktop: "monitor",
  down: "chevron-down",
  edit: "file-pen-line",
  eye: "eye",
  eyeOff: "eye-off",
  fail: "circle-x",
  fetch: "globe",
  file: "file",
  folder: "folder",
  folderUp: "corner-left-up",
  git: "git-branch",
  host: "server",
  image: "image",
  inbox: "inbox",
  key: "key-round",
  keyboard: "keyboard",
  leave: "log-out",
  link: "link",
  list: "list-checks",
  lock: "lock",
  log: "scroll-text",
  message: "circle-question-mark",
  more: "ellipsis",
  offline: "cloud-off",
  pencil: "pencil",
  paste: "clipboard-paste",
  phone: "smartphone",
  plan: "map",
  play: "play",
  plus: "plus",
  qr: "qr-code",
  read: "file-text",
  rule: "shield-check",
  search: "search",
  send: "send-horizontal",
  settings: "sliders-horizontal",
  share: "user-round-plus",
  shield: "shield-alert",
  sessions: "layers",
  stop: "square",
  tablet: "tablet",
  terminal: "terminal",
  think: "brain",
  tool: "wrench",
  undo: "undo-2",
  info: "info",
  minus: "minus",
  dot: "dot",
  steer: "corner-down-right",
  sun: "sun-moon",
  command: "command",
  relay: "radio-tower",
  person: "circle-user-round",
  print: "printer",
  again: "rotate-cw",
} as const;

type Shape = [string, Record<string, string>];
const nodes = JSON.parse(
  readFileSync(fileURLToPath(import.meta.resolve("lucide-static/icon-nodes.json")), "utf8"),
) as Record<string, Shape[]>;

write("icons.ts", "FIRST_ICONS", (name) => FIRST.has(name));
write("icons-more.ts", "MORE_ICONS", (name) => !FIRST.has(name));

function write(file: string, constant: string, isIn: (name: string) => boolean): void {
  const lines = Object.entries(USED)
    .filter(([name]) => isIn(name))
    .map(([name, icon]) => {
      const path = (nodes[icon] ?? missing(icon)).map(pathOf).map(absolute).join("");
      return `  ${name}: ${JSON.stringify(path)},\n`;
    });
  const about = "/** Outlines of lucide icons (ISC licence), 24 by 24, one path each; made by icons.make.ts. */";
  writeFileSync(
    new URL(file, import.meta.url),
    `${about}\nexport const ${constant} = {\n${lines.join("")}} as const;\n`,
  );
}

function pathOf([tag, at]: Shape): string {
  const n = (name: string): number => Number(at[name] ?? 0);
  switch (tag) {
    case "path":
      return at["d"] ?? "";
    case "line":
      return `M${n("x1")} ${n("y1")}L${n("x2")} ${n("y2")}`;
    case "polyline":
      return `M${at["points"] ?? ""}`;
    case "circle": {
      const r = n("r");
      return `M${n("cx") - r} ${n("cy")}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    }
    case "rect": {
      const r = n("rx");
      const [w, h] = [n("width"), n("height")];
      return `M${n("x") + r} ${n("y")}h${w - 2 * r}a${r} ${r} 0 0 1 ${r} ${r}v${h - 2 * r}a${r} ${r} 0 0 1 ${-r} ${r}h${2 * r - w}a${r} ${r} 0 0 1 ${-r} ${-r}v${2 * r - h}a${r} ${r} 0 0 1 ${r} ${-r}z`;
    }
    default:
      throw new RangeError(`no path for <${tag}>`);
  }
}

/** A path of its own may begin with `m`; joined to others it must not be taken from where they ended. */
function absolute(path: string): string {
  const [, x, y, rest = ""] = /^m\s*(-?[\d.]+)[\s,]*(-?[\d.]+)\s*(.*)$/su.exec(path) ?? [];
  return x === undefined ? path : `M${x} ${y ?? 0}${/^[\d.-]/u.test(rest) ? "l" : ""}${rest}`;
}

function missing(icon: string): never {
  throw new RangeError(`lucide has no icon ${icon}`);
}
