/** Makes the bridge of this device: the hosts it knows, and pairing with another one. */
import { Introduction } from "@flybridge/protocol/device.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import * as v from "valibot";
import { type Bridge, PairingError } from "./bridge.ts";
import { deviceIdOf } from "./keys.ts";
import { HostReplica } from "./make-replica.ts";
import { keepWays } from "./kept-ways.ts";
import type { Platform } from "./platform.ts";
import type { KnownHost } from "./replica.ts";
import { StoreError } from "./store.ts";

/** Rejects with `StoreError` when this device keeps nothing for us. */
export async function makeBridge(given: Platform | Promise<Platform>): Promise<Bridge> {
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

  return {
    hosts,
    async pair(connection, { confirming = () => {}, ...self }) {
      const payload = new TextEncoder().encode(JSON.stringify(v.parse(Introduction, self)));
      const deviceKey = await keys.device().catch(rethrow);
      const { pairAnywhere } = await import("./meeting.ts");
      const { connected, address } = await pairAnywhere(platform, connection, deviceKey, payload, confirming);
      const { host } = connected.hello;
      const known: KnownHost = {
        host,
        name: connection.name ?? "",
        addresses: [
          ...(address === undefined ? [] : [address]),
          ...platform.addressesOf(connection).filter((other) => other !== address),
        ],
        hostKey: toBase64Url(connection.hostKey),
        ...(connected.certificate === undefined ? {} : { certificate: connected.certificate }),
        device: await deviceIdOf(deviceKey),
        paired: platform.now(),
      };
      try {
        await keys.keep(host, [connected.continuity]);
        await store.write("hosts", host, JSON.stringify(known));
      } catch (error) {
        connected.pipe.close("closing");
        rethrow(error);
      }
      show(known);
      const before = replicas.get(host);
      if (before) before.repaired(known, connected.pipe);
      const replica = before ?? make(known);
      if (!before) void replica.start(connected.pipe);
      if (address === undefined) await takeWays(replica);
      return replica;
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
      await store.clear(host);
    },
    close() {
      closed = true;
      stopListening();
      for (const replica of replicas.values()) replica.close();
      replicas.clear();
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
