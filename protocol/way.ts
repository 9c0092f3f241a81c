/** By which way a device came in. */
import * as v from "valibot";

export const Way = v.picklist([
  /** The socket in the host's state folder. */
  "local",
  /** A loopback address of the host's machine. */
  "loopback",
  /** A proxy of the owner's own, under an origin that the owner named. */
  "proxy",
  /** The host's own TLS door. */
  "tls",
  "relay",
  /** A data channel from the device to the host itself, made over a connection by one of the others. */
  "direct",
]);
export type Way = v.InferOutput<typeof Way>;
