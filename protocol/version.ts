/**
 * One integer and a set of feature names are all that is negotiated. `WIRE` holds the hash of everything that travels,
 * as `wire.ts` prints it: a test compares it, so the words cannot change without somebody deciding on the version.
 *
 * When that test fails, the words have changed. If `VERSION` is in `RELEASED`, peers speak it out there: raise it, add
 * the new hash under the new number and a `golden/vN.jsonl`; add to `FEATURES` instead when an older peer only misses
 * something. If it is not, nobody speaks it yet: put the new hash in place of the old one, by hand, and the golden
 * messages right. Releasing a version is adding it to `RELEASED`; from then on its hash and its golden messages stay.
 */

/** The inner conversation's version: raised when an older peer could misread a newer one. */
export const VERSION = 1;
/** The oldest version that is still spoken. */
export const OLDEST_VERSION = 1;
/** Versions that are in somebody's hands. */
export const RELEASED: readonly number[] = [];

/** SHA-256 of `wireText()`, by version. */
export const WIRE: Readonly<Record<number, string>> = {
  1: "cc6a7ccda950d4f3ae36c958c6dc835a91b3a86190494f211859c96beeb4a2f8",
};

/** What a peer may have beyond its version. */
export const FEATURES: readonly string[] = [];
