/** A disk of a test's own, small enough to fill. */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** To the last byte. */
  fill(): void;
  free(): void;
}

/** `size` as mount(8) takes it. Throws where none can be mounted: to pass without one would be a lie. */
export function smallDisk(size: string): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "flybridge-disk-"));
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0700`, "flybridge", path]);
  if (status !== 0)
    throw new Error(`No small disk could be mounted (run as root, with CAP_SYS_ADMIN): ${String(stderr)}`);
  const ballast = join(path, "ballast");
  return {
    path,
    fill() {
      const file = openSync(ballast, "a");
      try {
        for (const bytes of [1024 * 1024, 4_096, 1]) {
          try {
            for (;;) if (writeSync(file, Buffer.alloc(bytes)) < bytes) break;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          }
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      spawnSync("umount", ["-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
