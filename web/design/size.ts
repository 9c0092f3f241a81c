/** Sizes as people say them. */
import { t } from "../words.ts";

const KB = 1_000;
const MB = 1_000_000;

/** "812 bytes", "34 kB", "4.7 MB". */
export function size(bytes: number): string {
  if (bytes < KB) return t("{n} bytes", { n: bytes });
  if (bytes < MB) return t("{n} kB", { n: Math.round(bytes / KB) });
  return t("{n} MB", { n: (bytes / MB).toFixed(1) });
}
