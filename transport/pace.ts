/** How often a device asks whether its host is there; apart from who does, since a page knows it before it connects. */

/** Milliseconds between pings while somebody looks at the device. */
export const BEAT_VISIBLE_MS = 5_000;
/** Milliseconds between pings while nobody does. */
export const BEAT_HIDDEN_MS = 30_000;
