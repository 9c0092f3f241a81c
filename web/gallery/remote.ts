/** Relays of the gallery's hosts, in every state, and what comes of adding one. */
import type { HostView } from "@flybridge/client/replica.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { IntentMethod, Params, Result } from "@flybridge/protocol/methods.ts";
import type { HostRelay, RelayStatus } from "@flybridge/protocol/relays.ts";
import { MINUTE } from "./data.ts";

const NOW = Date.now();
/** What the pretended relay lets in. */
const INVITATION = "open-sesame";
/** How long connecting takes, in milliseconds. */
const CONNECT_MS = 400;

const relay = (origin: string, status: RelayStatus, more: Partial<HostRelay> = {}): HostRelay => ({
  origin,
  rendezvous: "r".repeat(16),
  status,
  ...more,
});
export const RELAY = "https://relay.example";
export const ACCOUNT_KEY = "k".repeat(43);

export const LIVE: HostRelay = relay(RELAY, { kind: "live", since: NOW - 190 * MINUTE });
export const TRUSTED: HostRelay = { ...LIVE, account: ACCOUNT_KEY };
export const RELAYS: HostRelay[] = [
  LIVE,
  relay("https://meeting-point-of-the-harbour-company.with-a-long-name.example:7684", {
    kind: "away",
    since: NOW - 3 * MINUTE,
    reason:
      "The relay at https://meeting-point-of-the-harbour-company.with-a-long-name.example:7684 cannot be reached: getaddrinfo ENOTFOUND.",
    retryAt: NOW + 40_000,
  }),
  relay("http://127.0.0.1:7684", { kind: "connecting", since: NOW - 2_000 }),
];
export const REFUSED: HostRelay[] = (["not_registered", "session_reused", "closed", "bad_opening"] as const).map(
  (code, at) =>
    relay(`https://relay-${at + 1}.example`, {
      kind: "refused",
      since: NOW - (at + 1) * MINUTE,
      code,
      reason: `The relay refuses: ${code}.`,
    }),
);

/** This page comes by a relay. */
export const BY_RELAY: Partial<HostView> = {
  connection: { kind: "live", since: NOW - 4 * MINUTE, roundTrip: 34, relay: RELAY },
};

export interface CannedRelays {
  list(): Result<"relay.list">;
  /** How often it was asked. */
  readonly looks: number;
  readonly acts: { [M in IntentMethod]?: (params: Params<M>) => unknown };
}

export function cannedRelays(given: readonly HostRelay[]): CannedRelays {
  let relays = structuredClone([...given]);
  const put = (origin: string, change: Partial<HostRelay>): void => {
    relays = relays.some((one) => one.origin === origin)
      ? relays.map((one) => (one.origin === origin ? { ...one, ...change } : one))
      : [...relays, relay(origin, { kind: "connecting", since: Date.now() }, change)];
  };
  let looks = 0;
  return {
    list() {
      looks++;
      return { relays: structuredClone(relays), identity: "i".repeat(43), app: "http://127.0.0.1:7683" };
    },
    get looks() {
      return looks;
    },
    acts: {
      "relay.add": ({ origin, invitation }) => {
        put(origin, { status: { kind: "connecting", since: Date.now() } });
        const wants = origin.includes("invited") && invitation !== INVITATION;
        setTimeout(
          () =>
            put(origin, {
              status: wants
                ? { kind: "refused", since: Date.now(), code: "not_registered", reason: "An invitation is needed." }
                : { kind: "live", since: Date.now() },
            }),
          CONNECT_MS,
        );
        return {};
      },
      "relay.remove": ({ origin }) => {
        relays = relays.filter((one) => one.origin !== origin);
        return {};
      },
      "account.trust": ({ origin, account }) => {
        if (!relays.some((one) => one.origin === origin)) throw new CallError("not_found", "It is not used any more.");
        put(origin, { account });
        return {};
      },
      "account.distrust": ({ origin }) => {
        for (const one of relays) if (one.origin === origin) delete one.account;
        return {};
      },
    },
  };
}
