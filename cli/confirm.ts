/** `flybridge confirm`: lets a device in that used an invitation and waits, by the digits that it shows. */
import { CONFIRMATION_DIGITS, type Pairing } from "@flybridge/protocol/pairing.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { deviceText } from "./device.ts";
import { Fault, usage } from "./fault.ts";
import { ask, connectHost } from "./local.ts";
import { oneOf } from "./prefix.ts";
import type { Terminal } from "./terminal.ts";
import { ago } from "./time.ts";
import { askDigits, decided, digitsFrom, waitingText } from "./waiting.ts";

export default command({
  name: "confirm",
  about: "Lets a device in that waits, by the six digits it shows, or turns it away. There is one attempt.",
  words: [
    { name: "DIGITS", about: "the six; asked for in a terminal if not given" },
    { name: "DIGITS", about: "the last three, where a space is between" },
  ],
  flags: {
    device: { type: "string", value: "DEVICE", about: "which, when more than one waits: its name" },
    refuse: { type: "boolean", about: "turn it away" },
  },
  examples: [
    ["flybridge confirm", "who waits; then type the digits"],
    ["flybridge confirm 493 027", "the digits at once"],
    ['flybridge confirm 493027 --device "Ada\'s phone"', "when more than one waits"],
    ["flybridge confirm --refuse", "you do not know it: turn it away"],
  ],
  async run(words, flags, terminal) {
    const refuses = flags.refuse === true;
    const given = words.length === 0 ? undefined : digitsOf(words.join(""));
    if (refuses && given !== undefined) throw usage("Give the digits, or --refuse, not both.");
    using host = await connectHost(terminal.env);
    const { pairings } = await ask(host, host.replica.call("pairing.list", {}));
    if (!refuses && given === undefined) show(pairings, terminal);
    if (pairings.length === 0) {
      if (refuses || given !== undefined)
        throw new Fault("not_found", "No device waits. It shows its digits for two minutes; then pair it anew.");
      if (!terminal.json) terminal.note("No device waits to be let in.");
      return;
    }
    if (!refuses && given === undefined && !terminal.interactive) return;
    const pairing = chosen(pairings, flags.device);
    const digits = given ?? (refuses ? undefined : await asked(pairing));
    await decided(host, pairing, digits);
    terminal.print(`${deviceText(pairing)} is ${digits === undefined ? "turned away" : "let in"}.`);
    terminal.emit(digits === undefined ? { refused: pairing } : { confirmed: pairing });
  },
});

function show(pairings: readonly Pairing[], terminal: Terminal): void {
  const now = Date.now();
  for (const pairing of pairings) {
    terminal.emit(pairing);
    terminal.print(`${waitingText(pairing)} · since ${ago(pairing.asked, now)}`);
  }
}

function chosen(pairings: readonly Pairing[], typed: string | undefined): Pairing {
  const [only] = pairings;
  if (typed === undefined && only && pairings.length === 1) return only;
  if (typed !== undefined)
    return oneOf(
      pairings,
      typed,
      "waiting device",
      ({ pairing }) => pairing,
      ({ name }) => name,
    );
  throw new Fault(
    "ambiguous",
    [
      `${pairings.length} devices wait. Say which with --device:`,
      ...pairings.map((one) => `  ${one.pairing}  ${deviceText(one)}`),
    ].join("\n"),
  );
}

/** Leaving the question turns nobody away: the digits can still be typed. */
async function asked(pairing: Pairing): Promise<string> {
  const digits = await askDigits(pairing, "Ctrl-C leaves it waiting.");
  if (digits === undefined)
    throw new Fault("cancelled", "It goes on waiting. To turn it away: flybridge confirm --refuse");
  return digits;
}

function digitsOf(typed: string): string {
  const digits = digitsFrom(typed);
  if (digits !== undefined) return digits;
  throw usage(
    `${visibleLine(typed)} is not the ${CONFIRMATION_DIGITS} digits that the device shows. Nothing was tried yet.`,
  );
}
