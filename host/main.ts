/** The host as a process: reads its arguments, starts, says so in one line, and owns the shutdown. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type IceServer, iceServerFrom, MAX_ICE_SERVERS } from "@flybridge/protocol/direct.ts";
import { DEFAULT_PORT } from "@flybridge/protocol/offer.ts";
import { relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import pino from "pino";
import { agentsIn } from "./agents/catalogue.ts";
import { type HostOptions, startHost, VERSION } from "./host.ts";
import { privateFolder } from "./machine/files.ts";
import { HomeTaken, homeOf } from "./machine/home.ts";
import type { Bind } from "./ways.ts";

const EXIT_FAILED = 1;
const EXIT_TAKEN = 2;
/** Of a log that cannot be written, what is kept until it can. */
const MAX_UNLOGGED_BYTES = 64 * 1024;
/** Errors of the file system that a person can do something about (errno(3)). */
const UNUSABLE: ReadonlySet<string> = new Set(["EACCES", "EIO", "ENOENT", "ENOSPC", "ENOTDIR", "EPERM", "EROFS"]);

async function main(): Promise<void> {
  const umask = process.umask(0o077);
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: String(DEFAULT_PORT) },
      name: { type: "string" },
      origin: { type: "string", multiple: true, default: [] },
      relay: { type: "string", multiple: true, default: [] },
      ice: { type: "string", multiple: true, default: [] },
      "no-direct": { type: "boolean", default: false },
      confirm: { type: "string", default: "remote" },
      bind: { type: "string" },
      cert: { type: "string" },
      key: { type: "string" },
      tailscale: { type: "boolean", default: false },
      "no-mdns": { type: "boolean", default: false },
      app: { type: "string", default: join(import.meta.dirname, "..", "web", "dist") },
      version: { type: "boolean", default: false },
    },
  });
  // By then all of the host is loaded, and compiled into the cache that NODE_COMPILE_CACHE names.
  if (values.version) {
    process.stdout.write(`${VERSION}\n`);
    return;
  }
  const home = homeOf(process.env);
  const logs = join(home.root, "log");
  privateFolder(home.root);
  privateFolder(logs);
  const destination = pino.destination({
    dest: join(logs, "host.log"),
    mode: 0o600,
    sync: true,
    maxLength: MAX_UNLOGGED_BYTES,
  });
  // On a full disk there is nowhere to say so; the host goes on, and tells its devices.
  destination.on("error", () => {});
  const log = pino({ base: { pid: process.pid } }, destination);
  const host = await startHost({
    home,
    port: portFrom(values.port),
    bind: bindFrom(values),
    name: values.name,
    origins: values.origin.map(originFrom),
    direct: !values["no-direct"],
    ice: values.ice.flatMap(iceFrom).slice(0, MAX_ICE_SERVERS),
    relays: values.relay.map(relayOriginFrom),
    // Not an argument: those are seen by everybody on the machine.
    invitation: process.env["FLYBRIDGE_INVITATION"],
    confirm: confirmFrom(values.confirm),
    app: values.app,
    agents: agentsIn(home.root),
    env: process.env,
    umask,
    log,
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void host.stop(false));
  log.info({ port: host.port, ...host.tls, host: host.id }, "ready");
  process.stdout.write(
    `${JSON.stringify({ ready: true, pid: process.pid, port: host.port, tls: host.tls, host: host.id, socket: home.socket })}\n`,
  );
  await host.ended;
  log.info({}, "ended");
}

function portFrom(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/u.test(text) && port <= 65_535) return port;
  throw new Error(`--port ${text} is not a number from 0 to 65535.`);
}

/** One server, or, after an `@`, the path of a file with one in each line: a password is no argument. */
function iceFrom(text: string): IceServer[] {
  const lines = text.startsWith("@") ? readFileSync(text.slice(1), "utf8").split("\n") : [text];
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const server = iceServerFrom(line);
      if (server) return server;
      // The line may hold a password, which is not for a log.
      throw new Error(
        `--ice ${text} is not, or holds a line that is not, like stun:stun.example:3478 or turn:name:password@turn.example:3478.`,
      );
    });
}

function confirmFrom(text: string): HostOptions["confirm"] {
  if (text === "remote" || text === "always" || text === "never") return text;
  throw new Error(`--confirm ${text} is none of remote, always and never.`);
}

function bindFrom(given: {
  bind?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  tailscale: boolean;
  "no-mdns": boolean;
}): Bind | undefined {
  const { bind, cert, key, tailscale } = given;
  if (bind === undefined) return undefined;
  if (isIP(bind) === 0)
    throw new Error(`--bind ${bind} is not an address. Give one of this machine's own, or 0.0.0.0 for all.`);
  const files = cert !== undefined && key !== undefined;
  return {
    address: bind,
    certificate: files ? { kind: "files", cert, key } : { kind: tailscale ? "tailscale" : "own" },
    mdns: !given["no-mdns"],
  };
}

function originFrom(text: string): string {
  const url = URL.parse(text);
  if (url && url.protocol === "https:" && url.pathname === "/") return url.origin;
  throw new Error(`--origin ${text} is not the origin of an https page, like https://studio.example.ts.net.`);
}

/** What the file system says of the state folder says not how to mend it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = "" } = error as NodeJS.ErrnoException;
  if (!UNUSABLE.has(code)) return error.message;
  return `${error.message}. Flybridge keeps its state in ${homeOf(process.env).root}: see that there is room and that it can be written, or point FLYBRIDGE_HOME at another folder.`;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(error instanceof HomeTaken ? EXIT_TAKEN : EXIT_FAILED);
}
