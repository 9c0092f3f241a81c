/** `flybridge devices`: what is paired with this host, and the invitations that can still be used. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { OpenOffer } from "@flybridge/protocol/offer-made.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { wayText } from "./device.ts";
import { grantText, type TitleOf, titlesOf } from "./grant.ts";
import { ask, connectHost } from "./local.ts";
import { shortBeginnings } from "./prefix.ts";
import type { Style } from "./terminal.ts";
import { ago, span } from "./time.ts";

const INDENT = " ".repeat(10);

export default command({
  name: "devices",
  about: "Lists the devices paired with this host, what each may do, and the invitations that are open.",
  flags: {},
  examples: [
    ["flybridge devices", "all of them"],
    ["flybridge devices --json", "one per line; an open invitation is a line that has offer"],
  ],
  async run(_words, _flags, terminal) {
    using host = await connectHost(terminal.env);
    const { replica } = host;
    const [{ devices }, { offers }, { sessions }] = await ask(
      host,
      Promise.all([replica.call("device.list", {}), replica.call("offer.list", {}), replica.call("session.list", {})]),
    );
    const short = shortBeginnings([...devices.map(({ device }) => device), ...offers.map(({ offer }) => offer)]);
    const titleOf = titlesOf(sessions);
    const now = Date.now();
    const { style } = terminal;
    for (const device of devices) {
      terminal.emit(device);
      const own = device.device === host.file.device ? ["this shell"] : [];
      const facts = [...own, grantText(device.grant, titleOf, now), `paired ${ago(device.paired, now)}`];
      terminal.print(
        `${style.dim(short.get(device.device) ?? device.device)}  ${style.bold(visibleLine(device.name))}  ${presenceText(device, now, style)}`,
      );
      terminal.print(`${INDENT}${style.dim([device.kind, ...facts].join(" · "))}`);
      if (device.suspended !== undefined)
        terminal.print(
          `${INDENT}${style.bad(`suspended ${ago(device.suspended, now)}: two copies of it were seen. Revoke it, or pair it anew.`)}`,
        );
    }
    if (offers.length > 0) terminal.print("\nOpen invitations:");
    for (const offer of offers) {
      terminal.emit(offer);
      terminal.print(`${style.dim(short.get(offer.offer) ?? offer.offer)}  ${offerText(offer, devices, titleOf, now)}`);
    }
  },
});

function presenceText({ connected, seen, way }: Device, now: number, style: Style): string {
  const by = way === undefined ? "" : ` ${wayText(way)}`;
  if (connected) return style.good(`connected${by}`);
  return style.dim(seen === undefined ? "never came back" : `seen ${ago(seen, now)}${by}`);
}

function offerText(
  { grant, by, expires }: OpenOffer,
  devices: readonly Device[],
  titleOf: TitleOf,
  now: number,
): string {
  const maker = devices.find(({ device }) => device === by)?.name ?? "a device that is gone";
  return `${grantText(grant, titleOf, now)} · by ${visibleLine(maker)} · ${span(expires - now)} left`;
}
