/** What programs tell their terminal about themselves, out of the operating system commands (OSC) they send. */
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import type { Signal } from "../../agents/screen-agent.ts";

/** Characters of a title or a message that are kept. */
const MAX_SIGNAL_CHARS = 500;
const STATES = ["idle", "working", "blocked", "done", "error", "clear"] as const;

/** Program status protocol: `?` asks whether the terminal knows it, and anything that begins with `?` says yes. */
export const STATUS_OSC = 7501;
export const STATUS_KNOWN = `\u001b]${STATUS_OSC};?1\u001b\\`;

/** `state=blocked:app=claude-code:kind=permission:msg=<base64>`; undefined for what says nothing that we know. */
export function statusFrom(data: string): Signal | undefined {
  const fields = new Map(
    data.split(":").map((field) => {
      const at = field.indexOf("=");
      return at < 0 ? ([field, ""] as const) : ([field.slice(0, at), field.slice(at + 1)] as const);
    }),
  );
  const state = STATES.find((known) => known === fields.get("state"));
  if (state === undefined) return undefined;
  const about = fields.get("kind");
  const app = fields.get("app");
  const message = fields.get("msg");
  return {
    kind: "status",
    state,
    ...(about === "permission" || about === "question" ? { about } : {}),
    ...(app ? { app: clean(app) } : {}),
    ...(message ? { text: clean(Buffer.from(message, "base64").toString("utf8")) } : {}),
  };
}

/** OSC 9 (iTerm2), 99 (kitty) or 777 (urxvt). Progress reports, which share 9, are none. */
export function notificationFrom(code: 9 | 99 | 777, data: string): Signal | undefined {
  let text: string;
  if (code === 9) text = /^\d+;/u.test(data) ? "" : data;
  else if (code === 777) text = data.startsWith("notify;") ? data.slice("notify;".length).replaceAll(";", " ") : "";
  else {
    const at = data.indexOf(";");
    const meta = data.slice(0, Math.max(0, at)).split(":");
    const isWords = !meta.some((field) => /^p=(?!title$|body$)/u.test(field));
    const payload = at < 0 || !isWords ? "" : data.slice(at + 1);
    text = meta.includes("e=1") ? Buffer.from(payload, "base64").toString("utf8") : payload;
  }
  const words = clean(text);
  return words === "" ? undefined : { kind: "notified", text: words };
}

export function titleFrom(title: string): Signal {
  return { kind: "title", text: clean(title) };
}

/** On one line, without anything that could draw, hide or turn text. */
function clean(text: string): string {
  return shortened(visibleLine(text.slice(0, 4 * MAX_SIGNAL_CHARS)), MAX_SIGNAL_CHARS);
}
