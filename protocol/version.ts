/**
 * One integer and a set of feature names are all that is negotiated. `WIRE` holds the hash of everything that travels,
 * as `wire.ts` prints it: a test compares it, so the words cannot change without somebody deciding on the version.
 */

/** The inner conversation's version: raised when an older peer could misread a newer one. */
export const VERSION = 1;
/** The oldest version that is still spoken. */
export const OLDEST_VERSION = 1;

/** What a peer may have beyond its version. */
export const FEATURES: readonly string[] = [];
