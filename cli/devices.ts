/** `flybridge devices`: what is paired with this host. */
import type { Device } from "@flybridge/protocol/device.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { ask, connectHost } from "./local.ts";
import { shortBeginnings } from "./prefix.ts";
import { ago } from "./time.ts";

export default command({
  name: "devices",
  about: "Lists the devices paired with this host.",
  flags: {},
  examples: [
    ["flybridge devices", "all of them"],
    ["flybridge devices --json", "one per line"],
  ],
  async run(_words, _flags, terminal) {
    using host = await connectHost(terminal.env);
    const { devices } = await ask(host, host.replica.call("device.list", {}));
    const short = shortBeginnings(devices.map(({ device }) => device));
    const now = Date.now();
    for (const device of devices) {
      terminal.emit(device);
      const own = device.device === host.file.device ? ", this shell" : "";
      const seen = device.connected
        ? terminal.style.good("connected")
        : terminal.style.dim(device.seen === undefined ? "never came back" : `seen ${ago(device.seen, now)}`);
      terminal.print(
        `${terminal.style.dim(short.get(device.device) ?? device.device)}  ${terminal.style.bold(visibleLine(device.name))}  ${seen}`,
      );
      terminal.print(
        `          ${terminal.style.dim(`${device.kind}${own} · ${grantText(device)} · paired ${ago(device.paired, now)}`)}`,
      );
    }
  },
});

function grantText({ grant }: Device): string {
  return grant.kind === "owner" ? "everything" : `${grant.verbs.join(", ")} on one session`;
}
