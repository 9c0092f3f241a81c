/** What the tests of the seal share: vectors that others made, and chance that is not. For tests only. */
import { existsSync, readFileSync } from "node:fs";
import { nobleKey, nobleSuite } from "./noble.ts";
import type { Suite } from "./suite.ts";

const VECTORS = new URL("../../shared/vectors/", import.meta.url);

export interface Wycheproof<Group> {
  readonly numberOfTests: number;
  readonly testGroups: readonly Group[];
}

/**
 * A vector file beside the project, or undefined in a checkout without them: the project carries none. Then the test
 * is skipped, loudly, and `golden.test.ts` still holds the two conversations to their bytes.
 */
export function vectorsOf<T>(path: string): T | undefined {
  const file = new URL(path, VECTORS);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as T;
  console.error(
    `NOT TRIED against ${path}: ${VECTORS.pathname} is not there. Only the project's own golden vectors ran.`,
  );
  return undefined;
}

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
export const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

/** `bytes` of the same value each, for tests that only need a valid one. */
export const filled = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value);

/** A suite whose "random" keys are these, in order. There is no other way to fix an ephemeral. */
export function fixedSuite(...ephemerals: readonly Uint8Array[]): Suite {
  const left = [...ephemerals];
  return {
    ...nobleSuite(() => {
      throw new Error("a fixed suite has no chance");
    }),
    generateKey: () => {
      const next = left.shift();
      if (next === undefined) throw new Error("more ephemeral keys were made than the test gave");
      return nobleKey(next);
    },
  };
}

/** The same bytes with one bit of one byte turned over. */
export function flipped(data: Uint8Array, at: number, bit: number): Uint8Array {
  return data.map((byte, index) => (index === at ? byte ^ bit : byte));
}
