/** What either end of a link sees of the TLS under it, in Node. A browser shows its pages nothing of it. */
import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** RFC 9266 §2. */
const EXPORTER_LABEL = "EXPORTER-Channel-Binding";
const EXPORTER_BYTES = 32;

/**
 * The value that both ends of this TLS connection have and nobody else (RFC 9266). Undefined below TLS 1.3, where it is
 * unique only with extensions that Node does not tell of.
 */
export function exporterOf(socket: TLSSocket): Uint8Array | undefined {
  if (socket.getProtocol() !== "TLSv1.3") return undefined;
  return new Uint8Array(socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)));
}

/** Of the key in a certificate, which may be renewed around it: as ssh shows one, over its SubjectPublicKeyInfo. */
export function fingerprintOf({ publicKey }: X509Certificate): string {
  const hash = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  return `SHA256:${hash.replace(/=+$/u, "")}`;
}
