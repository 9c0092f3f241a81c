/** Where PostgreSQL is: beyond this machine by TLS only, with a certificate that is checked, whatever the URL says of it. */
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { StoreError } from "./database.ts";

/** `sslmode`s that ask for TLS. Others of libpq's are content without it, or with anybody's certificate. */
const SEALED_MODES = new Set(["require", "verify-ca", "verify-full"]);

/** Throws `StoreError("broken")`, in words that show nothing of the URL but its host. */
export function sealedUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^postgres(?:ql)?:$/u.test(url.protocol))
    throw new StoreError(
      "broken",
      "DATABASE_URL has to be an address like postgres://user:password@host:5432/database.",
    );
  const { searchParams: params } = url;
  // As `pg` chooses among them.
  const host = params.getAll("host").at(-1) || decodeURIComponent(url.hostname) || process.env["PGHOST"] || "localhost";
  if (host.startsWith("/") || isLoopback(host.replace(/^\[|\]$/gu, ""))) return text;
  const mode = params.getAll("sslmode").at(-1) ?? "verify-full";
  const ssl = params.getAll("ssl").at(-1) ?? "true";
  if (!SEALED_MODES.has(mode) || !/^(?:true|1)$/u.test(ssl))
    throw new StoreError(
      "broken",
      `The database at ${host} is beyond this machine, and nothing goes there in the clear or to somebody unknown: give DATABASE_URL sslmode=verify-full, and sslrootcert=FILE for a certificate authority of your own.`,
    );
  params.delete("ssl");
  params.delete("uselibpqcompat");
  params.set("sslmode", "verify-full");
  return url.href;
}
