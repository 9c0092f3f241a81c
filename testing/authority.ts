/** A certificate authority of a test's own, and certificates that it signs for servers on this machine. */
import { isIP } from "node:net";
import { generate } from "selfsigned";

const DAY_MS = 86_400_000;

/** PEM. */
export interface Signed {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  /** Its own certificate, in PEM: who trusts it trusts those that it signed. */
  readonly cert: string;
  /** For a server of these names and addresses, from a day ago until then; a day from now unless it is said. */
  sign(names: readonly string[], until?: Date): Promise<Signed>;
}

export async function makeAuthority(): Promise<Authority> {
  const notBeforeDate = new Date(Date.now() - DAY_MS);
  const tomorrow = new Date(Date.now() + DAY_MS);
  const own = await generate([{ name: "commonName", value: "an authority of a test" }], {
    algorithm: "sha256",
    keyType: "ec",
    notBeforeDate,
    notAfterDate: tomorrow,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  return {
    cert: own.cert,
    async sign(names, until = tomorrow) {
      const signed = await generate([{ name: "commonName", value: names[0] ?? "nobody" }], {
        algorithm: "sha256",
        keyType: "ec",
        notBeforeDate,
        notAfterDate: until,
        ca: { key: own.private, cert: own.cert },
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, critical: true },
          { name: "extKeyUsage", serverAuth: true },
          {
            name: "subjectAltName",
            altNames: names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
          },
        ],
      });
      return { cert: signed.cert, key: signed.private };
    },
  };
}
