/** How often a device asks whether its host is there; apart from who does, since a page knows it before it connects. */

/** Milliseconds between pings while somebody looks at the device. */
export const BEAT_VISIBLE_MS = 5_000;
/** Milliseconds between pings while nobody does. */
export const BEAT_HIDDEN_MS = 30_000;
/**
 * Milliseconds between pings on a direct way while somebody looks, and in which one is answered: nothing closes it when
 * the network is another, and there are other ways.
 */
export const BEAT_DIRECT_MS = 1_000;
export const ANSWER_DIRECT_MS = 2_000;
