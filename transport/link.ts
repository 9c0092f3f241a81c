/**
 * A link moves whole binary frames, in order, or it ends. It knows neither the seal above it nor what a frame means.
 */

export type LinkEnd =
  /** The other side closed, or `close` was called here. `detail` is for logs. */
  | { readonly kind: "closed"; readonly detail: string }
  /** The other side broke the rules of links: a text frame, an oversized one. */
  | { readonly kind: "violation"; readonly detail: string }
  /** It broke: reset, timeout, network gone. */
  | { readonly kind: "cut"; readonly detail: string };

export interface LinkEvents {
  frame(bytes: Uint8Array): void;
  /** `buffered` fell to `LOW_WATER_BYTES` or less after it had been above `HIGH_WATER_BYTES`. */
  drained(): void;
  /** Once, last. No event follows. */
  ended(end: LinkEnd): void;
}

/** What a device sees of the TLS that its link runs in, down to wherever that ends. */
export interface Tls {
  /** RFC 9266, 32 bytes. */
  readonly exporter: Uint8Array;
  /** Of the key in the certificate that was shown: `SHA256:…`. */
  readonly fingerprint: string;
}

/**
 * Contract (run by `linkContract` for every implementation): frames arrive whole, in order, unchanged; frames sent
 * before `listen` on the other side are kept until it listens; `send` never throws and after the end does nothing;
 * `ended` comes once on both sides; a frame over the limit given at construction ends the link as a violation.
 */
export interface Link {
  /** Where this side looks into the TLS that carries the link: known once frames come. */
  readonly tls?: Tls | undefined;
  listen(events: LinkEvents): void;
  send(frame: Uint8Array): void;
  /** Bytes taken by `send` that have not left the process. */
  readonly buffered: number;
  /** With `lingerMs`, what has not reached the other side by then does not: the link is torn. */
  close(detail: string, lingerMs?: number): void;
}

export const HIGH_WATER_BYTES = 256 * 1024;
export const LOW_WATER_BYTES = 64 * 1024;
