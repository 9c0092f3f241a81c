/** The ways in over a network: the loopback door always, beside it a TLS door where the person bound one. */
import { X509Certificate } from "node:crypto";
import { hostname } from "node:os";
import { fingerprintOf } from "@flybridge/transport/tls-node.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { type Address, type Connection, MAX_ADDRESSES } from "@flybridge/protocol/offer.ts";
import type { Gate } from "./doors/gate.ts";
import { LOOPBACK, openLoopback } from "./doors/loopback.ts";
import { openTls } from "./doors/tls.ts";
import { addressesOf, inUrl, takesInLoopback } from "./machine/addresses.ts";
import {
  type Certificate,
  givenCertificate,
  namesIn,
  ownCertificate,
  tailscaleCertificate,
} from "./machine/certificate.ts";
import { advertise, shortHostname } from "./machine/mdns.ts";

/** The TLS door that is wanted. */
export interface Bind {
  readonly address: string;
  /** `files` are paths of PEM. */
  readonly certificate: { readonly kind: "own" | "tailscale" } | { readonly kind: "files"; cert: string; key: string };
  readonly mdns: boolean;
}

export interface Ways extends AsyncDisposable {
  /** Where the app is on this machine's loopback. */
  readonly port: number;
  readonly tls?: { readonly address: string; readonly port: number; readonly fingerprint: string };
  /** Where devices reach this host now, best first, and the origin under which they find its app. */
  reach(): {
    readonly addresses: Connection["addresses"];
    readonly origin: string;
    /** Whether they mean anything beyond this machine. */
    readonly isRemote: boolean;
  };
}

/** Rejects with an error that says how to mend it; then nothing is left open. */
export async function openWays(options: {
  readonly bind?: Bind | undefined;
  readonly port: number;
  /** Under which proxies of the person's own show the loopback door. */
  readonly origins: readonly string[];
  readonly app: string;
  readonly gate: Gate;
  /** Relays by which the page may come back, as `wss://…`. */
  connect(): readonly string[];
  /** The state folder. */
  readonly root: string;
  readonly host: { readonly id: HostId; readonly name: string; readonly version: string };
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}): Promise<Ways> {
  const { bind, origins, app, gate, host, log } = options;
  const proxies = origins.map((origin) => addressIn(origin));
  if (!bind) {
    const door = await openLoopback(options);
    const here = { host: LOOPBACK, port: door.port };
    return {
      port: door.port,
      reach: () => ({
        addresses: [proxies[0] ?? here],
        origin: origins[0] ?? `http://${LOOPBACK}:${door.port}`,
        isRemote: proxies.length > 0,
      }),
      [Symbol.asyncDispose]: () => door[Symbol.asyncDispose](),
    };
  }

  await using held = new AsyncDisposableStack();
  const { address } = bind;
  const isLoopbackToo = takesInLoopback(address);
  const local = isLoopbackToo ? [LOOPBACK, "::1", "localhost"] : [];
  const names = [hostname(), `${shortHostname()}.local`];
  const certificate = await certificateFor(
    bind,
    options.root,
    [...addressesOf(address), ...names, ...local],
    options.now(),
  );
  // What somebody else signed for is what a browser takes without a warning.
  const signed = bind.certificate.kind === "own" ? [] : namesIn(certificate);
  const door = held.use(
    await openTls({
      address,
      port: options.port,
      certificate,
      isLoopbackToo,
      names: () => [...addressesOf(address), ...names, ...signed, ...local].map(inUrl),
      origins,
      app,
      gate,
      connect: options.connect,
    }),
  );
  const { port } = door;
  const fingerprint = fingerprintOf(new X509Certificate(certificate.cert));
  if (!isLoopbackToo) held.use(await openLoopback({ ...options, port }));
  if (bind.mdns && !isLoopback(address)) {
    const network = address === "0.0.0.0" || address === "::" ? undefined : address;
    const failed = (error: Error): void => log("the local network could not be told", { error: error.message });
    held.use(advertise({ ...host, host: host.id, port, network, failed }));
  }
  const open = held.move();
  return {
    port,
    tls: { address, port, fingerprint },
    reach() {
      const own = [...signed, ...addressesOf(address)].map((name) => ({ host: name, port }));
      const [first = { host: LOOPBACK, port }, ...more] = [...proxies, ...own].slice(0, MAX_ADDRESSES);
      return {
        addresses: [first, ...more],
        origin: origins[0] ?? `https://${inUrl(first.host)}:${port}`,
        isRemote: true,
      };
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function certificateFor(
  { certificate }: Bind,
  root: string,
  names: readonly string[],
  now: number,
): Promise<Certificate> | Certificate {
  switch (certificate.kind) {
    case "own":
      return ownCertificate(root, names, now);
    case "tailscale":
      return tailscaleCertificate(root);
    case "files":
      return givenCertificate(certificate.cert, certificate.key);
  }
}

function addressIn(origin: string): Address {
  const { hostname: host, port, protocol } = new URL(origin);
  const standard = protocol === "https:" ? 443 : 80;
  return { host: host.replace(/^\[|\]$/gu, ""), port: port === "" ? standard : Number(port) };
}
