/**
 * The way in by a relay: one connection from here to there, held as long as the host runs, over which devices come as
 * circuits. Each is a link like any other, and meets the same gate.
 */
import { type HeldSigningKey, signingKey } from "@flybridge/crypto/identity.ts";
import { offerKeySeed, signTicket, TICKET_MS } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import { REFUSALS } from "@flybridge/protocol/relay/refusals.ts";
import { type RefusedCode, type Session, type ToHost } from "@flybridge/protocol/relay/words.ts";
import type { RelayStatus } from "@flybridge/protocol/relays.ts";
import { Circuits } from "@flybridge/transport/circuits.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { dial } from "@flybridge/transport/dial.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { openAt, RelayAway, RelayRefused } from "@flybridge/transport/relay.ts";
import type { Offer } from "../access/offers.ts";
import type { StoredRelay } from "../core/ports.ts";
import type { Gate } from "./gate.ts";
import { dialRelay } from "./relay-socket.ts";

/** A session is renewed when so much of its life is left. */
const RENEW_SHARE = 0.4;
/** Milliseconds until it is asked again for the next session. */
const RENEW_AGAIN_MS = 30_000;
const TICKET_ID_BYTES = 12;
/** What no repetition mends. */
const FINAL: ReadonlySet<RefusedCode> = new Set(["bad_opening", "not_registered", "closed", "session_reused"]);

export interface RelayDoor extends Disposable {
  readonly file: StoredRelay;
  readonly status: RelayStatus;
  /** Whether devices find the web app under its origin. */
  readonly app: boolean;
  /** That help devices find a direct way; the relay named them. */
  readonly ice: readonly IceServer[];
  /** Lets that device in by the relay until then, at most for a day. */
  ticketFor(key: string, until?: number): Promise<string>;
  /** Which offers are open changed. */
  offersChanged(): void;
  /** That key's tickets count no more. */
  revoke(key: string): void;
  trust(account: StoredRelay["account"]): void;
  /** Tries now. With `anew`, a person said to sign in again. */
  again(invitation?: string, anew?: boolean): void;
}

export function openRelay(around: {
  readonly file: StoredRelay;
  readonly invitation?: string | undefined;
  readonly host: { readonly id: HostId; readonly key: Uint8Array; readonly signing: HeldSigningKey };
  readonly gate: Gate;
  /** Those that are open. */
  offers(): readonly Offer[];
  /** The device that proves itself with that key, and until when it may come. */
  deviceOf(key: string): { readonly device: DeviceId; readonly until?: number | undefined } | undefined;
  /** Two copies of that device were seen. */
  doubled(key: string): void;
  /** Stores what is to be kept. */
  keep(file: StoredRelay): void;
  random(bytes: number): Uint8Array;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): RelayDoor {
  const { host, gate, now, log } = around;
  const { origin, rendezvous } = around.file;
  let file = around.file;
  let status: RelayStatus = { kind: "connecting", since: now() };
  let invitation = around.invitation;
  let anew = false;
  let app = false;
  let ice: readonly IceServer[] = [];
  /**
   * What the relay's clock said, and when: tickets and offers end by it. Counted on by a clock that never jumps, for ours may
   * be set while we are connected, and what we sign would end yesterday or after tomorrow.
   */
  let said: { readonly relay: number; readonly at: number } | undefined;
  const relayNow = (): number => (said ? said.relay + (systemClock.now() - said.at) : now());
  let circuits: Circuits | undefined;
  let renewal: ReturnType<typeof setTimeout> | undefined;
  /** Keys of offers that the relay knows. */
  const told = new Set<string>();
  /** Keys that it takes no tickets of. */
  const revoked = new Set<string>();
  let dialling = start();

  const show = (next: RelayStatus): void => {
    status = next;
  };
  const keep = (next: StoredRelay): void => {
    around.keep(next);
    file = next;
  };
  const ticketFor = (key: string, until = Number.POSITIVE_INFINITY): Promise<string> => {
    // Whoever gets one is let in here: a device that was revoked has been paired anew.
    if (revoked.delete(key)) circuits?.tell({ t: "readmit", key });
    return signTicket(host.signing, {
      relay: origin,
      host: host.id,
      rendezvous,
      device: key,
      until: Math.round(relayNow() + Math.min(TICKET_MS, until - now())),
      id: toBase64Url(around.random(TICKET_ID_BYTES)),
    });
  };
  const sessionCame = ({ session, expires }: Session, at: Circuits): void => {
    keep({ ...file, session });
    at.tell({ t: "kept" });
    clearTimeout(renewal);
    const life = Math.max(0, expires - relayNow());
    // A relay that cannot store the next one now says nothing: it is asked again until it does.
    const renew = (): void => {
      at.tell({ t: "renew", session });
      renewal = setTimeout(renew, RENEW_AGAIN_MS).unref();
    };
    renewal = setTimeout(renew, life * (1 - RENEW_SHARE)).unref();
  };
  const tellOffers = (): void => {
    if (!circuits) return;
    const open = new Map(around.offers().map((offer) => [keyOf(offer), offer.expires]));
    for (const key of told) {
      if (open.has(key)) continue;
      told.delete(key);
      circuits.tell({ t: "withdraw", key });
    }
    for (const [key, expires] of open) {
      if (told.has(key)) continue;
      told.add(key);
      circuits.tell({ t: "offer", key, until: Math.round(relayNow() + (expires - now())) });
    }
  };
  const heed = (message: ToHost, at: Circuits): void => {
    switch (message.t) {
      case "session":
        return sessionCame(message, at);
      case "renew": {
        const found = around.deviceOf(message.key);
        const { ask } = message;
        if (!found) return at.tell({ t: "renewed", ask });
        ticketFor(message.key, found.until).then(
          (ticket) => at.tell({ t: "renewed", ask, ticket }),
          (error: unknown) => log("a ticket could not be signed", { error: String(error) }),
        );
        return;
      }
      case "doubled":
        return around.doubled(message.key);
      case "moving":
        // Another node takes it, or this one after its start: dialled again at once, with some chance in when.
        return at.close("moving");
    }
  };

  async function attempt(up: () => void, signal: AbortSignal): Promise<"again" | "stop"> {
    try {
      const opened = await openAt(dialRelay(origin), {
        origin,
        key: host.signing,
        signal,
        opening: {
          t: "host",
          hs: toBase64Url(host.key),
          rendezvous,
          ...(file.session === undefined ? {} : { session: file.session }),
          ...(invitation === undefined ? {} : { invitation }),
          ...(anew ? { anew } : {}),
        },
      });
      const { welcome, link } = opened;
      invitation = undefined;
      anew = false;
      said = { relay: welcome.now, at: systemClock.now() };
      app = welcome.app === true;
      ice = welcome.ice ?? [];
      await live(link, welcome.session, up, signal);
      if (!signal.aborted) show({ kind: "away", since: now(), reason: "The connection to the relay ended." });
      return signal.aborted ? "stop" : "again";
    } catch (error) {
      if (signal.aborted) return "stop";
      if (!(error instanceof RelayRefused) && !(error instanceof RelayAway)) throw error;
      const code = error instanceof RelayRefused ? error.code : undefined;
      const reason = code === undefined ? error.message : REFUSALS[code];
      // A sign-in that has ended is begun anew with the key.
      if (code === "session_ended") keep({ ...file, session: undefined });
      if (code !== undefined && FINAL.has(code)) {
        log("the relay refuses this host", { relay: origin, code });
        show({ kind: "refused", since: now(), code, reason });
        return "stop";
      }
      show({ kind: "away", since: now(), reason });
      return "again";
    }
  }

  function live(link: Link, session: Session | undefined, up: () => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => own.close("the host is stopping");
      const own = new Circuits(link, {
        opened(caller, circuit) {
          // A ticket may be of a device that was revoked since; to the gate it is nobody, and here it is less work.
          if (caller.by === "ticket" && !around.deviceOf(caller.key)) return circuit.close("closed");
          gate.enter(circuit, { way: "relay", relay: { origin, rendezvous } });
        },
        control: (message) => heed(message, own),
        ended() {
          signal.removeEventListener("abort", end);
          clearTimeout(renewal);
          told.clear();
          revoked.clear();
          if (circuits === own) circuits = undefined;
          resolve();
        },
      });
      circuits = own;
      signal.addEventListener("abort", end);
      if (session) sessionCame(session, own);
      if (file.account)
        own.tell({ t: "account", account: { key: file.account.key, endorsement: file.account.endorsement } });
      tellOffers();
      up();
      show({ kind: "live", since: now() });
      log("connected to a relay", { relay: origin });
    });
  }

  function start(): ReturnType<typeof dial> {
    const begun = dial({
      clock: systemClock,
      chance: () => (around.random(1)[0] ?? 0) / 256,
      attempt,
      waiting(ms) {
        if (status.kind === "away") show({ ...status, retryAt: Math.round(now() + ms) });
      },
    });
    // Our own faults end the dialling, and are said.
    begun.done.catch((error: unknown) => {
      log("a relay could not be dialled", { relay: origin, error: String(error) });
      show({
        kind: "away",
        since: now(),
        reason: "The host could not store what the relay gave it. Restart the host.",
      });
    });
    return begun;
  }

  return {
    get file() {
      return file;
    },
    get status() {
      return status;
    },
    get app() {
      return app;
    },
    get ice() {
      return ice;
    },
    ticketFor,
    offersChanged: tellOffers,
    revoke(key) {
      revoked.add(key);
      circuits?.tell({ t: "revoke", key });
    },
    trust(account) {
      keep({ ...file, account });
      circuits?.tell({
        t: "account",
        ...(account ? { account: { key: account.key, endorsement: account.endorsement } } : {}),
      });
    },
    again(given, asPerson = false) {
      invitation = given ?? invitation;
      anew = asPerson;
      if (asPerson) keep({ ...file, session: undefined });
      if (status.kind === "live") return;
      if (status.kind !== "refused") return dialling.wake();
      show({ kind: "connecting", since: now() });
      dialling = start();
    },
    [Symbol.dispose]() {
      clearTimeout(renewal);
      dialling.stop();
    },
  };
}

function keyOf({ secret }: Offer): string {
  return toBase64Url(signingKey(offerKeySeed(secret)).publicKey);
}
