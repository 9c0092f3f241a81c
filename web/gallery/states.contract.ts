/** The states that every check of looks is made on, and the moment to make it. */
import type { Page } from "playwright-core";

export const STATES = [
  "pair",
  "pair-again",
  "inbox-empty",
  "inbox-asks",
  "inbox-edit",
  "inbox-long",
  "inbox-many",
  "inbox-offline",
  "inbox-revoked",
  "sessions-empty",
  "sessions",
  "sessions-many",
  "sessions-beside-phone",
  "session-rich",
  "session-running",
  "session-danger",
  "session-edit",
  "session-question",
  "session-plan",
  "session-fresh",
  "session-ended",
  "session-failed-turn",
  "session-offline",
  "session-rtl",
  "session-hostile",
  "session-gone",
  "devices",
  "devices-one",
  "session-attached",
  "inbox-secret",
  "rules",
  "devices-shared",
  "audit",
  "remote",
  "remote-none",
  "remote-refused",
  "remote-by-relay",
  "remote-trust",
  "remote-trusted",
  "remote-other-account",
  "pair-by-relay",
  "account-in",
  "account-fresh",
  "account",
  "account-away",
  "account-reused",
  "account-signed-out",
  "account-banner",
  "account-none",
  "devices-account",
  "session-shared",
  "pairing",
  "join",
  "guest-watching",
  "guest-answering",
  "guest-prompting",
  "guest-expired",
  "guest-ended",
  "guest-revoked",
  "guest-left",
  "guest-suspended",
  "other-host",
];

/** Until nothing has changed in the page for a moment: lazy code, markdown and the list's measuring are done. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        let timer = setTimeout(resolve, 250);
        const watching = new MutationObserver(() => {
          clearTimeout(timer);
          timer = setTimeout(resolve, 250);
        });
        watching.observe(document.body, { childList: true, subtree: true });
        setTimeout(resolve, 3_000);
      }),
  );
}
