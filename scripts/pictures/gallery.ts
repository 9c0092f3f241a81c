/** States that a demo cannot bring about in a minute: hundreds of rows, other scripts, hostile names, odd sizes, large text. */
import { makeStage } from "../../web/gallery/stage.contract.ts";
import { type Camera, type Look, LOOKS, SIZES } from "./look.ts";

/** In each look. */
const STATES = [
  "loading",
  "inbox-many",
  "inbox-calm",
  "inbox-danger",
  "inbox-mcp",
  "inbox-long",
  "inbox-revoked",
  "sessions-many",
  "sessions-beside-phone",
  "session-running",
  "session-two-asks",
  "session-failed-turn",
  "session-offline",
  "session-hostile",
  "session-rtl",
  "session-gone",
  "session-fresh",
  "session-shared",
  "join",
  "guest-answering",
  "guest-expired",
  "pairing",
  "devices-shared",
  "audit",
  "other-host",
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
];

/** At each further size, and once on a phone with text of twice the size. */
const SCREENS = [
  "pair",
  "inbox-asks",
  "sessions",
  "session-rich",
  "session-approval",
  "session-question",
  "devices",
  "remote",
  "account",
  "account-in",
];
const LARGE_TEXT = { name: "large-text", percent: 200 };

export async function photographGallery(camera: Camera): Promise<void> {
  await using stage = await makeStage();
  const show = async (state: string, look: Look, percent = 100): Promise<void> => {
    const { page } = await stage.open(state, look.context);
    // As a browser's own setting does: the root's size, which everything else is measured in.
    if (percent !== 100) await page.evaluate((to) => (document.documentElement.style.fontSize = `${to}%`), percent);
    await camera.take(page, `gallery-${state}`, percent === 100 ? look : { ...look, name: LARGE_TEXT.name });
    await stage.clear();
  };
  for (const state of STATES) for (const look of LOOKS) await show(state, look);
  for (const state of SCREENS) {
    for (const size of SIZES) await show(state, size);
    const [phone] = LOOKS;
    if (phone) await show(state, phone, LARGE_TEXT.percent);
  }
}
