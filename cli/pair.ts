/** `flybridge pair`: one new device. */
import { MAX_OFFER_MS } from "@flybridge/protocol/limits.ts";
import { command } from "./command.ts";
import { usage } from "./fault.ts";
import { DIGITS_HINT, pairedText } from "./invitation.ts";
import { invite } from "./invite.ts";

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
    const wait = flags["no-wait"] !== true;
    await invite(terminal, { again: "flybridge pair", wait }, async (host) => ({
      offer: await host.intend("offer.make", life === undefined ? {} : { life }),
      lines: wait ? [] : [DIGITS_HINT],
      used: pairedText,
    }));
  },
});

function lifeFrom(text: string): number {
  const life = Number(text) * 1_000;
  if (/^\d{1,4}$/u.test(text) && life >= 1_000 && life <= MAX_OFFER_MS) return life;
  throw usage(`--life ${text} is not a number of seconds from 1 to ${MAX_OFFER_MS / 1_000}.`);
}
