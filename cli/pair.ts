/** `flybridge pair`: one new device. */
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { MAX_OFFER_MS } from "@flybridge/protocol/limits.ts";
import type { OfferMade } from "@flybridge/protocol/offer.ts";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";
import { devicesNow, invitationLines, nextDevice, pairedText } from "./invitation.ts";
import { connectHost, type LocalHost } from "./local.ts";
import type { Terminal } from "./terminal.ts";
import { countdown } from "./time.ts";

const TICK_MS = 1_000;

export default command({
  name: "pair",
  about: "Shows a QR, a link and a connection string that pair one new device, and waits until it has.",
  flags: {
    life: { type: "string", value: "SECONDS", about: `how long they work; at most ${MAX_OFFER_MS / 1_000}` },
    "no-wait": { type: "boolean", about: "print them and leave; they go on working" },
  },
  examples: [
    ["flybridge pair", "show the QR, wait for the phone"],
    ["flybridge pair --life 60", "only for the next minute"],
    ["flybridge pair --no-wait --json", "the connection string, for a script"],
  ],
  async run(_words, flags, terminal) {
    const life = flags.life === undefined ? undefined : lifeFrom(flags.life);
    const stop = new AbortController();
    // Before the offer is made: from then on, leaving takes it back.
    const interrupted = (): void => stop.abort(new Fault("cancelled", "Withdrawn: the link no longer pairs."));
    process.once("SIGINT", interrupted);
    try {
      using host = await connectHost(terminal.env);
      const before = await devicesNow(host);
      const offer = await host.intend("offer.make", life === undefined ? {} : { life });
      terminal.emit({ offer });
      const shown = { now: Date.now(), columns: terminal.columns, style: terminal.style };
      for (const line of invitationLines(offer, shown)) terminal.print(line);
      if (flags["no-wait"] !== true) await waitForDevice(host, offer, before, stop, terminal);
    } finally {
      process.off("SIGINT", interrupted);
    }
  },
});

async function waitForDevice(
  host: LocalHost,
  offer: OfferMade,
  before: ReadonlySet<DeviceId>,
  stop: AbortController,
  terminal: Terminal,
): Promise<void> {
  const expired = (): void =>
    stop.abort(new Fault("expired", "Nobody paired in time. Show a new link with flybridge pair."));
  const timer = setTimeout(expired, Math.max(0, offer.expires - Date.now()));
  const endCountdown = terminal.interactive ? showCountdown(offer.expires, terminal) : () => {};
  try {
    const device = await nextDevice(host, before, stop.signal);
    endCountdown();
    terminal.print(pairedText(device));
    terminal.emit({ paired: device });
  } catch (error) {
    endCountdown();
    if (error instanceof Fault && error.code === "cancelled")
      await host.intend("offer.withdraw", { offer: offer.offer });
    throw error;
  } finally {
    clearTimeout(timer);
  }
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

function lifeFrom(text: string): number {
  const life = Number(text) * 1_000;
  if (/^\d{1,4}$/u.test(text) && life >= 1_000 && life <= MAX_OFFER_MS) return life;
  throw usage(`--life ${text} is not a number of seconds from 1 to ${MAX_OFFER_MS / 1_000}.`);
}
