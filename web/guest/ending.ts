/** How a share ended, as the guest is told: what happened, what it means, what to do. */
import type { GrantEnd } from "@flybridge/protocol/grant.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import type { HostHere } from "../deck.ts";
import { until } from "../design/time.ts";
import { t } from "../words.ts";

export interface Ending {
  readonly reason: GrantEnd;
  readonly title: string;
  readonly what: string;
  readonly next: string;
  /** Whether what is kept here of the session may still be read. */
  readonly isReadable: boolean;
}

export function endingOf(host: HostHere): Ending | undefined {
  const { connection, grant } = host.view;
  if (connection.kind !== "refused") return undefined;
  const name = visibleLine(host.known.name);
  const { reason } = connection;
  const values = { host: name, time: until(connection.since) };
  const ends = grant?.kind === "session" ? grant.until : undefined;
  // A host that knows a device no more does not say why; the time tells.
  const isLate =
    reason === "revoked" && host.known.over === undefined && ends !== undefined && ends <= connection.since;
  switch (isLate ? "expired" : reason) {
    case "expired":
      return {
        reason: "expired",
        title: t("The time is over"),
        what: t("{host} shared this session until {time}.", { host: name, time: until(ends ?? connection.since) }),
        next: t("If you still need it, ask there for a new link. What you saw last can be read here."),
        isReadable: true,
      };
    case "session_ended":
      return {
        reason: "session_ended",
        title: t("The session has ended"),
        what: t("It ended on {host} at {time}, and the share with it.", values),
        next: t("There is nothing to do. What you saw last can be read here."),
        isReadable: true,
      };
    case "revoked":
      return {
        reason: "revoked",
        title: t("No longer shared with you"),
        what:
          host.known.over === undefined
            ? t("{host} does not know this device any more: the share was taken back, or the session ended.", values)
            : t("The share was taken back on {host} at {time}.", values),
        next: t("If you still need it, ask there for a new link."),
        isReadable: false,
      };
    case "detached":
      return {
        reason: "detached",
        title: t("You left the session"),
        what: t("It goes on on {host} without you.", values),
        next: t("To come back, ask there for a new link."),
        isReadable: false,
      };
    case "suspended":
      return {
        reason: "suspended",
        title: t("Two copies of this device were seen"),
        what: t(
          "{host} lets neither in, for it cannot tell which is yours. It may be that somebody copied what this browser keeps.",
          values,
        ),
        next: t("Tell whoever shared the session, and ask for a new link."),
        isReadable: false,
      };
    // No end of the share: the banner tells of an app too old or too new, a screen of its own of another host.
    default:
      return undefined;
  }
}
