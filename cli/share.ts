/** `flybridge share`, by its full name `flybridge session pair-mobile`: one session for one device. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { Grant, SessionGrant } from "@flybridge/protocol/grant.ts";
import { GRANT_MS, MAX_GRANT_MS } from "@flybridge/protocol/limits.ts";
import { command } from "./command.ts";
import { deviceText } from "./device.ts";
import { Fault, usage } from "./fault.ts";
import { grantText, SHARED_BY_DEFAULT, SHARES, titlesOf, verbsFrom } from "./grant.ts";
import { invite } from "./invite.ts";
import { ask, type LocalHost } from "./local.ts";
import { sessionOf } from "./session.ts";
import { durationFrom, moment, span } from "./time.ts";

const MIN_GRANT_MS = 60_000;

export default command({
  name: "share",
  about: "Shows a QR and a link that let one device take part in one session and see nothing else, until a time.",
  words: [{ name: "ID", about: "a session, or enough of its id", required: true }],
  flags: {
    allow: {
      type: "string",
      multiple: true,
      value: "WORD",
      about: `what else than watch: ${Object.keys(SHARES).slice(1).join(", ")}; answer if not given`,
    },
    for: { type: "string", value: "TIME", about: `how long it may, as 30m, 8h or 2d; ${span(GRANT_MS)} if not given` },
    "no-wait": { type: "boolean", about: "print them and leave; they go on working" },
  },
  examples: [
    ["flybridge share 9f3c21ab", "watch it and answer what it asks, for eight hours"],
    ["flybridge session pair-mobile 9f3c21ab", "the same"],
    ["flybridge share 9f3c21ab --allow watch --for 30m", "only look, for half an hour"],
    ["flybridge share 9f3c21ab --allow answer --allow prompt", "give it prompts as well"],
    ["flybridge share 9f3c21ab --allow answer,type", "and type in its terminal: that is as much as you can"],
  ],
  async run([typed = ""], flags, terminal) {
    const verbs = verbsFrom(flags.allow ?? SHARED_BY_DEFAULT);
    const life = flags.for === undefined ? GRANT_MS : lifeFrom(flags.for);
    const wait = flags["no-wait"] !== true;
    await invite(terminal, { again: `flybridge share ${typed}`, wait }, async (host) => {
      const summary = await sessionOf(host, typed);
      const offer = await host.intend("session.share", { session: summary.session, verbs, life });
      const grant = await grantOf(host, offer.offer);
      const titleOf = titlesOf([summary]);
      const what = grantText(grant, titleOf, Date.now());
      return {
        offer,
        facts: { grant },
        lines: [
          `Who uses it may ${what}, and nothing else here.`,
          ...(verbs.includes("input") ? ["Whoever types in a terminal can run anything that you can."] : []),
        ],
        used: (device) => joinedText(device, (given) => grantText(given, titleOf, Date.now())),
      };
    });
  },
});

/** As the host made it: it may have cut the time. */
async function grantOf(host: LocalHost, id: string): Promise<SessionGrant> {
  const { offers } = await ask(host, host.replica.call("offer.list", {}));
  const grant = offers.find(({ offer }) => offer === id)?.grant;
  if (grant?.kind === "session") return grant;
  throw new Fault("expired", "The invitation is over already: the session has ended, or somebody withdrew it.");
}

function joinedText(device: Device, textOf: (grant: Grant) => string): string {
  const now = Date.now();
  const may =
    device.grant.kind === "owner" ? "It is yours and may do everything here already" : `It may ${textOf(device.grant)}`;
  return `Joined at ${moment(device.paired, now)}: ${deviceText(device)}. ${may}. To end it sooner: flybridge revoke ${device.device.slice(0, 8)}`;
}

function lifeFrom(text: string): number {
  const life = durationFrom(text);
  if (life !== undefined && life >= MIN_GRANT_MS && life <= MAX_GRANT_MS) return life;
  throw usage(`--for ${text} is not a time from 1m to ${MAX_GRANT_MS / 86_400_000}d, like 30m, 8h or 2d.`);
}
