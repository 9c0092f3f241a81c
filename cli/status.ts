/** `flybridge status`: whether the host runs, and what it holds. */
import type { Status } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { EXIT_FAILED, Fault } from "./fault.ts";
import { ask, connectHost } from "./local.ts";
import { notedPid } from "./lock.ts";
import { stateOf } from "./shell-file.ts";
import { megabytes, span } from "./time.ts";

export default command({
  name: "status",
  about: "Says whether the host runs and what it holds. Exit code 1 when it does not run.",
  flags: {},
  examples: [
    ["flybridge status", "one look"],
    ["flybridge status --json", "for a script"],
  ],
  async run(_words, _flags, terminal) {
    const state = stateOf(terminal.env);
    try {
      using host = await connectHost(terminal.env);
      const { replica } = host;
      const [read, { sessions }, { devices }] = await ask(
        host,
        Promise.all([replica.call("host.read", {}), replica.call("session.list", {}), replica.call("device.list", {})]),
      );
      const count = (kind: Status["kind"]): number => sessions.filter(({ status }) => status.kind === kind).length;
      const counts = {
        total: sessions.length,
        waiting: count("waiting"),
        running: count("running"),
        idle: count("idle") + count("starting"),
        ended: count("ended"),
      };
      const pid = notedPid(state);
      const connected = devices.filter((device) => device.connected).length;
      terminal.emit({ running: true, pid, ...read, sessions: counts, devices: { total: devices.length, connected } });
      const { print, style } = terminal;
      print(
        `${style.good("running")}  ${style.bold(visibleLine(read.name))}${pid === undefined ? "" : ` · process ${pid}`} · ${span(Date.now() - read.started)}`,
      );
      print(
        `sessions  ${counts.total}: ${counts.waiting} waiting for you, ${counts.running} running, ${counts.idle} idle, ${counts.ended} ended`,
      );
      print(`devices   ${devices.length}: ${connected} connected`);
      print(`keeper    process ${read.keeper.pid}, holds ${read.keeper.children}`);
      print(`memory    ${megabytes(read.rss)}`);
      print(`version   ${visibleLine(read.version)} · ${visibleLine(read.platform)}`);
      print(`folder    ${visibleLine(read.home)}`);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "not_running") throw error;
      terminal.emit({ running: false, home: state.root });
      if (!terminal.json) terminal.note(error.message);
      return EXIT_FAILED;
    }
  },
});
