/** The ways to a host by its relays, as it gave them last: each is for one connection, and brings the next. */
import type { HostId } from "@flybridge/protocol/ids.ts";
import { MAX_RELAYS, RelayWay } from "@flybridge/protocol/relays.ts";
import * as v from "valibot";
import type { KeptTexts } from "./keys.ts";

const Kept = v.pipe(v.array(RelayWay), v.maxLength(MAX_RELAYS));

/** None, too, when what was kept cannot be read: the host gives new ones at the next connection. */
export async function waysKept(keys: KeptTexts, host: HostId): Promise<readonly RelayWay[]> {
  const text = await keys.kept(nameOf(host));
  if (text === undefined) return [];
  try {
    return v.parse(Kept, JSON.parse(text));
  } catch {
    return [];
  }
}

export function keepWays(keys: KeptTexts, host: HostId, ways: readonly RelayWay[] | undefined): Promise<void> {
  return keys.keepText(nameOf(host), ways === undefined || ways.length === 0 ? undefined : JSON.stringify(ways));
}

/** In place of the one by the same relay. */
export async function keepWay(keys: KeptTexts, host: HostId, way: RelayWay): Promise<void> {
  const others = (await waysKept(keys, host)).filter(({ origin }) => origin !== way.origin);
  await keepWays(keys, host, [{ origin: way.origin, rendezvous: way.rendezvous, ticket: way.ticket }, ...others]);
}

function nameOf(host: HostId): string {
  return `ways ${host}`;
}
