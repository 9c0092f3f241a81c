/**
 * This machine's own shell is a device like any other, paired by the host itself when it starts: its keys lie in one
 * 0600 file. Whoever can read that file can read the host's own keys beside it.
 */
import { randomBytes } from "node:crypto";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/offer.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import { deviceIdOf, type Devices } from "./access/devices.ts";
import { readPrivate, writePrivate } from "./machine/files.ts";
import { nodeKey } from "@flybridge/crypto/suite-node.ts";

const SECRET_BYTES = 32;

/** Keeps the file if it still opens the door, else writes a new one and forgets the device it replaces. */
export function pairShell(options: {
  readonly path: string;
  readonly devices: Devices;
  readonly host: { readonly id: HostId; readonly name: string; readonly key: Uint8Array };
  readonly socket: string;
}): DeviceId {
  const { path, devices, host, socket } = options;
  const before = secretFrom(readPrivate(path));
  const secret = before ?? new Uint8Array(randomBytes(SECRET_BYTES));
  const key = nodeKey(secret).publicKey;
  const device = deviceIdOf(key);
  const known = devices.get(device);
  const opens = before !== undefined && known !== undefined && known.suspended === undefined;
  if (opens && readPrivate(path)?.includes(JSON.stringify(socket))) return device;
  const continuity = new Uint8Array(randomBytes(SECRET_BYTES));
  for (const old of devices.list())
    if (old.kind === "cli" && old.name === SHELL_NAME && old.device !== device) devices.revoke(old.device);
  devices.pair(key, { name: SHELL_NAME, kind: "cli" }, { kind: "owner" }, continuity, "local");
  const file = {
    host: host.id,
    name: host.name,
    hostKey: toBase64Url(host.key),
    device,
    secret: toBase64Url(secret),
    continuity: toBase64Url(continuity),
    socket,
  };
  writePrivate(path, `${JSON.stringify(file, null, 2)}\n`);
  return device;
}

const SHELL_NAME = "This machine's shell";

function secretFrom(text: string | undefined): Uint8Array | undefined {
  try {
    const { secret } = JSON.parse(text ?? "") as { secret?: unknown };
    return typeof secret === "string" ? fromBase64Url(secret, SECRET_BYTES) : undefined;
  } catch {
    return undefined;
  }
}
