/** The certificate of the TLS door: made here once and signed by itself, given in files, or Tailscale's. */
import { execFile } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { generate } from "selfsigned";
import * as v from "valibot";
import { readPrivate, writePrivate } from "./files.ts";

/** The longest life that browsers and phones take from a certificate that a person installs by hand. */
const LIFE_DAYS = 825;
/** One that ends sooner is made anew when the host starts. */
const RENEW_DAYS = 60;
const DAY_MS = 86_400_000;
/** How long Tailscale may take to get one signed, in milliseconds. */
const TAILSCALE_MS = 60_000;

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * This host's own, for these names and addresses. The key is made once, for devices pin it; the certificate around it is
 * made anew when it is about to end or lacks a name.
 */
export async function ownCertificate(root: string, names: readonly string[], now: number): Promise<Certificate> {
  const [keyPath, certPath] = [join(root, "tls.key"), join(root, "tls.crt")];
  const key = readPrivate(keyPath) ?? made(keyPath);
  const before = readPrivate(certPath);
  if (before !== undefined && isGood(before, key, names, now)) return { cert: before, key };
  const { cert } = await generate(
    [{ name: "commonName", value: names.find((name) => isIP(name) === 0) ?? "flybridge" }],
    {
      algorithm: "sha256",
      keyType: "ec",
      keyPair: {
        privateKey: key,
        publicKey: createPublicKey(keyFrom(keyPath, key)).export({ type: "spki", format: "pem" }) as string,
      },
      notBeforeDate: new Date(now - DAY_MS),
      notAfterDate: new Date(now + (LIFE_DAYS - 1) * DAY_MS),
      extensions: [
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        {
          name: "subjectAltName",
          altNames: names.map((name) => (isIP(name) ? { type: 7, ip: name } : { type: 2, value: name })),
        },
      ],
    },
  );
  writePrivate(certPath, cert);
  return { cert, key };
}

/** Throws with what is wrong with the files. */
export function givenCertificate(certPath: string, keyPath: string): Certificate {
  const [cert, key] = [certPath, keyPath].map((path) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      throw new Error(`${path} cannot be read: ${(error as Error).message}.`);
    }
  }) as [string, string];
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch {
    throw new Error(`${certPath} is not a certificate in PEM. Give the file with the whole chain, your own first.`);
  }
  if (!certificate.checkPrivateKey(keyFrom(keyPath, key)))
    throw new Error(`${keyPath} is not the key of the certificate in ${certPath}.`);
  return { cert, key };
}

/** Has Tailscale get one for this machine's name in the tailnet. */
export async function tailscaleCertificate(root: string): Promise<Certificate> {
  const tailscale = async (...words: string[]): Promise<string> => {
    try {
      return (await promisify(execFile)("tailscale", words, { timeout: TAILSCALE_MS })).stdout;
    } catch (error) {
      const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
      throw new Error(`tailscale ${words[0]} failed: ${said}`);
    }
  };
  const Status = v.object({ Self: v.object({ DNSName: v.string() }) });
  const name = v.parse(Status, JSON.parse(await tailscale("status", "--json"))).Self.DNSName.replace(/\.$/u, "");
  const [cert, key] = [join(root, "tailscale.crt"), join(root, "tailscale.key")];
  await tailscale("cert", "--cert-file", cert, "--key-file", key, name);
  return givenCertificate(cert, key);
}

/** The names that a certificate is for; of a wildcard nobody knows which. */
export function namesIn({ cert }: Certificate): readonly string[] {
  const { subjectAltName = "" } = new X509Certificate(cert);
  return [...subjectAltName.matchAll(/DNS:([^,*\s]+)/gu)].map(([, name = ""]) => name);
}

function made(path: string): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  writePrivate(path, key);
  return key;
}

function isGood(cert: string, key: string, names: readonly string[], now: number): boolean {
  try {
    const certificate = new X509Certificate(cert);
    return (
      certificate.checkPrivateKey(createPrivateKey(key)) &&
      certificate.validToDate.getTime() - now > RENEW_DAYS * DAY_MS &&
      names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
    );
  } catch {
    // Whatever it is, a new one takes its place; the key is what must not be lost.
    return false;
  }
}

function keyFrom(path: string, pem: string) {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${path} is not a private key in PEM, without a passphrase.`);
  }
}
