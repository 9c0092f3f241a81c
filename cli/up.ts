/** `flybridge up`: starts the host of this machine, or says that it runs, and shows how to pair. */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CallError } from "@flybridge/protocol/error.ts";
import { iceServerFrom } from "@flybridge/protocol/direct.ts";
import { DEFAULT_PORT, type OfferMade } from "@flybridge/protocol/offer.ts";
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { showInBrowser } from "./browser.ts";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";
import { DIGITS_HINT, invitationLines } from "./invitation.ts";
import { answers, ask, connectHost, type LocalHost } from "./local.ts";
import { isHeld, notedPid } from "./lock.ts";
import { tellPaired } from "./paired.ts";
import { readShellFile, type State, stateOf } from "./shell-file.ts";
import { follow, type Started, startHost } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { settleAll } from "./waiting.ts";

/** How long the host of another `up` may take to listen, and how often we look, in milliseconds. */
const JOIN_MS = 15_000;
const LOOK_MS = 100;
/** Devices that come from elsewhere, all, or none. */
const CONFIRM = ["remote", "always", "never"] as const;
const HOST_MAIN = fileURLToPath(import.meta.resolve("../host/main.ts"));

export default command({
  name: "up",
  about: "Starts the host on this machine and shows how to pair a device with it.",
  flags: {
    foreground: { type: "boolean", about: "stay here, end the host with Ctrl-C; agents go on" },
    port: {
      type: "string",
      value: "PORT",
      about: `of the app on loopback, and of the TLS door with --bind; ${DEFAULT_PORT} if not given, 0 for any free one`,
    },
    bind: {
      type: "string",
      value: "ADDRESS",
      about: "serve this address over TLS as well, 0.0.0.0 for all; without it, nothing beyond this machine",
    },
    cert: {
      type: "string",
      value: "FILE",
      about: "with --bind: your certificate, PEM, instead of one of the host's own",
    },
    key: { type: "string", value: "FILE", about: "its key" },
    tailscale: { type: "boolean", about: "with --bind: the certificate that Tailscale gets for this machine" },
    "no-mdns": { type: "boolean", about: "with --bind: do not tell the local network that a host is here" },
    name: { type: "string", value: "NAME", about: "what devices call this host" },
    origin: {
      type: "string",
      multiple: true,
      value: "URL",
      about: "an https origin that leads here, as devices see it",
    },
    relay: {
      type: "string",
      multiple: true,
      value: "URL",
      about: "a relay to be reached by from anywhere; kept until flybridge remote remove",
    },
    ice: {
      type: "string",
      multiple: true,
      value: "SERVER",
      about:
        "stun:HOST:PORT, for devices to come directly from other networks; @FILE holds such lines, and turn: with its password",
    },
    "no-direct": { type: "boolean", about: "by relays and proxies only: devices learn no address of this machine" },
    confirm: {
      type: "string",
      value: "WHEN",
      about: `when you let a new device of yours in by its digits: ${CONFIRM.join(", ")}; ${CONFIRM[0]} if not given`,
    },
    "no-open": { type: "boolean", about: "do not open the browser" },
  },
  examples: [
    ["flybridge up", "start in the background"],
    ["flybridge up --foreground", "start here, Ctrl-C ends it"],
    ["flybridge up --bind 0.0.0.0", "for phones on the same network, with a certificate of its own"],
    ["flybridge up --relay https://relay.example", "from anywhere, by a relay"],
    ["flybridge up --origin https://studio.example.ts.net", "behind a proxy of yours, for the phone"],
  ],
  async run(_words, flags, terminal) {
    const { port, name, origin = [], relay = [], confirm } = flags;
    const args = [
      ...(port === undefined ? [] : ["--port", portFrom(port)]),
      ...(name === undefined ? [] : ["--name", name]),
      ...origin.flatMap((one) => ["--origin", one]),
      ...relay.flatMap((one) => ["--relay", relayFrom(one)]),
      ...(flags.ice ?? []).flatMap((one) => ["--ice", iceFrom(one)]),
      ...(flags["no-direct"] ? ["--no-direct"] : []),
      ...(confirm === undefined ? [] : ["--confirm", confirmFrom(confirm)]),
      ...bindWords(flags),
    ];
    const state = stateOf(terminal.env);
    const isUp = await isRunning(state);
    const started = isUp ? undefined : await startOrJoin(state, args, flags.foreground === true, terminal);
    const isForeground = started !== undefined && flags.foreground === true;
    try {
      using host = await connectHost(terminal.env);
      const offer = await offerFor(host, terminal);
      await banner(host, state, started, offer, terminal);
      if (flags["no-open"] !== true && !terminal.json) await openApp(host, state, started, terminal);
      if (!isForeground) return terminal.print(DIGITS_HINT);
      // Both end with the host, which is what is waited for.
      for (const service of [tellPaired, settleAll]) service(host, terminal).catch(() => {});
      return await follow(started);
    } catch (error) {
      // Told to end while it was being introduced: that is an end, not a fault.
      if (isForeground && started.child.killed) return await follow(started);
      if (isForeground) started.child.kill();
      throw error;
    }
  },
});

/** A damaged shell file is of no matter to a host that starts, which writes it anew; one that runs does not see it. */
async function isRunning(state: State): Promise<boolean> {
  if (!isHeld(state)) return false;
  const file = readShellFile(state.shell);
  return file !== undefined && (await answers(file.socket));
}

/** Undefined when another `up` was quicker: then its host is the one. */
async function startOrJoin(
  state: State,
  args: readonly string[],
  foreground: boolean,
  terminal: Terminal,
): Promise<Started | undefined> {
  if (terminal.interactive) terminal.note("Starting the host…");
  try {
    return await startHost({ main: HOST_MAIN, args, foreground, log: state.log, env: terminal.env });
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "taken") throw error;
    const patience = Date.now() + JOIN_MS;
    while (!(await isRunning(state))) {
      if (Date.now() > patience) throw error;
      await setTimeout(LOOK_MS);
    }
    return undefined;
  }
}

async function offerFor(host: LocalHost, terminal: Terminal): Promise<OfferMade | undefined> {
  try {
    return await host.intend("offer.make", {});
  } catch (error) {
    if (!(error instanceof CallError) || error.code !== "too_many") throw error;
    terminal.note(error.message);
    return undefined;
  }
}

async function banner(
  host: LocalHost,
  state: State,
  started: Started | undefined,
  offer: OfferMade | undefined,
  terminal: Terminal,
): Promise<void> {
  const { version, name, host: id } = await ask(host, host.replica.call("host.read", {}));
  const pid = started?.pid ?? notedPid(state);
  const address = started ? `http://127.0.0.1:${started.port}` : offer && new URL(offer.link).origin;
  const tls = started?.tls;
  terminal.emit({ running: true, started: started !== undefined, pid, address, tls, version, name, host: id, offer });
  const { print, style } = terminal;
  print(
    `${style.bold("Flybridge")} ${visibleLine(version)}${started ? "" : `: a host is already running${pid === undefined ? "" : ` (process ${pid})`}`}`,
  );
  if (tls)
    print(
      `listening on ${style.link(`wss://${tls.address.includes(":") ? `[${tls.address}]` : tls.address}:${tls.port}`)}`,
    );
  if (address !== undefined) print(`listening on ${style.link(address)}`);
  print(`Name: ${visibleLine(name)}`);
  if (tls) print(`Certificate: ${tls.fingerprint}`);
  print();
  if (offer)
    for (const line of invitationLines(offer, { now: Date.now(), columns: terminal.columns, style })) print(line);
}

/** With an invitation of its own, so that the one that is shown stays for the phone; without one when a desktop has paired before. */
async function openApp(host: LocalHost, state: State, started: Started | undefined, terminal: Terminal): Promise<void> {
  if (!started || !terminal.interactive) return;
  const { devices } = await ask(host, host.replica.call("device.list", {}));
  const isPaired = devices.some(({ kind }) => kind === "desktop");
  const here = `http://127.0.0.1:${started.port}/`;
  const link = isPaired ? here : (await offerFor(host, terminal))?.link;
  // Here nobody has to look past the warning of a certificate.
  const shown = started.tls && link?.replace(/^https:\/\/[^/]+\//u, here);
  if (link !== undefined && showInBrowser(shown ?? link, state.door, terminal.env))
    terminal.print(terminal.style.dim("The app opens in your browser."));
}

/** Throws a usage fault for what has no meaning together. */
function bindWords(flags: {
  readonly bind?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly tailscale?: boolean;
  readonly "no-mdns"?: boolean;
}): string[] {
  const { bind, cert, key, tailscale } = flags;
  if (bind === undefined) {
    const alone = (["cert", "key", "tailscale", "no-mdns"] as const).find((name) => flags[name] !== undefined);
    if (alone) throw usage(`--${alone} is about the door that --bind opens. Give --bind ADDRESS too, 0.0.0.0 for all.`);
    return [];
  }
  if (isIP(bind) === 0)
    throw usage(`--bind ${bind} is not an address. Give one of this machine's, or 0.0.0.0 for all.`);
  if ((cert === undefined) !== (key === undefined))
    throw usage("--cert and --key go together: a certificate and its key.");
  if (cert !== undefined && tailscale) throw usage("Give --cert and --key, or --tailscale, not both.");
  return [
    "--bind",
    bind,
    ...(cert !== undefined && key !== undefined ? ["--cert", resolve(cert), "--key", resolve(key)] : []),
    ...(tailscale ? ["--tailscale"] : []),
    ...(flags["no-mdns"] ? ["--no-mdns"] : []),
  ];
}

function portFrom(text: string): string {
  if (/^\d{1,5}$/u.test(text) && Number(text) <= 65_535) return text;
  throw usage(`--port ${text} is not a number from 0 to 65535.`);
}

/** A file's path whole, since the host may run in another folder. */
function iceFrom(text: string): string {
  if (text.startsWith("@")) return `@${resolve(text.slice(1))}`;
  const server = iceServerFrom(text);
  if (server?.credential !== undefined)
    throw usage(
      "--ice: a password on a command line is seen by every program here. Put the line into a file: --ice @FILE.",
    );
  if (!server) throw usage(`--ice ${text} is not like stun:stun.example:3478, nor @FILE.`);
  return text;
}

function relayFrom(text: string): string {
  try {
    return relayOriginFrom(text);
  } catch (error) {
    if (error instanceof OriginError) throw usage(`--relay ${text}: ${error.message}`);
    throw error;
  }
}

function confirmFrom(text: string): string {
  const found = CONFIRM.find((one) => one === text);
  if (found) return found;
  throw usage(`--confirm ${text} is none of ${CONFIRM.join(", ")}.`);
}
