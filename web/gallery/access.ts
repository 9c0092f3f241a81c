/** Who may do what, for the gallery: guests, invitations, devices that wait or are suspended, and the log of it. */
import type { Cell } from "@flybridge/client/cell.ts";
import type { Connection, HostView, KnownHost } from "@flybridge/client/replica.ts";
import type { AuditEvent, AuditRow } from "@flybridge/protocol/audit.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { GrantEnd, SessionGrant, Verb } from "@flybridge/protocol/grant.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import type { IntentMethod, Params, QueryMethod, Result } from "@flybridge/protocol/methods.ts";
import { formatConnection, formatLink, type LinkPurpose, type OfferMade } from "@flybridge/protocol/offer.ts";
import type { OpenOffer } from "@flybridge/protocol/offer-made.ts";
import type { Pairing, PairingId } from "@flybridge/protocol/pairing.ts";
import { KNOWN, MINUTE, OTHER_DEVICE, PAIRED, SELF, sessionId } from "./data.ts";

const NOW = Date.now();
const HOUR = 60 * MINUTE;
const GUEST = "g".repeat(43) as DeviceId;
const COPIED = "h".repeat(43) as DeviceId;
/** What the pretended device shows. */
const DIGITS = "048213";

export const grantOf = (verbs: readonly Verb[], until = NOW + 5 * HOUR): SessionGrant => ({
  kind: "session",
  session: sessionId(1),
  verbs: [...verbs],
  until,
  by: OTHER_DEVICE,
});

/** What a device that was let in to one session knows of the host. */
export const GUEST_KNOWN: KnownHost = { ...KNOWN, only: sessionId(1) };
export const guestView = (verbs: readonly Verb[], until?: number): Partial<HostView> => ({
  devices: {},
  agents: [],
  grant: grantOf(verbs, until),
});
export const overHost = (reason: GrantEnd): { known: KnownHost; view: Partial<HostView> } => ({
  known: { ...GUEST_KNOWN, over: { reason, at: NOW - MINUTE } },
  view: {
    ...guestView(["read", "answer", "detach"], reason === "expired" ? NOW - MINUTE : undefined),
    connection: { kind: "refused", since: NOW - MINUTE, reason },
  },
});
export const OTHER_HOST: Connection = {
  kind: "refused",
  since: NOW - MINUTE,
  reason: "wrong_host",
  found: "k3v9d0hq7xw2c8n5t1b6r4m0z8y3f7g2j9s5p1e6a4k0v2d8h3q7x1w5" as HostId,
};
export const FULL_ID = "9b3k6j0hq7xw2s8n5t1m4r6m0z8y3f7g2j9s5p1e6a4k0v2d8h3q7x1c" as HostId;

/** The owner's list, with a guest that watches and one that was copied. */
export const SHARED: Partial<HostView> = {
  devices: {
    ...Object.fromEntries(
      Object.entries(PAIRED).map(([id, device], at) => [id, { ...device, way: at === 2 ? "local" : "tls" } as Device]),
    ),
    [GUEST]: {
      device: GUEST,
      name: "Grace's iPhone",
      kind: "phone",
      grant: { ...grantOf(["read", "answer", "detach"]), by: SELF },
      paired: NOW - HOUR,
      seen: NOW,
      connected: true,
      way: "proxy",
      viewing: sessionId(1),
    },
    [COPIED]: {
      device: COPIED,
      name: "Edge on Windows",
      kind: "desktop",
      grant: grantOf(["read", "detach"], NOW + 26 * HOUR),
      paired: NOW - 2 * HOUR,
      seen: NOW - 20 * MINUTE,
      connected: false,
      way: "relay",
      suspended: NOW - 20 * MINUTE,
    },
  },
};

export const WAITING: Pairing = {
  pairing: "p".repeat(22) as PairingId,
  name: "Grace's iPad",
  kind: "tablet",
  way: "tls",
  asked: NOW - 8_000,
  expires: NOW + 112_000,
};

const row = (at: number, event: AuditEvent, detail: string, more: Partial<AuditRow> = {}): Omit<AuditRow, "seq"> => ({
  at: NOW - at * MINUTE,
  event,
  detail,
  hash: "x".repeat(43),
  ...more,
});
const LOG: AuditRow[] = [
  row(3_000, "host.started", ""),
  row(2_999, "device.paired", "cli studio shell, by local: everything"),
  row(2_990, "offer.made", "everything", { by: SELF }),
  row(2_989, "pairing.asked", "desktop Chrome on Linux, by tls"),
  row(2_988, "device.paired", "desktop Chrome on Linux, by tls: everything"),
  row(2_000, "pairing.asked", "desktop Firefox on Windows, by relay"),
  row(1_999, "pairing.refused", "desktop Firefox on Windows, by relay", { by: SELF }),
  row(1_990, "offer.refused", "used again, by relay"),
  row(120, "offer.made", `read, answer, detach on ${sessionId(1)}`, { by: SELF }),
  row(118, "device.paired", `phone Grace's iPhone, by proxy: read, answer, detach on ${sessionId(1)}`, { by: SELF }),
  row(90, "device.renamed", "Ada's phone", { by: OTHER_DEVICE }),
  row(60, "device.expired", "tablet A tablet, by the window"),
  row(20, "device.suspended", "desktop Edge on Windows"),
  row(4, "device.revoked", "tablet iPad in the kitchen", { by: "gone".padEnd(43, "e") as DeviceId }),
].map((one, at) => ({ ...one, seq: at + 1 }));

let offers: OpenOffer[] = [
  {
    offer: "CAgICAgICAg",
    grant: grantOf(["read", "prompt", "answer", "detach", "share"]),
    by: SELF,
    made: NOW - MINUTE,
    expires: NOW + 3 * MINUTE,
  },
];

export function offerMade(known: KnownHost, purpose: LinkPurpose): OfferMade {
  const connection = {
    addresses: [{ host: "studio.local", port: 7683 }] as const,
    offer: new Uint8Array(8).fill(7),
    secret: Uint8Array.from({ length: 32 }, (_, at) => at * 7),
    hostKey: Uint8Array.from({ length: 32 }, (_, at) => 255 - at * 5),
    name: known.name,
  };
  return {
    offer: "BwcHBwcHBwc",
    connection: formatConnection(connection),
    link: formatLink("https://studio.local", connection, purpose),
    expires: Date.now() + 300_000,
    host: known.host,
  };
}

export function accessActs(
  known: KnownHost,
  view: Cell<HostView>,
): { [M in IntentMethod]?: (params: Params<M>) => unknown } {
  const end = (reason: GrantEnd): void =>
    view.change((host) => {
      host.connection = { kind: "refused", since: Date.now(), reason };
    });
  return {
    "offer.make": () => offerMade(known, "pair"),
    "offer.withdraw": ({ offer }) => {
      offers = offers.filter((one) => one.offer !== offer);
    },
    "session.share": () => offerMade(known, "join"),
    "session.detach": () => end("detached"),
    "pairing.confirm": ({ pairing, digits }) => {
      view.change((host) => delete host.pairings[pairing]);
      if (digits !== DIGITS)
        throw new CallError(
          "bad_answer",
          "These are not the digits of that device, so it was turned away and its link is used up. If it is yours, show a new link and try again; if you do not know it, all is well: it did not get in.",
        );
    },
    "pairing.refuse": ({ pairing }) => view.change((host) => delete host.pairings[pairing]),
    "device.revokeAll": () => {
      const others = Object.keys(view.value.devices).filter((id) => id !== known.device) as DeviceId[];
      view.change((host) => others.forEach((id) => delete host.devices[id]));
      return { revoked: others.length };
    },
  };
}

export function accessAnswer(method: QueryMethod): unknown {
  if (method === "offer.list") return { offers };
  if (method === "audit.list") return { rows: LOG, more: false } satisfies Result<"audit.list">;
  if (method === "audit.verify") return { rows: LOG.length, key: "k".repeat(43) };
  return undefined;
}
