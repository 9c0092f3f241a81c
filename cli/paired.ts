/** Who is paired, to tell by it who was paired since: a device that is paired anew has a new time. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { pairedText } from "./invitation.ts";
import { ask, type LocalHost } from "./local.ts";
import type { Terminal } from "./terminal.ts";
import { until } from "./watch.ts";

/** When each was. */
export type Paired = ReadonlyMap<DeviceId, number>;

export async function pairedNow(host: LocalHost): Promise<Paired> {
  const { devices } = await ask(host, host.replica.call("device.list", {}));
  return new Map(devices.map(({ device, paired }) => [device, paired]));
}

export async function pairedSince(host: LocalHost, before: Paired): Promise<Device | undefined> {
  const { devices } = await ask(host, host.replica.call("device.list", {}));
  return devices.find((one) => isNew(one, before));
}

/** Says who pairs, until the host is lost. */
export async function tellPaired(host: LocalHost, terminal: Terminal): Promise<never> {
  const known = new Map(await pairedNow(host));
  for (;;) {
    const fresh = until(host.replica.view, ({ devices }) => Object.values(devices).find((one) => isNew(one, known)));
    const device = await Promise.race([fresh, host.lost]);
    known.set(device.device, device.paired);
    terminal.print(pairedText(device));
  }
}

function isNew({ device, paired }: Device, before: Paired): boolean {
  return before.get(device) !== paired;
}
