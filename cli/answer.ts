/** `flybridge answer`: settles an ask, by flags or by asking the person. */
import type { Ask } from "@flybridge/protocol/ask.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { askLines, askTitle } from "./ask.ts";
import { command } from "./command.ts";
import { decide } from "./decide.ts";
import { Fault, usage } from "./fault.ts";
import { fileText } from "./input.ts";
import { connectHost } from "./local.ts";
import { oneOf } from "./prefix.ts";
import { answerFrom, type ReplyFlags, waysText } from "./reply.ts";
import { sessionIdOf } from "./session.ts";
import { stateOfSession } from "./show.ts";

export default command({
  name: "answer",
  about: "Answers what a session asks; without flags, in a terminal, it shows the ask and lets you choose.",
  words: [
    { name: "ID", about: "a session, or enough of its id", required: true },
    { name: "ASK", about: "which ask, when more than one is open" },
  ],
  flags: {
    allow: { type: "optional", value: "CHOICE", about: "approve, once unless another choice is named" },
    deny: { type: "optional", value: "REASON", about: "say no; the agent is told why and goes on" },
    pick: { type: "string", multiple: true, value: "Q=LABEL", about: "an option of a question, by label or number" },
    text: { type: "string", multiple: true, value: "Q=TEXT", about: "an answer in your own words" },
    note: { type: "string", multiple: true, value: "Q=TEXT", about: "a note beside it" },
    approve: { type: "optional", value: "CHOICE", about: "approve a plan" },
    edited: { type: "string", value: "FILE", about: "with this text instead; - reads stdin" },
    revise: { type: "string", value: "TEXT", about: "send a plan back with feedback" },
  },
  examples: [
    ["flybridge answer 9f3c21ab", "show it and choose"],
    ["flybridge answer 9f3c21ab --allow", "once"],
    ["flybridge answer 9f3c21ab --allow always", "this exact request from now on (flybridge rules lists them)"],
    ['flybridge answer 9f3c21ab --deny "not on main"', "with the reason"],
    [
      'flybridge answer 9f3c21ab --pick "1=PostgreSQL" --pick 1=SQLite --note "1=start small"',
      "several options and a note",
    ],
    ["flybridge answer 9f3c21ab --approve --edited plan.md", "a plan as you changed it"],
  ],
  async run([typed = "", typedAsk], flags, terminal) {
    using host = await connectHost(terminal.env);
    const session = await sessionIdOf(host, typed);
    const ask = openAsk(await stateOfSession(host, session), typedAsk);
    const { edited, ...given } = flags;
    const replyFlags: ReplyFlags = edited === undefined ? given : { ...given, edited: fileText(edited) };
    let answer = answerFrom(ask, replyFlags);
    if (!answer) {
      if (!terminal.interactive) throw usage(waysText(ask));
      if (ask.elsewhere !== undefined) throw new Fault("cancelled", waysText(ask));
      for (const line of askLines(ask, terminal.style)) terminal.print(line);
      answer = await decide(ask, new AbortController().signal);
      if (!answer) throw new Fault("cancelled", "It stays open.");
    }
    const { seq } = await host.intend("ask.answer", { session, ask: ask.ask, answer });
    terminal.print(`Answered (entry ${seq}).`);
    terminal.emit({ session, ask: ask.ask, seq });
  },
});

function openAsk({ asks, title }: SessionState, typed: string | undefined): Ask {
  const open = asks.map(({ ask }) => ask);
  if (typed !== undefined) return oneOf(open, typed, "ask", ({ ask }) => ask, askTitle);
  const [only] = open;
  if (!only) throw new Fault("not_found", `${title} asks nothing now.`);
  if (open.length === 1) return only;
  throw new Fault(
    "ambiguous",
    [`${open.length} asks are open. Say which:`, ...open.map((ask) => `  ${ask.ask}  ${askTitle(ask)}`)].join("\n"),
  );
}
