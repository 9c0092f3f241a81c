/** The README's pictures, made like all others; small, for everybody who opens the page loads them. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Camera, LOOKS } from "./look.ts";
import { letIn, type Part, photographProduct } from "./product.ts";

const MAX_PICTURE_BYTES = 150_000;
/** Half the width of a page is enough for a phone. */
const PHONE_SCALE = 1.5;

export async function photographForReadme(camera: Camera): Promise<void> {
  const looks = LOOKS.map((look) =>
    look.isPhone ? { ...look, context: { ...look.context, deviceScaleFactor: PHONE_SCALE } } : look,
  );
  await photographProduct(camera, looks, [scene]);
  for (const name of camera.taken) {
    const { size } = statSync(join(camera.folder, name));
    if (size > MAX_PICTURE_BYTES)
      throw new Error(`${name} has ${size} bytes; a picture of the README has ${MAX_PICTURE_BYTES} at most.`);
  }
}

/** A day's middle: some work done, an edit and a question waiting. */
const scene: Part = async (stage) => {
  await stage.each((seat) => letIn(stage, seat));
  for (const prompt of ["Run the tests", "Todo: the steps for springs and neaps"]) {
    await stage.rested(await stage.start(prompt, "tide-tables"));
  }
  const question = await stage.start("Question me about units and outputs first");
  const release = await stage.start("Ask before you look at what a release would hold");
  const edit = await stage.start("Edit the table: a tide takes 12.4 hours, not 12", "tide-tables");
  for (const session of [question, release, edit]) await stage.asked(session);
  await stage.each(async (seat) => {
    const { page, look } = seat;
    const card = page.getByRole("region", { name: "What needs you" });
    if (!look.isPhone) {
      await stage.visit(seat, stage.pathOf(edit));
      await card.getByRole("button", { name: "Allow once" }).waitFor();
      await stage.camera.take(page, "edit", look);
    } else if (look.name.endsWith("light")) {
      await stage.visit(seat, stage.pathOf(release));
      await card.getByRole("button", { name: "Allow once" }).waitFor();
      await stage.camera.take(page, "approval", look);
    } else {
      await stage.visit(seat, "/");
      await page.getByRole("button", { name: "Next" }).first().waitFor();
      await stage.camera.take(page, "inbox", look);
    }
  });
};
