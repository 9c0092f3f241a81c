/** The name under which a device keeps that a person forgot a host on it: the account that has the host must not bring it back. */
import type { HostId } from "@flybridge/protocol/ids.ts";

export function forgottenName(host: HostId): string {
  return `forgotten ${host}`;
}
