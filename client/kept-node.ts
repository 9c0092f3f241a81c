/** Small secrets in a folder, one file each, which only its owner can read. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { KeptTexts } from "./keys.ts";
import { guarded, readIfThere, replace } from "./store-file-node.ts";

/** The folder is made when something is kept. */
export function fileTexts(folder: string): KeptTexts {
  // A name may be longer than a file's, and hold what no file's may.
  const pathOf = (name: string): string => join(folder, `${createHash("sha256").update(name).digest("hex")}.kept`);
  let last: Promise<unknown> = Promise.resolve();
  return {
    kept: (name) =>
      guarded(async () => {
        await last;
        return readIfThere(pathOf(name));
      }),
    keepText(name, text) {
      const write = async (): Promise<void> => {
        if (text !== undefined) await mkdir(folder, { recursive: true, mode: 0o700 });
        await replace(pathOf(name), text);
      };
      const done = last.then(() => guarded(write));
      last = done.catch(() => {});
      return done;
    },
  };
}
