/** What a grant allows, and what this device may do with a session because of it. */
import type { Grant, SessionGrant, Verb } from "@flybridge/protocol/grant.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { type HostHere, isGuest } from "../deck.ts";
import { t } from "../words.ts";

/** The host decides; this only keeps from the screen what it would refuse. */
export function may(host: HostHere, verb: Verb): boolean {
  if (!isGuest(host)) return true;
  const { grant, connection } = host.view;
  return connection.kind !== "refused" && grant?.kind === "session" && grant.verbs.includes(verb);
}

/** "watch, answer and send prompts". */
export function verbsWords(verbs: readonly Verb[]): string {
  const said = WORDS.flatMap(([verb, words]) => (verbs.includes(verb) ? [words()] : []));
  const last = said.pop() ?? t("nothing");
  return said.length === 0 ? last : t("{those} and {last}", { those: said.join(", "), last });
}

const WORDS: readonly [Verb, () => string][] = [
  ["read", () => t("watch")],
  ["answer", () => t("answer")],
  ["prompt", () => t("send prompts")],
  ["input", () => t("type")],
  ["files", () => t("find files")],
  ["share", () => t("pass it on")],
];

/** The session of a grant by its title, in quotation marks. */
export function sessionTitle(host: HostHere, session: SessionGrant["session"]): string {
  const title = host.view.sessions[session]?.title;
  return title === undefined ? t("a session that is gone") : t("“{title}”", { title: visibleLine(title) });
}

export function deviceName(host: HostHere, device: SessionGrant["by"]): string {
  if (device === host.known.device) return t("this device");
  return visibleLine(host.view.devices[device]?.name ?? t("a device that is gone"));
}

export function isOf(grant: Grant, session: SessionGrant["session"]): grant is SessionGrant {
  return grant.kind === "session" && grant.session === session;
}
