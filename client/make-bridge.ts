/** Makes the bridge of this device: the hosts it knows, pairing with another one, and its accounts. */
import { Introduction } from "@flybridge/protocol/device.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import * as v from "valibot";
import type { Accounts } from "./accounts.ts";
import { type Bridge, PairingError } from "./bridge.ts";
import { forgottenName } from "./forgotten.ts";
import { deviceIdOf } from "./keys.ts";
import { HostReplica } from "./make-replica.ts";
import type { pairAnywhere } from "./meeting.ts";
import { keepWays } from "./kept-ways.ts";
import type { Platform } from "./platform.ts";
import type { KnownHost } from "./replica.ts";
import { StoreError } from "./store.ts";

/** A host that has let this device in. */
export type Paired = Awaited<ReturnType<typeof pairAnywhere>>;
/** What is known of it besides. `hostKey` is HS. */
export type Told = Pick<KnownHost, "name" | "addresses"> & { readonly hostKey: Uint8Array };

/** Rejects with `StoreError` when this device keeps nothing for us. */
export async function makeBridge(
  given: Platform | Promise<Platform>,
  /** Where the app came from, which may be a relay. */
  from?: string,
): Promise<Bridge> {
  const platform = await given;
  const { store, keys, makeCell } = platform;
  const hosts = makeCell<{ list: KnownHost[]; read: boolean }>({ list: [], read: false });
  const replicas = new Map<HostId, HostReplica>();
  let closed = false;

  const rows = await store.list("hosts", "");
  hosts.change((draft) => {
    draft.list = rows.map(([, text]) => knownFrom(text)).filter((known) => known !== undefined);
    draft.list.sort((a, b) => a.paired - b.paired);
    draft.read = true;
  });
  const stopListening = platform.onNetwork(() => {
    for (const replica of replicas.values()) replica.notice({ kind: "awake" });
  });

  const show = (known: KnownHost): void => {
    hosts.change((draft) => {
      const at = draft.list.findIndex((one) => one.host === known.host);
      if (at < 0) draft.list.push(known);
      else draft.list[at] = known;
    });
  };
  /** The host tells its name, and what this device may do, at every connection. */
  const knew = (known: KnownHost): void => {
    const before = hosts.value.list.find((one) => one.host === known.host);
    if (!before || (before.name === known.name && before.only === known.only && before.over === known.over)) return;
    show(known);
    store.write("hosts", known.host, JSON.stringify(known)).catch(() => {});
  };
  const make = (known: KnownHost): HostReplica => {
    const replica = new HostReplica(platform, known, knew);
    replicas.set(known.host, replica);
    return replica;
  };

  /** By a relay one comes back with a ticket only: it is here before anybody can leave. */
  const takeWays = async (replica: HostReplica): Promise<void> => {
    try {
      const key = toBase64Url((await keys.proof()).publicKey);
      await keepWays(keys, replica.host, (await replica.call("relay.ways", { key })).ways);
    } catch {
      // The connection that comes next asks again.
    }
  };
  const paired = async (
    { connected: { pipe, certificate, continuity, hello }, address }: Paired,
    told: Told,
  ): Promise<HostReplica> => {
    const { host } = hello;
    const known: KnownHost = {
      host,
      name: told.name,
      addresses: told.addresses,
      hostKey: toBase64Url(told.hostKey),
      ...(certificate === undefined ? {} : { certificate }),
      device: await deviceIdOf(await keys.device()),
      paired: platform.now(),
    };
    try {
      await keys.keep(host, [continuity]);
      await keys.keepText(forgottenName(host), undefined);
      await store.write("hosts", host, JSON.stringify(known));
    } catch (error) {
      pipe.close("closing");
      rethrow(error);
    }
    show(known);
    const before = replicas.get(host);
    if (before) before.repaired(known, pipe);
    const replica = before ?? make(known);
    if (!before) void replica.start(pipe);
    if (address === undefined) await takeWays(replica);
    return replica;
  };

  const accounts = makeCell<{ at: string[]; read: boolean }>({ at: [], read: false });
  let accountsHere: Promise<Accounts> | undefined;
  const loadAccounts = (): Promise<Accounts> => {
    const load = async (): Promise<Accounts> =>
      new (await import("./accounts.ts")).Accounts({ platform, from, hosts, cell: accounts, show, paired, knownFrom });
    accountsHere ??= load();
    accountsHere.catch(() => {
      accountsHere = undefined;
    });
    return accountsHere;
  };

  return {
    hosts,
    accounts,
    async findAccounts() {
      try {
        await (await loadAccounts()).start();
      } finally {
        accounts.change((draft) => {
          draft.read = true;
        });
      }
    },
    account: async (origin) => (await loadAccounts()).open(origin),
    async pair(connection, { confirming = () => {}, ...self }) {
      const payload = new TextEncoder().encode(JSON.stringify(v.parse(Introduction, self)));
      const deviceKey = await keys.device().catch(rethrow);
      const { pairAnywhere } = await import("./meeting.ts");
      const found = await pairAnywhere(platform, connection, deviceKey, payload, confirming);
      const { address } = found;
      return paired(found, {
        name: connection.name ?? "",
        hostKey: connection.hostKey,
        addresses: [
          ...(address === undefined ? [] : [address]),
          ...platform.addressesOf(connection).filter((other) => other !== address),
        ],
      });
    },
    replica(host) {
      const before = replicas.get(host);
      if (before) return before;
      const known = hosts.value.list.find((one) => one.host === host);
      if (!known || closed) throw new RangeError(`This device is not paired with ${host}.`);
      const replica = make({ ...known });
      void replica.start();
      return replica;
    },
    async forget(host) {
      replicas.get(host)?.close();
      replicas.delete(host);
      hosts.change((draft) => {
        draft.list = draft.list.filter((one) => one.host !== host);
      });
      await keys.forget(host);
      await keepWays(keys, host, undefined);
      // An account would bring it back.
      if (accounts.value.at.length > 0) await keys.keepText(forgottenName(host), "by a person");
      await store.clear(host);
    },
    close() {
      closed = true;
      stopListening();
      for (const replica of replicas.values()) replica.close();
      replicas.clear();
      void accountsHere?.then((one) => one.close());
      store.close();
    },
  };
}

function rethrow(error: unknown): never {
  if (error instanceof StoreError) throw new PairingError("no_storage", error.message);
  throw error;
}

function knownFrom(text: string): KnownHost | undefined {
  try {
    return JSON.parse(text) as KnownHost;
  } catch {
    return undefined;
  }
}
