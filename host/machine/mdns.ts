/** Tells the local network that a host is here (RFC 6762, 6763), so that devices can list it. Nothing in it opens anything. */
import type { EventEmitter } from "node:events";
import { hostname } from "node:os";
import Bonjour from "bonjour-service";

const SERVICE = "flybridge";
/** Characters of the host id that tell two hosts of one name apart. */
const ID_CHARS = 7;
/** Bytes of one label (RFC 1035 §2.3.4). */
const LABEL_BYTES = 63;

/** `network`: the address of the one network to tell; all of them when undefined. */
export function advertise(told: {
  readonly name: string;
  readonly host: string;
  readonly version: string;
  readonly port: number;
  readonly network: string | undefined;
  failed(error: Error): void;
}): AsyncDisposable {
  const { name, version, port, network, failed } = told;
  const host = told.host.slice(0, ID_CHARS);
  const where = network === undefined ? {} : { interface: network, bind: "0.0.0.0" };
  const mdns = new Bonjour(where as never, failed);
  // What its socket says, it hands to nobody, and a host must not end of it.
  const { server } = mdns as unknown as { readonly server: { readonly mdns: EventEmitter } };
  server.mdns.once("error", (error: Error) => {
    failed(error);
    server.mdns.on("error", () => {});
  });
  mdns.publish({
    name: `${withinBytes(name, LABEL_BYTES - ID_CHARS - 1)} ${host}`,
    type: SERVICE,
    port,
    host: `${shortHostname()}.local`,
    txt: { name, host, version },
    // No two hosts have this name.
    probe: false,
  });
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => mdns.unpublishAll(() => mdns.destroy(() => resolve()))),
  };
}

export function shortHostname(): string {
  return hostname().split(".")[0] ?? "host";
}

function withinBytes(text: string, bytes: number): string {
  let kept = text;
  while (Buffer.byteLength(kept) > bytes) kept = kept.slice(0, -1);
  return kept;
}
