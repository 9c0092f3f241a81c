/** The relays by which this host is reached, and the accounts whose devices it lets in. */
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { Audit } from "../access/audit.ts";
import type { Devices } from "../access/devices.ts";
import type { Intents, Queries } from "../doors/desk.ts";
import type { Relays } from "../relays.ts";

export function relayQueries(around: {
  readonly relays: Relays;
  readonly devices: Devices;
  /** HI, base64url. */
  readonly identity: string;
  /** Under which origin the host serves its app now. */
  readonly app: () => string;
}): Pick<Queries, "relay.list" | "relay.ways"> {
  const { relays, devices, identity, app } = around;
  return {
    "relay.list": () => ({ relays: relays.list(), identity, app: app() }),
    "relay.ways": async ({ key }, { device, grant }) => {
      devices.prove(device, key);
      return { ways: await relays.waysFor(key, grant.kind === "session" ? grant.until : undefined) };
    },
  };
}

export function relayIntents(around: {
  readonly relays: Relays;
  readonly audit: Audit;
}): Pick<Intents, "relay.add" | "relay.remove" | "account.trust" | "account.distrust"> {
  const { relays, audit } = around;
  return {
    "relay.add": ({ origin, invitation }, _intent, { device: by }) => {
      const detail = originFrom(origin);
      relays.add(detail, invitation);
      audit.note({ event: "relay.added", by, detail });
      return {};
    },
    "relay.remove": ({ origin }, _intent, { device: by }) => {
      const detail = originFrom(origin);
      relays.remove(detail);
      audit.note({ event: "relay.removed", by, detail });
      return {};
    },
    "account.trust": ({ origin, account, pairing, endorsement }, _intent, { device: by }) => {
      const detail = originFrom(origin);
      relays.trust(detail, { key: account, pairing, endorsement });
      audit.note({ event: "account.trusted", by, detail });
      return {};
    },
    "account.distrust": ({ origin }, _intent, { device: by }) => {
      const detail = originFrom(origin);
      relays.trust(detail, undefined);
      audit.note({ event: "account.distrusted", by, detail });
      return {};
    },
  };
}

function originFrom(text: string): string {
  try {
    return relayOriginFrom(text);
  } catch (error) {
    if (error instanceof OriginError) throw new CallError("bad_params", error.message);
    throw error;
  }
}
