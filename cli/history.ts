/** `flybridge history`: conversations that agents keep on this machine, begun anywhere. */
import { resolve } from "node:path";
import type { Conversation } from "@flybridge/protocol/conversation.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { Fault } from "./fault.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import { oneOf, shortBeginnings } from "./prefix.ts";
import { ago } from "./time.ts";

const TITLE_CHARS = 60;

export default command({
  name: "history",
  about: "Lists the conversations that agents keep on this machine, newest first, to be gone on with.",
  words: [{ name: "TEXT", about: "only those whose title or folder has it" }],
  flags: {
    agent: { type: "string", value: "AGENT", about: "only this agent's" },
    cwd: { type: "string", value: "DIR", about: "only those of this folder" },
  },
  examples: [
    ["flybridge history --agent claude", "Claude Code's"],
    ["flybridge run claude --resume 0a63", "go on with one"],
    ["flybridge run claude --resume 0a63 --fork", "go on with a copy of it"],
  ],
  async run([text], flags, terminal) {
    using host = await connectHost(terminal.env);
    const { conversations } = await ask(
      host,
      host.replica.call("conversation.list", {
        ...(flags.agent === undefined ? {} : { agent: flags.agent as AgentName }),
        ...(flags.cwd === undefined ? {} : { workspace: resolve(flags.cwd) }),
        ...(text === undefined ? {} : { text }),
      }),
    );
    const short = shortBeginnings(conversations.map(({ conversation }) => conversation));
    const { style } = terminal;
    const now = Date.now();
    for (const one of conversations) {
      terminal.emit(one);
      const marks = [
        one.agent,
        visibleLine(one.workspace),
        ...(one.open === true ? ["open in a terminal"] : []),
        ...(one.session === undefined ? [] : [`session ${one.session.slice(-8)}`]),
      ];
      terminal.print(
        `${style.dim(short.get(one.conversation) ?? one.conversation)}  ${style.bold(shortened(visibleLine(one.title), TITLE_CHARS))}  ${style.dim(ago(one.updated, now))}`,
      );
      terminal.print(`          ${style.dim(marks.join(" · "))}`);
    }
    if (conversations.length === 0 && !terminal.json) terminal.note("There are none.");
  },
});

/** The one that is meant by its name's beginning or its title. A session that holds it already is said instead. */
export async function conversationNamed(
  host: LocalHost,
  agent: AgentName,
  typed: string,
  fork: boolean,
): Promise<Conversation> {
  const { conversations } = await ask(host, host.replica.call("conversation.list", { agent }));
  const found = oneOf(
    conversations,
    typed,
    "conversation",
    ({ conversation }) => conversation,
    ({ title }) => title,
  );
  if (fork) return found;
  if (found.open === true)
    throw new Fault(
      "agent_failed",
      "This conversation is open in another terminal. End it there, or go on with a copy of it: --fork.",
    );
  if (found.session !== undefined)
    throw new Fault(
      "agent_failed",
      `This conversation is a session here already: flybridge send ${found.session.slice(-8)} "…" goes on with it; --fork makes a copy.`,
    );
  return found;
}
