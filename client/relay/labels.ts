/** How devices and hosts are called in an account: sealed by its devices, so that the relay that lists them has no names. */
import { NONCE_BYTES, openLabel, sealLabel } from "@flybridge/crypto/account.ts";
import { Introduction } from "@flybridge/protocol/device.ts";
import { Bytes32 } from "@flybridge/protocol/relay/words.ts";
import { shortened } from "@flybridge/protocol/text.ts";
import * as v from "valibot";
import type { Random } from "./locks.ts";

/** Characters of a host's name that go on the list. */
const HOST_NAME_CHARS = 80;

const DeviceLabel = v.object({ name: Introduction.entries.name, kind: Introduction.entries.kind });
/** How a device is called. */
export type Self = v.InferOutput<typeof DeviceLabel>;

/** `hostKey` is HS, base64url. */
const HostLabel = v.object({ name: v.string(), hostKey: Bytes32 });

/** `key` is the device's DA, base64url. Throws for a name that no host would take either. */
export function deviceLabel(labels: Uint8Array, key: string, self: Self, random: Random): string {
  return sealLabel(labels, "device", key, JSON.stringify(v.parse(DeviceLabel, self)), random(NONCE_BYTES));
}

/** Undefined when none of the account's devices sealed it, or not for that key. */
export function deviceLabelIn(labels: Uint8Array, key: string, label: string): Self | undefined {
  return labelIn(DeviceLabel, () => openLabel(labels, "device", key, label));
}

export function hostLabel(
  labels: Uint8Array,
  host: string,
  { name, hostKey }: v.InferOutput<typeof HostLabel>,
  random: Random,
): string {
  const label = JSON.stringify({ name: shortened(name, HOST_NAME_CHARS), hostKey });
  return sealLabel(labels, "host", host, label, random(NONCE_BYTES));
}

export function hostLabelIn(
  labels: Uint8Array,
  host: string,
  label: string,
): v.InferOutput<typeof HostLabel> | undefined {
  return labelIn(HostLabel, () => openLabel(labels, "host", host, label));
}

function labelIn<S extends v.GenericSchema>(schema: S, open: () => string): v.InferOutput<S> | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(open()));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
