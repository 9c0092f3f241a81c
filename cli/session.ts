/** A session in a line or a few: what it is, and why it is in the state it is in. */
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { SessionState, Status, Summary } from "@flybridge/protocol/session.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { askTitle } from "./ask.ts";
import { ask, type LocalHost } from "./local.ts";
import { oneOf } from "./prefix.ts";
import type { Style } from "./terminal.ts";
import { ago, span } from "./time.ts";

/** Characters of what a running session does that a list shows. */
const DOING_CHARS = 60;

export async function sessionOf(host: LocalHost, typed: string): Promise<Summary> {
  const { sessions } = await ask(host, host.replica.call("session.list", {}));
  return oneOf(
    sessions,
    typed,
    "session",
    ({ session }) => session,
    ({ title }) => title,
  );
}

export async function sessionIdOf(host: LocalHost, typed: string): Promise<SessionId> {
  return (await sessionOf(host, typed)).session;
}

/** "running · Bash · npm test 12 s", "waits for you · 3 min". */
export function statusText(status: Status, now: number, style: Style): string {
  const since = span(now - status.since);
  switch (status.kind) {
    case "starting":
      return style.dim(`starting · ${since}`);
    case "idle":
      return style.dim(`idle · ${since}`);
    case "running":
      return style.good(
        `running · ${status.doing === undefined ? since : `${shortened(visibleLine(status.doing), DOING_CHARS)} ${since}`}`,
      );
    case "waiting":
      return style.signal(`waits for you · ${since}`);
    case "ended": {
      const text = `ended · ${status.cause} ${ago(status.since, now)}`;
      return status.cause === "failed" ? style.bad(text) : style.dim(text);
    }
  }
}

/** What `show` prints. */
export function sessionLines(state: SessionState, now: number, style: Style): string[] {
  const { usage } = state;
  const tokens = usage.input + usage.output + usage.cached;
  const facts: (readonly [string, string | undefined])[] = [
    ["session", state.session],
    [
      "agent",
      [state.agent, state.version, state.pid === undefined ? undefined : `process ${state.pid}`]
        .filter(Boolean)
        .join(" · "),
    ],
    ["workspace", state.workspace],
    ["model", state.model],
    ["mode", state.mode],
    ["opened", ago(state.opened, now)],
    ["entries", String(state.last)],
    [
      "tokens",
      tokens === 0 ? undefined : `${tokens}${usage.dollars === undefined ? "" : ` · $${usage.dollars.toFixed(2)}`}`,
    ],
    [
      "last turn",
      state.turn === undefined
        ? undefined
        : `${state.turn.outcome} ${ago(state.turn.at, now)}${state.turn.detail ? ` · ${state.turn.detail}` : ""}`,
    ],
    ["last words", state.preview],
  ];
  const detail =
    state.status.kind === "ended" && state.status.detail !== undefined ? [`  ${visibleLine(state.status.detail)}`] : [];
  return [
    `${style.bold(visibleLine(state.title))}  ${statusText(state.status, now, style)}`,
    ...detail,
    ...facts.flatMap(([name, fact]) =>
      fact === undefined ? [] : [`  ${style.dim(name.padEnd(10))} ${visibleLine(fact)}`],
    ),
    ...state.prompts.map(({ preview }) => `  ${style.dim("queued".padEnd(10))} ${visibleLine(preview)}`),
    ...state.asks.map(
      ({ ask: one }) =>
        `  ${style.signal("asks".padEnd(10))} ${askTitle(one)} ${style.dim(`(${visibleLine(one.ask)})`)}`,
    ),
  ];
}
