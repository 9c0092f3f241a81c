/** What both ends of the sealed echo know of each other; secret to nobody. */
export const SEALED = {
  hostId: "abcdefghijklmnopqrstuvwxyz234567",
  hostSecret: new Uint8Array(32).fill(7),
  deviceSecret: new Uint8Array(32).fill(9),
  secret: new Uint8Array(32).fill(11),
  offer: new Uint8Array(8).fill(13),
} as const;
