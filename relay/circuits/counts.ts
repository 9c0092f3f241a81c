/** What is counted of circuits; plain numbers, for they are counted for every frame. */
import { REFUSED_CODES, type RefusedCode } from "@flybridge/protocol/relay/words.ts";

export interface Counts {
  frames: number;
  bytes: number;
  joins: Record<"joined" | RefusedCode, number>;
}

export function newCounts(): Counts {
  const joins = Object.fromEntries(["joined", ...REFUSED_CODES].map((code) => [code, 0])) as Counts["joins"];
  return { frames: 0, bytes: 0, joins };
}
