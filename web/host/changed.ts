/** Whether another host answers where this one did. */
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { HostHere } from "../deck.ts";

export function isChanged(host: HostHere): boolean {
  const { connection } = host.view;
  return connection.kind === "refused" && connection.reason === "wrong_host";
}

export function changedPath(host: HostId): string {
  return `/other-host/${host}`;
}
