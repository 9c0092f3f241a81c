/** A browser: WebSockets to the host that serves the page, keys and store in IndexedDB. */
import type { Connection } from "@flybridge/protocol/offer.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import type { MakeCell } from "./cell.ts";
import { openDatabase } from "./database-web.ts";
import { webKeys } from "./keys-web.ts";
import { originOf, type Owner, type Platform } from "./platform.ts";
import { webStore } from "./store-web.ts";

const DATABASE = "flybridge";

/** Rejects with `StoreError` when the browser keeps nothing for the page. */
export async function webPlatform(makeCell: MakeCell): Promise<Platform> {
  const database = await openDatabase(DATABASE);
  const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
  return {
    reach: async () => (await import("./reach-web.ts")).webReach(random),
    keys: webKeys(database),
    store: webStore(database),
    owner: tabOwner(),
    clock: systemClock,
    makeCell,
    now: () => Date.now(),
    random,
    addressesOf: (connection) => webAddresses(location.origin, connection),
    onNetwork,
  };
}

/** Between two networks that both are there, as Wi-Fi and a phone's own, only some browsers say something. */
function onNetwork(awake: () => void): () => void {
  const { connection } = navigator as { connection?: EventTarget & { readonly type?: string } };
  let type = connection?.type;
  // It tells of how fast the network is as well, again and again.
  const changed = (): void => {
    if (type === connection?.type) return;
    type = connection?.type;
    if (navigator.onLine) awake();
  };
  const stop = new AbortController();
  const { signal } = stop;
  addEventListener("online", awake, { signal });
  connection?.addEventListener("change", changed, { signal });
  return () => stop.abort();
}

/**
 * First where the page came from, which its policy always allows; then the others, at least as safely as the page itself.
 * None when that is the host's relay: it is not the host, and its pages may connect to it alone.
 */
export function webAddresses(origin: string, { addresses, relay }: Pick<Connection, "addresses" | "relay">): string[] {
  if (relay === origin) return [];
  const secure = origin.startsWith("https:");
  return [...new Set([origin.replace(/^http/u, "ws"), ...addresses.map((address) => originOf(address, secure))])];
}

/** A tab is alive while it holds its lock. Where there are no locks nobody counts as alive, and things are sent twice. */
function tabOwner(): Owner {
  const self = crypto.randomUUID();
  const locks: LockManager | undefined = navigator.locks;
  const nameOf = (owner: string): string => `flybridge ${owner}`;
  locks?.request(nameOf(self), () => new Promise(() => {})).catch(() => {});
  return {
    self,
    async isAlive(owner) {
      const { held = [] } = (await locks?.query()) ?? {};
      return held.some(({ name }) => name === nameOf(owner));
    },
  };
}
