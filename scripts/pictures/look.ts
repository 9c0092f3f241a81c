/** The looks a screen is seen in, and the camera: one file per screen and look. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContextOptions, devices, type Page } from "playwright-core";
import { DESKTOP, PHONE } from "../../testing/browser.ts";

/** What may take long here is the first start of an agent on a busy machine. */
export const WAIT_MS = 20_000;

export interface Look {
  readonly name: string;
  readonly context: BrowserContextOptions;
  readonly isPhone: boolean;
}

/** Motion off: a picture of the middle of an animation says nothing. */
const STILL: BrowserContextOptions = { reducedMotion: "reduce", locale: "en-GB" };

/** So that the host takes it for a phone, as it would take one. */
const userAgent = devices["Pixel 7"]?.userAgent ?? "";

export const LOOKS: readonly Look[] = (["light", "dark"] as const).flatMap((colorScheme) => [
  { name: `phone-${colorScheme}`, context: { ...PHONE, ...STILL, colorScheme, userAgent }, isPhone: true },
  { name: `desktop-${colorScheme}`, context: { ...DESKTOP, ...STILL, colorScheme }, isPhone: false },
]);

/** Sizes that a screen must also bear, in one colour: what breaks there is not the colour. */
export const SIZES: readonly Look[] = (
  [
    ["small-phone", 320, 568, true],
    ["tablet", 834, 1112, true],
    ["large-desktop", 1920, 1080, false],
  ] as const
).map(([name, width, height, isPhone]) => ({
  name,
  isPhone,
  context: { ...STILL, colorScheme: "light", viewport: { width, height }, hasTouch: isPhone },
}));

export class Camera {
  readonly folder: string;
  readonly taken: string[] = [];

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async take(page: Page, screen: string, look: Look): Promise<void> {
    // Text is drawn with the font it will keep, and what was asked for is laid out.
    await page.evaluate(async () => {
      await document.fonts.ready;
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    });
    const name = `${screen}.${look.name}.png`;
    await page.screenshot({ path: join(this.folder, name), caret: "hide", animations: "disabled" });
    this.taken.push(name);
  }
}
