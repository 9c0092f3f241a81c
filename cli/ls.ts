/** `flybridge ls`: the sessions of this host. */
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { askTitle } from "./ask.ts";
import { command } from "./command.ts";
import { ask, connectHost } from "./local.ts";
import { shortEnds } from "./prefix.ts";
import { statusText } from "./session.ts";

const TITLE_CHARS = 48;

export default command({
  name: "ls",
  about: "Lists the sessions of this host, those that wait for you first.",
  flags: { waiting: { type: "boolean", about: "only those that wait for you" } },
  examples: [
    ["flybridge ls", "all of them"],
    ["flybridge ls --waiting --json", "open asks, one session per line"],
  ],
  async run(_words, flags, terminal) {
    using host = await connectHost(terminal.env);
    const { sessions } = await ask(host, host.replica.call("session.list", {}));
    const short = shortEnds(sessions.map(({ session }) => session));
    const shown = sessions.filter(({ status }) => flags.waiting !== true || status.kind === "waiting");
    shown.sort((a, b) => Number(b.status.kind === "waiting") - Number(a.status.kind === "waiting"));
    const { style } = terminal;
    const now = Date.now();
    for (const summary of shown) {
      terminal.emit(summary);
      const { session, title, status, agent, workspace, asks } = summary;
      terminal.print(
        `${style.dim(short.get(session) ?? session)}  ${style.bold(shortened(visibleLine(title), TITLE_CHARS))}  ${statusText(status, now, style)}`,
      );
      terminal.print(`          ${style.dim(`${agent} · ${visibleLine(workspace)}`)}`);
      for (const open of asks)
        terminal.print(`          ${style.signal("▲")} ${shortened(askTitle(open.ask), terminal.columns - 14)}`);
    }
    if (shown.length === 0 && !terminal.json)
      terminal.note(
        flags.waiting === true
          ? "Nothing waits for you."
          : 'There are no sessions. Start one: flybridge run claude "…"',
      );
  },
});
