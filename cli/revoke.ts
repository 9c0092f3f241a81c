/** `flybridge revoke`: ends what a device may do, and its connections, at once. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { confirm } from "@clack/prompts";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";
import { ask, connectHost } from "./local.ts";
import { oneOf } from "./prefix.ts";

export default command({
  name: "revoke",
  about: "Cuts a device off, at once and for good. It can be paired again.",
  words: [{ name: "DEVICE", about: "a device's name, id, or enough of its id", required: true }],
  flags: { yes: { type: "boolean", short: "y", about: "do not ask" } },
  examples: [
    ['flybridge revoke "Ada\'s phone"', "by its name"],
    ["flybridge revoke Vx3k --yes", "by the beginning of its id, without asking"],
  ],
  async run([typed = ""], flags, terminal) {
    using host = await connectHost(terminal.env);
    const { devices } = await ask(host, host.replica.call("device.list", {}));
    const device = oneOf(
      devices,
      typed,
      "device",
      (one) => one.device,
      (one) => one.name,
    );
    if (device.device === host.file.device)
      throw usage(
        "This is the shell you are using; it lasts as long as the host's own keys. To be rid of it, remove the host's state folder.",
      );
    const name = visibleLine(device.name);
    if (flags.yes !== true) {
      if (!terminal.interactive)
        throw usage(`Nobody is there to be asked. To revoke ${name} without a question, add --yes.`);
      const sure = await confirm({ message: `Cut off ${name} (${device.kind}) for good?`, initialValue: false });
      if (sure !== true) throw new Fault("cancelled", "Nothing was changed.");
    }
    await host.intend("device.revoke", { device: device.device });
    terminal.print(`${name} is cut off.`);
    terminal.emit({ revoked: device.device });
  },
});
