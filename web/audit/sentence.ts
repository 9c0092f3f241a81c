/** A row of the audit log as a sentence. What this version cannot read of a row is shown as the host wrote it. */
import type { AuditRow } from "@flybridge/protocol/audit.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { Verb } from "@flybridge/protocol/grant.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { Way } from "@flybridge/protocol/way.ts";
import type { HostHere } from "../deck.ts";
import type { IconName } from "../design/icon.tsx";
import { wayWords } from "../device/kind.ts";
import { sessionTitle, verbsWords } from "../grant/grant.ts";
import { t } from "../words.ts";

export function sentenceOf(row: AuditRow, host: HostHere): string {
  const { name, way, grant } = partsOf(row.detail);
  const by =
    row.by === undefined ? undefined : visibleLine(host.view.devices[row.by]?.name ?? t("A device that is gone"));
  const values = { name, by: by ?? "", way, what: grantWords(grant, host) };
  switch (row.event) {
    case "host.started":
      return t("The host started.");
    case "offer.made":
      return t("{by} made an invitation: {what}.", { ...values, what: grantWords(row.detail, host) });
    case "offer.withdrawn":
      return t("{by} withdrew an invitation: {what}.", { ...values, what: grantWords(row.detail, host) });
    case "offer.refused":
      return t("An invitation was used again, and refused ({way}).", values);
    case "pairing.asked":
      return t("{name} asked to be let in ({way}).", values);
    case "pairing.refused":
      return by === undefined
        ? t("{name} was turned away ({way}).", values)
        : t("{by} turned {name} away ({way}).", values);
    case "pairing.expired":
      return t("{name} was not answered, and went ({way}).", values);
    case "device.paired":
      return t("{name} was let in ({way}): {what}.", values);
    case "device.renamed":
      return t("{by} named a device {name}.", { ...values, name: visibleLine(row.detail) });
    case "device.revoked":
      return by === undefined ? t("{name} was cut off.", values) : t("{by} cut {name} off.", values);
    case "device.expired":
      return t("What {name} had ended by itself: its time was over, or its session.", values);
    case "device.detached":
      return t("{name} left its session.", values);
    case "device.suspended":
      return t("Two copies of {name} were seen: it is suspended.", values);
    case "ticket.doubled":
      return t("The way of {name} by a relay was used from two places at once, and ended.", {
        ...values,
        name: visibleLine(row.detail),
      });
    case "relay.added":
      return t("{by} let this host be reached by the relay {relay}.", { ...values, relay: visibleLine(row.detail) });
    case "relay.removed":
      return t("{by} gave up the relay {relay}.", { ...values, relay: visibleLine(row.detail) });
    case "account.trusted":
      return t("{by} let in the devices of an account at {relay}.", { ...values, relay: visibleLine(row.detail) });
    case "account.distrusted":
      return t("{by} lets in no more devices of an account at {relay}.", { ...values, relay: visibleLine(row.detail) });
    case "rule.revoked":
      return t("{by} ended a rule.", values);
  }
}

/** Somebody was turned away, or should be looked at. */
export function isBad({ event }: AuditRow): boolean {
  return (
    event === "device.suspended" ||
    event === "ticket.doubled" ||
    event === "offer.refused" ||
    event === "pairing.refused"
  );
}

export function iconOf({ event }: AuditRow): IconName {
  switch (event) {
    case "host.started":
      return "play";
    case "offer.made":
      return "qr";
    case "offer.withdrawn":
      return "undo";
    case "offer.refused":
    case "device.suspended":
    case "ticket.doubled":
      return "alert";
    case "relay.added":
    case "relay.removed":
      return "share";
    case "account.trusted":
      return "check";
    case "account.distrusted":
      return "lock";
    case "pairing.asked":
      return "key";
    case "pairing.refused":
    case "pairing.expired":
      return "fail";
    case "device.paired":
      return "check";
    case "device.renamed":
      return "pencil";
    case "device.revoked":
      return "lock";
    case "device.expired":
      return "clock";
    case "device.detached":
      return "leave";
    case "rule.revoked":
      return "rule";
  }
}

/** "phone Ada's phone, by loopback: read, answer on 0199…": a name may hold anything, so it is read from both ends. */
function partsOf(detail: string): { name: string; way: string; grant: string } {
  const [, whole = detail] = /^(?:phone|tablet|desktop|cli|host) (.*)$/su.exec(detail) ?? [];
  const [, name = whole, way = "", grant = ""] = /^(?:(.*), )?by ([a-z]+)(?:: ([^:]*))?$/su.exec(whole) ?? [];
  return { name: visibleLine(name), way: wayFrom(way), grant };
}

function wayFrom(text: string): string {
  const way = Way.options.find((one) => one === text);
  return way === undefined ? visibleLine(text) : wayWords(way);
}

function grantWords(grant: string, host: HostHere): string {
  if (grant === "everything") return t("may do everything");
  const [, verbs = "", session = ""] = /^([a-z, ]+) on (\S+)$/u.exec(grant) ?? [];
  const known = Verb.options.filter((verb) => verbs.split(", ").includes(verb));
  if (known.length === 0) return visibleLine(grant);
  return t("may {verbs} in {session}", {
    verbs: verbsWords(known),
    session: sessionTitle(host, session as SessionId),
  });
}
