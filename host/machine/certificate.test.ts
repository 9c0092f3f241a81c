import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { givenCertificate, namesIn, ownCertificate, tailscaleCertificate } from "./certificate.ts";

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const NAMES = ["192.168.1.5", "fd00::1", "studio", "studio.local"];

describe("a certificate", () => {
  const root = mkdtempSync(join(tmpdir(), "flybridge-certificate-"));
  const fresh = (): string => mkdtempSync(join(root, "state-"));
  after(() => rmSync(root, { recursive: true }));

  it("[A33] [B11] of the host's own is for its names and addresses, and only its owner can read it", async () => {
    const folder = fresh();
    const { cert, key } = await ownCertificate(folder, NAMES, NOW);
    const certificate = new X509Certificate(cert);
    assert.equal(certificate.issuer, certificate.subject);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    for (const name of NAMES.slice(2)) assert.equal(certificate.checkHost(name), name);
    for (const address of NAMES.slice(0, 2)) assert.ok(certificate.checkIP(address));
    assert.equal(certificate.ca, false);
    assert.match(key, /PRIVATE KEY/u);
    for (const file of ["tls.crt", "tls.key"]) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
  });

  it("is used again; around the same key it is made anew for another address, before it ends, or when it is damaged", async () => {
    const folder = fresh();
    const first = await ownCertificate(folder, NAMES, NOW);
    assert.deepEqual(await ownCertificate(folder, NAMES.slice(1), NOW + 700 * DAY_MS), first);
    const moved = await ownCertificate(folder, ["192.168.1.6"], NOW);
    const later = await ownCertificate(folder, ["192.168.1.6"], NOW + 800 * DAY_MS);
    writeFileSync(join(folder, "tls.crt"), "damaged");
    const mended = await ownCertificate(folder, NAMES, NOW);
    assert.equal(new Set([first, moved, later, mended].map(({ cert }) => cert)).size, 4);
    assert.deepEqual(new Set([first, moved, later, mended].map(({ key }) => key)), new Set([first.key]));
    writeFileSync(join(folder, "tls.key"), "damaged");
    await assert.rejects(ownCertificate(folder, NAMES, NOW), /tls\.key is not a private key/u);
  });

  it("of Tailscale's is fetched under this machine's name in the tailnet", async () => {
    const [folder, bin] = [fresh(), fresh()];
    const own = await ownCertificate(fresh(), ["studio.tail.ts.net"], NOW);
    // Stands in for the command, of which it knows the two calls that its manual describes.
    for (const [name, text] of Object.entries(own)) writeFileSync(join(bin, name), text);
    const stand = `#!/bin/sh
case "$1" in
status) echo '{"Self":{"DNSName":"studio.tail.ts.net."}}' ;;
cert) [ "$6" = studio.tail.ts.net ] && cp '${bin}/cert' "$3" && cp '${bin}/key' "$5" ;;
esac`;
    writeFileSync(join(bin, "tailscale"), stand, { mode: 0o700 });
    const { PATH } = process.env;
    try {
      process.env["PATH"] = `${bin}:${PATH}`;
      assert.deepEqual(await tailscaleCertificate(folder), own);
      writeFileSync(join(bin, "tailscale"), "#!/bin/sh\necho HTTPS is not enabled >&2; exit 1", { mode: 0o700 });
      await assert.rejects(tailscaleCertificate(folder), /tailscale status failed: HTTPS is not enabled/u);
    } finally {
      process.env["PATH"] = PATH;
    }
  });

  it("[E45] of the person's own is taken when it and its key belong together", async () => {
    const [folder, other] = [fresh(), fresh()];
    const own = await ownCertificate(folder, NAMES, NOW);
    await ownCertificate(other, NAMES, NOW);
    const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
    assert.deepEqual(givenCertificate(cert, key), own);
    assert.deepEqual(namesIn(own), ["studio", "studio.local"]);
    assert.throws(() => givenCertificate(cert, join(other, "tls.key")), /is not the key of the certificate/u);
    assert.throws(() => givenCertificate(key, key), /is not a certificate in PEM/u);
    assert.throws(() => givenCertificate(cert, cert), /is not a private key in PEM/u);
    assert.throws(() => givenCertificate(join(folder, "gone"), key), /gone cannot be read/u);
  });
});
