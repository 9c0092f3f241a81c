/** `flybridge revoke`: ends what a device may do, and its connections, at once; or an invitation before it is used. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { OpenOffer } from "@flybridge/protocol/offer-made.ts";
import { command } from "./command.ts";
import { deviceText, heirsOf } from "./device.ts";
import { usage } from "./fault.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import { oneOf } from "./prefix.ts";
import { beSure } from "./sure.ts";
import type { Terminal } from "./terminal.ts";

type Revocable = { readonly device: Device } | { readonly offer: OpenOffer };

export default command({
  name: "revoke",
  about:
    "Cuts a device off, at once and for good, with what it passed on to others; or ends an open invitation. A device can be paired again.",
  words: [
    { name: "DEVICE", about: "a device's name, or enough of the id of a device or an invitation", required: true },
  ],
  flags: { yes: { type: "boolean", short: "y", about: "do not ask" } },
  examples: [
    ['flybridge revoke "Ada\'s phone"', "by its name"],
    ["flybridge revoke Vx3k --yes", "by the beginning of its id, without asking"],
    ["flybridge devices", "who is there, and which invitations are open"],
  ],
  async run([typed = ""], flags, terminal) {
    using host = await connectHost(terminal.env);
    const { replica } = host;
    const [{ devices }, { offers }] = await ask(
      host,
      Promise.all([replica.call("device.list", {}), replica.call("offer.list", {})]),
    );
    const found = oneOf<Revocable>(
      [...devices.map((device) => ({ device })), ...offers.map((offer) => ({ offer }))],
      typed,
      "device",
      (one) => ("device" in one ? one.device.device : one.offer.offer),
      (one) => ("device" in one ? one.device.name : `invitation ${one.offer.offer}`),
    );
    if ("offer" in found) await withdraw(host, found.offer, terminal);
    else await revoke(host, found.device, { devices, offers, yes: flags.yes === true }, terminal);
  },
});

/** Nothing is lost by it that a new invitation does not bring back: it is not asked for. */
async function withdraw(host: LocalHost, { offer }: OpenOffer, terminal: Terminal): Promise<void> {
  await host.intend("offer.withdraw", { offer });
  terminal.print("The invitation is withdrawn: its link no longer pairs.");
  terminal.emit({ withdrawn: offer });
}

async function revoke(
  host: LocalHost,
  device: Device,
  all: { readonly devices: readonly Device[]; readonly offers: readonly OpenOffer[]; readonly yes: boolean },
  terminal: Terminal,
): Promise<void> {
  if (device.device === host.file.device)
    throw usage(
      "This is the shell you are using; it lasts as long as the host's own keys. To be rid of it, remove the host's state folder.",
    );
  const heirs = heirsOf(all.devices, device.device);
  const ended = [device, ...heirs].map((one) => one.device);
  const offers = all.offers.filter(({ by }) => ended.includes(by));
  const also = [
    ...heirs.map(deviceText),
    ...(offers.length === 0 ? [] : [offers.length === 1 ? "1 open invitation" : `${offers.length} open invitations`]),
  ].join(", ");
  const passedOn = also === "" ? "" : ` With it ends what it passed on: ${also}.`;
  await beSure(`Cut off ${deviceText(device)} for good?${passedOn}`, all.yes, terminal);
  await host.intend("device.revoke", { device: device.device });
  terminal.print(`${deviceText(device)} is cut off.${passedOn}`);
  terminal.emit({ revoked: device.device, with: heirs.map((one) => one.device) });
}
