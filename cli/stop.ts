/** `flybridge stop`, `resume` and `interrupt`: a session's process and its turn. */
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Status } from "@flybridge/protocol/session.ts";
import { type Command, command } from "./command.ts";
import { Fault } from "./fault.ts";
import { connectHost, type LocalHost } from "./local.ts";
import { sessionOf } from "./session.ts";
import { until } from "./watch.ts";

/** How long an agent may take to do as it was told before the command leaves it alone, in milliseconds. */
const PATIENCE_MS = 30_000;

export const stop = sessionCommand("stop", "session.stop", {
  about: "Ends a session's agent. The session stays and can be resumed.",
  done: "ended",
  isDone: (status) => status.kind === "ended",
});

export const resume = sessionCommand("resume", "session.resume", {
  about: "Starts a session's agent again where it ended.",
  done: "running again",
  isDone(status) {
    if (status.kind === "ended")
      throw new Fault("agent_failed", status.detail ?? "The agent did not start. See flybridge logs.");
    return status.kind !== "starting";
  },
});

export const interrupt = sessionCommand("interrupt", "session.interrupt", {
  about: "Stops the running turn. The agent stays.",
  done: "interrupted",
  isDone: (status) => status.kind !== "running" && status.kind !== "waiting",
});

function sessionCommand(
  name: string,
  method: "session.stop" | "session.resume" | "session.interrupt",
  what: { readonly about: string; readonly done: string; readonly isDone: (status: Status) => boolean },
): Command {
  return command({
    name,
    about: what.about,
    words: [{ name: "ID", about: "a session, or enough of its id", required: true }],
    flags: { "no-wait": { type: "boolean", about: "do not wait until the agent has done so" } },
    examples: [[`flybridge ${name} 9f3c21ab`, "by the end of its id"]],
    async run([typed = ""], flags, terminal) {
      using host = await connectHost(terminal.env);
      const { session, title } = await sessionOf(host, typed);
      const { seq } = await host.intend(method, { session });
      if (flags["no-wait"] !== true) await settled(host, session, seq, what.isDone);
      terminal.print(flags["no-wait"] === true ? `Accepted (entry ${seq}).` : `${title}: ${what.done}.`);
      terminal.emit({ session, seq });
    },
  });
}

async function settled(
  host: LocalHost,
  session: SessionId,
  seq: number,
  isDone: (status: Status) => boolean,
): Promise<void> {
  const opened = host.replica.open(session);
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const look = until(
      opened.view,
      ({ state, live }) => (live && state && state.last >= seq && isDone(state.status) ? true : undefined),
      patience,
    );
    await Promise.race([look, host.lost]);
  } catch (error) {
    if (!patience.aborted) throw error;
    throw new Fault(
      "agent_failed",
      `The host has told the agent, which has not done so in ${PATIENCE_MS / 1_000} s. See flybridge show ${session}.`,
    );
  } finally {
    opened.close();
  }
}
