/** How a relay fares, in words: what is, since when, and what to do where nothing mends it by itself. */
import type { RefusedCode } from "@flybridge/protocol/relay/words.ts";
import type { HostRelay, RelayStatus } from "@flybridge/protocol/relays.ts";
import { clock, lasted, now } from "../design/time.ts";
import { t } from "../words.ts";

/** One word, for where there is room for no more. */
export function statusWord(kind: RelayStatus["kind"]): string {
  switch (kind) {
    case "connecting":
      return t("connecting");
    case "live":
      return t("connected");
    case "away":
      return t("away");
    case "refused":
      return t("refused");
  }
}

/** Of several relays, what a person should know of first. */
export function worstOf(relays: readonly HostRelay[]): RelayStatus["kind"] | undefined {
  return (["refused", "away", "connecting", "live"] as const).find((kind) =>
    relays.some(({ status }) => status.kind === kind),
  );
}

export function statusLine(status: RelayStatus): string {
  switch (status.kind) {
    case "connecting":
      return t("Connecting");
    case "live":
      return t("Connected since {time}", { time: clock(status.since) });
    case "away":
      return t("Away since {time}", { time: clock(status.since) });
    case "refused":
      return t("Refused since {time}", { time: clock(status.since) });
  }
}

/** When it is tried again by itself. */
export function retryLine(status: RelayStatus): string | undefined {
  if (status.kind !== "away" || status.retryAt === undefined) return undefined;
  return status.retryAt <= now()
    ? t("trying now")
    : t("tries again in {time}", { time: lasted(status.retryAt - now() + 999) });
}

/** What no repetition mends, and how a person does. Undefined where the host's own words are all there is to say. */
export function mendOf(code: RefusedCode, origin: string): string | undefined {
  switch (code) {
    case "not_registered":
      return t(
        "This relay takes who was invited. Ask whoever runs it for an invitation, or make one there: flybridge relay invite",
      );
    case "closed":
      return t("This relay takes nobody new. Ask whoever runs it to let this host in, or use another one.");
    case "session_reused":
      return t(
        "This host's sign-in there was used from somewhere else; it was ended. If you brought the host back from a copy, sign in again. If you did not, somebody may have a copy of its keys: look at the log and at the machine first.",
      );
    case "bad_opening":
      return t(
        "It does not understand this host, or knows itself by another address than {origin}. Compare the address with the one you were given, and update the older of the two.",
        { origin },
      );
    case "session_ended":
    case "bad_ticket":
    case "ticket_doubled":
    case "no_offer":
    case "host_away":
    case "too_many":
    case "unavailable":
      return undefined;
  }
}
