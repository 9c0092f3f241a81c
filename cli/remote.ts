/** `flybridge remote`: the relays by which this host is reached from anywhere. */
import { isCancel, password } from "@clack/prompts";
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import type { HostRelay } from "@flybridge/protocol/relays.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { setTimeout } from "node:timers/promises";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";
import { fileText } from "./input.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import type { Terminal } from "./terminal.ts";
import { ago } from "./time.ts";

/** Milliseconds that `add` waits to say how it went, and between looks. */
const SETTLE_MS = 15_000;
const LOOK_MS = 200;

export default command({
  name: "remote",
  about: "The relays by which this host is reached from anywhere.",
  words: [
    {
      name: "add|remove|distrust",
      about: "take one on, give it up, or let no further devices of its account in; without it, they are listed",
    },
    { name: "URL", about: "of the relay, https://relay.example" },
  ],
  flags: {
    "invitation-file": {
      type: "string",
      value: "FILE",
      about: "with add: holds the invitation, - for standard input; asked for in a terminal where it is needed",
    },
  },
  examples: [
    ["flybridge remote", "which there are, and how each fares"],
    ["flybridge remote add https://relay.example", "be reached by it, also after a restart"],
    ["flybridge remote remove https://relay.example", "no longer"],
    ["flybridge remote distrust https://relay.example", "keep the relay, and let no new devices of an account in"],
  ],
  async run([verb, url], flags, terminal) {
    if (verb !== undefined && verb !== "add" && verb !== "remove" && verb !== "distrust")
      throw usage(`${visibleLine(verb)} is none of add, remove and distrust.`);
    const file = flags["invitation-file"];
    if (file !== undefined && verb !== "add") throw usage("--invitation-file is about: flybridge remote add URL");
    if (verb !== undefined && url === undefined)
      throw usage(`Name the relay: flybridge remote ${verb} https://relay.example`);
    using host = await connectHost(terminal.env);
    if (verb === undefined) return show(await relaysOf(host), terminal);
    const origin = originFrom(url ?? "");
    if (verb === "add")
      return await add(host, origin, file === undefined ? undefined : fileText(file).trim(), terminal);
    const relay = (await relaysOf(host)).find((one) => one.origin === origin);
    if (!relay) throw new Fault("not_found", `This host does not use ${origin}. flybridge remote lists those it does.`);
    if (verb === "remove") {
      await host.intend("relay.remove", { origin });
      terminal.emit({ removed: origin });
      return terminal.print(`This host is no longer reached by ${origin}.`);
    }
    if (relay.account === undefined) throw new Fault("not_found", `No account at ${origin} is trusted here.`);
    await host.intend("account.distrust", { origin });
    terminal.emit({ distrusted: origin });
    terminal.print(`No further device of the account at ${origin} is let in.`);
    terminal.note("Those that are in stay: flybridge devices, and flybridge revoke for each that should not.");
  },
});

async function add(host: LocalHost, origin: string, invitation: string | undefined, terminal: Terminal): Promise<void> {
  await host.intend("relay.add", { origin, ...(invitation === undefined ? {} : { invitation }) });
  const relay = await settled(host, origin);
  const { status } = relay;
  if (status.kind === "live") {
    terminal.emit(relay);
    return terminal.print(`This host is reached by ${origin}. Pair a device with: flybridge pair`);
  }
  if (
    status.kind === "refused" &&
    status.code === "not_registered" &&
    invitation === undefined &&
    terminal.interactive
  ) {
    const typed = await password({ message: `${origin} lets in who was invited. The invitation:` });
    if (isCancel(typed) || typed.trim() === "")
      throw new Fault("cancelled", `It stays unregistered. Try again with: flybridge remote add ${origin}`);
    return add(host, origin, typed.trim(), terminal);
  }
  if (status.kind === "refused") throw new Fault("refused", status.reason);
  const why = status.kind === "away" ? ` ${status.reason}` : "";
  throw new Fault("no_answer", `${origin} does not answer yet; the host goes on trying.${why}`);
}

async function settled(host: LocalHost, origin: string): Promise<HostRelay> {
  const patience = Date.now() + SETTLE_MS;
  for (;;) {
    const relay = (await relaysOf(host)).find((one) => one.origin === origin);
    if (!relay) throw new Fault("not_found", `This host does not use ${origin} any more.`);
    if (relay.status.kind !== "connecting" || Date.now() > patience) return relay;
    await setTimeout(LOOK_MS);
  }
}

async function relaysOf(host: LocalHost): Promise<readonly HostRelay[]> {
  return (await ask(host, host.replica.call("relay.list", {}))).relays;
}

function show(relays: readonly HostRelay[], terminal: Terminal): void {
  if (relays.length === 0)
    terminal.note("This host uses no relay. Add one with: flybridge remote add https://relay.example");
  for (const relay of relays) {
    terminal.emit(relay);
    terminal.print(`${relay.origin}   ${statusText(relay)}`);
  }
}

function statusText({ status, account }: HostRelay): string {
  return `${fareText(status)}${account === undefined ? "" : " · lets its account's devices in"}`;
}

function fareText(status: HostRelay["status"]): string {
  const now = Date.now();
  switch (status.kind) {
    case "connecting":
      return "connecting";
    case "live":
      return `connected, since ${ago(status.since, now)}`;
    case "away":
      return `away since ${ago(status.since, now)}: ${visibleLine(status.reason)}`;
    case "refused":
      return `refused: ${visibleLine(status.reason)}`;
  }
}

function originFrom(text: string): string {
  try {
    return relayOriginFrom(text);
  } catch (error) {
    if (error instanceof OriginError) throw usage(error.message);
    throw error;
  }
}
