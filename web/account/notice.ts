/** What happened to an account, in sentences. */
import type { AccountContents } from "@flybridge/client/relay/contents.ts";
import type { Notice } from "@flybridge/protocol/relay/account.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import type { IconName } from "../design/icon.tsx";
import { t } from "../words.ts";

/** What a person should look at, wherever in the app they are. */
export function isUrgent({ kind }: Notice): boolean {
  return kind === "session_reused" || kind === "ticket_doubled" || kind === "recovered";
}

/** What somebody else may have done. */
export function isBad(notice: Notice): boolean {
  return isUrgent(notice) || notice.kind === "locked";
}

export function noticeIcon(notice: Notice): IconName {
  if (isUrgent(notice)) return "shield";
  switch (notice.kind) {
    case "signed_in":
      return "person";
    case "moved":
      return "fetch";
    case "passphrase_changed":
      return "key";
    case "locked":
      return "lock";
    default:
      return "leave";
  }
}

/** In one line, for where the rest is a tap away. */
export function urgentWords(notice: Notice, devices: AccountContents["devices"] = []): string {
  const device = deviceWords(notice, devices);
  switch (notice.kind) {
    case "session_reused":
      return t("{device}: its sign-in was used from somewhere else; it was ended.", { device });
    case "ticket_doubled":
      return t("{device}: what lets it in to a host was used in two places at once.", { device });
    default:
      return t("{device} opened your account with the recovery code.", { device });
  }
}

export function noticeWords(notice: Notice, devices: AccountContents["devices"] = []): string {
  const { kind, from } = notice;
  const device = deviceWords(notice, devices);
  const where = from === undefined ? t("an unknown network") : networkWords(from);
  switch (kind) {
    case "session_reused":
      return t(
        "{device}: its sign-in was used from somewhere else ({where}), and was ended. Sign it in again; if it was not copied on purpose, somebody may have its keys.",
        { device, where },
      );
    case "ticket_doubled":
      return t(
        "{device}: what lets it in to a host was used in two places at once. Both were closed; somebody may have its keys.",
        { device },
      );
    case "recovered":
      return t(
        "{device} opened the account with the recovery code, from {where}. If that was not you, change the passphrase and make a new code.",
        { device, where },
      );
    case "locked":
      return t("There were too many wrong tries to open the account, so it could not be opened for a while.");
    case "signed_in":
      return t("{device} signed in, from {where}.", { device, where });
    case "moved":
      return t("{device} came from another network: {where}.", { device, where });
    case "passphrase_changed":
      return t("{device} changed the passphrase or the recovery code.", { device });
    case "device_removed":
      return t("A device was removed from the account.");
  }
}

/** `192.0.0.0/16` is all addresses that begin so. */
function networkWords(from: string): string {
  return visibleLine(from.replace(/^(\d+\.\d+)\.0\.0\/16$/u, "$1.x.x").replace(/::\/32$/u, ":…"));
}

function deviceWords({ key }: Notice, devices: AccountContents["devices"]): string {
  const found = devices.find((one) => one.key === key);
  if (found?.self) return t("This device");
  return found?.name === undefined ? t("A device that is gone") : visibleLine(found.name);
}
