/** The walk that the pictures are taken on: it is the app as it is, so it breaks where the app does. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Camera, LOOKS } from "./pictures/look.ts";
import { FIRST_STEPS, photographProduct } from "./pictures/product.ts";

/** Width, height and kind of a PNG stand at fixed places (PNG, third edition, 11.2.1). */
function sizeOf(path: string): { width: number; height: number; bytes: number } {
  const png = readFileSync(path);
  assert.equal(png.toString("latin1", 1, 4), "PNG");
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), bytes: png.length };
}

describe("screens", () => {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-screens-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are taken of the first steps, on a phone and on a desktop, each in its size and none empty", async () => {
    const looks = LOOKS.slice(0, 2);
    const camera = new Camera(folder);
    await photographProduct(camera, looks, FIRST_STEPS);
    const names = [
      "pair-scanning",
      "pair",
      "pair-wrong-string",
      "pair-refused",
      "pair-asking",
      "sessions-empty",
      "inbox-empty",
    ];
    assert.deepEqual(
      camera.taken.toSorted(),
      looks.flatMap((look) => names.map((name) => `${name}.${look.name}.png`)).toSorted(),
    );
    for (const look of looks) {
      const { viewport, deviceScaleFactor = 1 } = look.context;
      for (const name of names) {
        const { width, height, bytes } = sizeOf(join(folder, `${name}.${look.name}.png`));
        assert.deepEqual(
          [width, height],
          [(viewport?.width ?? 0) * deviceScaleFactor, (viewport?.height ?? 0) * deviceScaleFactor],
        );
        // A page of one colour takes a few kilobytes.
        assert.ok(bytes > 10_000, `${name} on ${look.name} shows nothing: ${bytes} bytes`);
      }
    }
  });
});
