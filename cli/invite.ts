/** Showing an invitation and waiting until it was used, which Ctrl-C takes back. */
import { setTimeout } from "node:timers/promises";
import type { HostView } from "@flybridge/client/replica.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { OfferMade } from "@flybridge/protocol/offer-made.ts";
import { Fault } from "./fault.ts";
import { invitationLines } from "./invitation.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import { type Paired, pairedNow, pairedSince } from "./paired.ts";
import type { Terminal } from "./terminal.ts";
import { countdown } from "./time.ts";
import { decided, firstWaiting, settle } from "./waiting.ts";
import { until } from "./watch.ts";

const TICK_MS = 1_000;

export interface Invitation {
  readonly offer: OfferMade;
  /** Of its JSON line, beside the offer. */
  readonly facts?: object;
  /** What it allows, after the lines that every invitation has. */
  readonly lines?: readonly string[];
  /** Said when this device has used it. */
  used(device: Device): string;
}

/** `again` is the command that shows another one. */
export async function invite(
  terminal: Terminal,
  options: { readonly again: string; readonly wait: boolean },
  make: (host: LocalHost) => Promise<Invitation>,
): Promise<void> {
  const stop = new AbortController();
  // Before the offer is made: from then on, leaving takes it back.
  const interrupted = (): void => stop.abort(new Fault("cancelled", "Withdrawn: the link no longer pairs."));
  process.once("SIGINT", interrupted);
  try {
    using host = await connectHost(terminal.env);
    const before = await pairedNow(host);
    const { offer, facts, lines = [], used } = await make(host);
    terminal.emit({ offer, ...facts });
    const shown = { now: Date.now(), columns: terminal.columns, style: terminal.style };
    for (const line of [...invitationLines(offer, shown), ...lines]) terminal.print(line);
    if (!options.wait) return;
    const device = await untilUsed(host, { offer, before, terminal, again: options.again, signal: stop.signal });
    terminal.print(used(device));
    terminal.emit({ paired: device });
  } finally {
    process.off("SIGINT", interrupted);
  }
}

interface Awaited {
  readonly offer: OfferMade;
  /** Whoever was here before it was made. */
  readonly before: Paired;
  readonly terminal: Terminal;
  readonly again: string;
  readonly signal: AbortSignal;
}

async function untilUsed(host: LocalHost, awaited: Awaited): Promise<Device> {
  const { offer, terminal, signal } = awaited;
  const { view } = host.replica;
  let { before } = awaited;
  let isUsed = false;
  try {
    for (;;) {
      const seen = sightOf(view.value);
      const now = await pairedNow(host);
      // Whoever is here while it can still be used did not use it.
      isUsed = !(await isOpen(host, offer));
      if (!isUsed) before = now;
      else {
        const device = await usedBy(host, before, awaited);
        if (device) return device;
      }
      const waiting = firstWaiting(view.value);
      if (waiting) await settle(host, waiting, terminal, signal);
      else await somethingNew(host, seen, awaited);
    }
  } catch (error) {
    if (signal.aborted) {
      await host.intend("offer.withdraw", { offer: offer.offer });
      const waiting = isUsed ? firstWaiting(view.value) : undefined;
      if (waiting) await decided(host, waiting, undefined);
    }
    throw error;
  }
}

/** Resolves when a device or the session looks otherwise than `seen`, or the offer's time is up. */
async function somethingNew(host: LocalHost, seen: string, { offer, terminal, signal }: Awaited): Promise<void> {
  const enough = new AbortController();
  const end = AbortSignal.any([signal, enough.signal]);
  const endCountdown = terminal.interactive ? showCountdown(offer.expires, terminal) : () => {};
  try {
    await Promise.race([
      until(host.replica.view, (view) => (sightOf(view) === seen ? undefined : true), end),
      setTimeout(Math.max(0, offer.expires - Date.now()), undefined, { signal: end }),
      host.lost,
    ]);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    enough.abort();
    endCountdown();
  }
}

async function isOpen(host: LocalHost, { offer }: OfferMade): Promise<boolean> {
  const { offers } = await ask(host, host.replica.call("offer.list", {}));
  return offers.some((open) => open.offer === offer);
}

/** Of an offer that is over, the device that used it; undefined while one waits to be let in. */
async function usedBy(host: LocalHost, before: Paired, { offer, again }: Awaited): Promise<Device | undefined> {
  // In this order: who is let in stops waiting and is a device at one stroke.
  const { pairings } = await ask(host, host.replica.call("pairing.list", {}));
  const device = await pairedSince(host, before);
  if (device || pairings.length > 0) return device;
  if (Date.now() >= offer.expires) throw new Fault("expired", `Nobody paired in time. Show a new link with ${again}.`);
  throw new Fault(
    "refused",
    `Nobody was let in: the device was turned away or gave up, or the invitation was withdrawn. Show a new link with ${again}.`,
  );
}

/** What may tell that the offer was used, or is over. */
function sightOf({ devices, pairings, sessions }: HostView): string {
  return JSON.stringify([
    Object.values(devices).map(({ device, paired }) => [device, paired]),
    Object.keys(pairings),
    Object.values(sessions).map(({ session, status }) => [session, status.kind === "ended"]),
  ]);
}

/** On a line of its own, written over each second; the returned function removes it. */
function showCountdown(expires: number, terminal: Terminal): () => void {
  const show = (): void =>
    terminal.write(
      `\r\u001b[K${terminal.style.dim(`Waiting for the device · ${countdown(expires - Date.now())} · Ctrl-C withdraws`)}`,
    );
  show();
  const timer = setInterval(show, TICK_MS);
  return () => {
    clearInterval(timer);
    terminal.write("\r\u001b[K");
  };
}
