/** Devices that used an invitation and wait: a person types here the six digits that such a device shows. */
import { isCancel, text } from "@clack/prompts";
import type { HostView } from "@flybridge/client/replica.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { Digits, type Pairing } from "@flybridge/protocol/pairing.ts";
import * as v from "valibot";
import { deviceText, wayText } from "./device.ts";
import type { LocalHost } from "./local.ts";
import type { Terminal } from "./terminal.ts";
import { until } from "./watch.ts";

/** Undefined where they are not six digits: nothing is asked of the host then, for there is one attempt. */
export function digitsFrom(typed: string): string | undefined {
  const { success, output } = v.safeParse(Digits, typed);
  return success ? String(output) : undefined;
}

/** "Ada's phone (phone), by a proxy". */
export function waitingText(pairing: Pairing): string {
  return `${deviceText(pairing)}, ${wayText(pairing.way)}`;
}

/** The one that waits longest. */
export function firstWaiting({ pairings }: Pick<HostView, "pairings">): Pairing | undefined {
  return Object.values(pairings).toSorted((a, b) => a.asked - b.asked)[0];
}

/**
 * Resolves when it waits no more. Where a person is there, the digits are asked for; elsewhere it is said how to type
 * them. Whoever answers first counts: another shell, or the app.
 */
export async function settle(
  host: LocalHost,
  pairing: Pairing,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<void> {
  terminal.emit({ waiting: pairing });
  const settled = new AbortController();
  const over = until(
    host.replica.view,
    ({ pairings }) => (pairings[pairing.pairing] ? undefined : true),
    signal,
  ).finally(() => settled.abort());
  if (!terminal.interactive) {
    terminal.print(`${waitingText(pairing)} waits to be let in. Type its digits: flybridge confirm`);
    await Promise.race([over, host.lost]);
    return;
  }
  over.catch(() => {});
  const digits = await askDigits(pairing, "Ctrl-C turns it away.", settled.signal);
  if (settled.signal.aborted) return void (await over);
  try {
    await decided(host, pairing, digits);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    terminal.note(error.message);
  }
  await Promise.race([over, host.lost]);
}

/** Undefined when the person would not, or `signal` aborted. */
export async function askDigits(pairing: Pairing, leaving: string, signal?: AbortSignal): Promise<string | undefined> {
  const typed = await text({
    message: `${waitingText(pairing)} waits to be let in. Type the six digits that it shows. ${leaving}`,
    validate: (value) => (digitsFrom(value ?? "") === undefined ? "Six digits; there is one attempt." : undefined),
    ...(signal === undefined ? {} : { signal }),
  });
  return isCancel(typed) ? undefined : digitsFrom(typed);
}

/** Without digits it is turned away. Rejects with `CallError` for others than it shows. */
export async function decided(host: LocalHost, { pairing }: Pairing, digits: string | undefined): Promise<void> {
  if (digits === undefined) await host.intend("pairing.refuse", { pairing });
  else await host.intend("pairing.confirm", { pairing, digits });
}

/** Settles each that comes, until the host is lost. */
export async function settleAll(host: LocalHost, terminal: Terminal): Promise<never> {
  for (;;) {
    const pairing = await Promise.race([until(host.replica.view, firstWaiting), host.lost]);
    await settle(host, pairing, terminal);
  }
}
