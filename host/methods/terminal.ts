/** Keys, size and scrollback of the sessions that are terminals; what draws them is followed at the door. */
import { CallError } from "@flybridge/protocol/error.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Desk, Queries } from "../doors/desk.ts";
import type { Sessions } from "../live/sessions.ts";
import type { Front } from "../live/terminal/front.ts";

export function terminalQueries(
  sessions: Sessions,
): Pick<Queries, "terminal.input" | "terminal.resize" | "terminal.page"> {
  return {
    "terminal.input": async ({ session, keyboard, number, text }, { device, ended }) => {
      await terminalOf(sessions, session).type(`i${device}.${keyboard}.${number}`, text, ended);
      return {};
    },
    "terminal.resize": ({ session, size, take }, { device }) =>
      terminalOf(sessions, session).resize(device, size, take),
    "terminal.page": ({ session, before }) => terminalOf(sessions, session).page(before),
  };
}

export function followTerminal(sessions: Sessions): Desk["followTerminal"] {
  return (session, from, { device }, sink) => terminalOf(sessions, session).follow(device, from, sink);
}

function terminalOf(sessions: Sessions, session: SessionId): Front {
  const { terminal } = sessions.get(session);
  if (!terminal) throw new CallError("wrong_state", "This session is no terminal: it has no screen and takes no keys.");
  return terminal;
}
