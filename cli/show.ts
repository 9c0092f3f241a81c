/** `flybridge show`: one session, with its open asks in full. */
import { askLines } from "./ask.ts";
import { command } from "./command.ts";
import { connectHost, type LocalHost } from "./local.ts";
import { sessionIdOf, sessionLines } from "./session.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { Fault } from "./fault.ts";
import { until } from "./watch.ts";

export default command({
  name: "show",
  about: "Shows one session: its state and why, and what it asks, in full.",
  words: [{ name: "ID", about: "a session, or enough of its id", required: true }],
  flags: {},
  examples: [["flybridge show 9f3c21ab", "by the end of its id"]],
  async run([typed = ""], _flags, terminal) {
    using host = await connectHost(terminal.env);
    const state = await stateOfSession(host, await sessionIdOf(host, typed));
    terminal.emit(state);
    for (const line of sessionLines(state, Date.now(), terminal.style)) terminal.print(line);
    for (const open of state.asks) for (const line of ["", ...askLines(open.ask, terminal.style)]) terminal.print(line);
  },
});

/** The fold as the host has it now. */
export async function stateOfSession(host: LocalHost, session: SessionId): Promise<SessionState> {
  const opened = host.replica.open(session);
  try {
    const look = until(opened.view, ({ state, live, gone }) => {
      if (gone !== undefined) throw new Fault("not_found", gone);
      return live ? state : undefined;
    });
    return structuredClone(await Promise.race([look, host.lost]));
  } finally {
    opened.close();
  }
}
