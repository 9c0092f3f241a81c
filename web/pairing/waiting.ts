/** Who waits to be let in, over all hosts. */
import type { Pairing } from "@flybridge/protocol/pairing.ts";
import type { HostHere } from "../deck.ts";
import { now } from "../design/time.ts";

export interface Candidate {
  readonly host: HostHere;
  readonly pairing: Pairing;
}

/** Oldest first. What a host told before it was last here may be over by now. */
export function candidatesOf(hosts: readonly HostHere[]): Candidate[] {
  return hosts
    .filter(({ view }) => view.connection.kind === "live")
    .flatMap((host) => Object.values(host.view.pairings).map((pairing) => ({ host, pairing })))
    .filter(({ pairing }) => pairing.expires > now())
    .toSorted((a, b) => a.pairing.asked - b.pairing.asked);
}
