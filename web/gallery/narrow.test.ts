/** Every screen on the narrowest phone: inside its width, with large text too, and big enough to tap. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { makeStage, SMALL, type Stage } from "./stage.contract.ts";
import { settled, STATES } from "./states.contract.ts";

/** Smallest side of what is tapped on a phone, in CSS pixels. */
const TARGET_PX = 44;

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

describe("every screen", () => {
  for (const state of STATES)
    it(`${state}: does not scroll sideways at 320 px, nor with text twice as large; targets are ${TARGET_PX} px`, async () => {
      const { page, faults } = await stage.open(state, SMALL);
      await settled(page);
      const wide = () =>
        page.evaluate(() => {
          const scrollers = [
            document.documentElement,
            ...document.querySelectorAll(".main, .transcript, .pinned, .sheet-body"),
          ];
          return scrollers
            .filter((one) => one.scrollWidth > one.clientWidth + 1)
            .map((one) => `${one.className} ${one.scrollWidth} > ${one.clientWidth}`);
        });
      assert.deepEqual(await wide(), []);
      const small = await page.evaluate((least) => {
        const inText = (one: Element): boolean => one.closest(".markdown, .ask-where") !== null && one.tagName === "A";
        return [...document.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary")]
          .filter(
            (one) => one.checkVisibility() && !inText(one) && !one.closest(".skip") && !one.classList.contains("skip"),
          )
          .map((one) => ({
            one: one.closest("label") ?? one,
            box: (one.closest("label") ?? one).getBoundingClientRect(),
          }))
          .filter(({ box }) => box.width > 1 && (box.height < least - 0.5 || box.width < least - 0.5))
          .map(({ one, box }) => `${one.outerHTML.slice(0, 120)} ${Math.round(box.width)}x${Math.round(box.height)}`);
      }, TARGET_PX);
      assert.deepEqual(small, []);
      await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
      await settled(page);
      assert.deepEqual(await wide(), [], "at 200 %");
      assert.deepEqual(faults, []);
    });
});
