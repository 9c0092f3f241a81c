/** `flybridge relay`: runs a relay here, or makes an invitation to the one that runs here. */
import { configFrom, environmentHelp } from "@flybridge/relay/config.ts";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";

const DAY_MS = 24 * 3_600_000;
const MAX_DAYS = 365;

export default command({
  name: "relay",
  about: [
    "Runs a relay: a meeting point for hosts and devices that cannot reach each other. It can read nothing of theirs.",
    "It is told what it is by its environment; without any, it runs on this machine only.",
    "",
    environmentHelp(),
  ].join("\n"),
  words: [{ name: "invite", about: "instead, make an invitation for a new host or account, once" }],
  flags: {
    for: { type: "string", value: "WHOM", about: "with invite: host or account; either if not given" },
    days: {
      type: "string",
      value: "DAYS",
      about: `with invite: how long it can be used, at most ${MAX_DAYS}; 7 if not given`,
    },
  },
  examples: [
    ["flybridge relay", "try it on this machine"],
    ["FLYBRIDGE_RELAY_ORIGIN=https://relay.example … flybridge relay", "for the world: docs/relay.md"],
    ["flybridge relay invite", "let one more host or account in"],
  ],
  async run([word], flags, terminal) {
    if (word === undefined) {
      if (flags.for !== undefined || flags.days !== undefined)
        throw usage("--for and --days are about: flybridge relay invite");
      const { runRelay } = await import("@flybridge/relay/main.ts");
      return await runRelay(terminal.env, ({ origin, invitation }) => {
        terminal.emit({ running: true, origin, invitation });
        const { print, style } = terminal;
        print(`${style.bold("Flybridge relay")} at ${style.link(origin)}`);
        print();
        if (invitation !== undefined) {
          print("Nobody is registered here yet. On the machine where your agents run:");
          print();
          print(`  flybridge up`);
          print(`  flybridge remote add ${origin}`);
          print();
          print(`and when it asks for an invitation: ${style.bold(invitation)}   (once, within 7 days)`);
          print("Further ones: flybridge relay invite");
        }
        print(style.dim("Ctrl-C ends it."));
      });
    }
    if (word !== "invite")
      throw usage(`${word} is nothing that a relay does. There is: flybridge relay, flybridge relay invite.`);
    const whom = whomFrom(flags.for);
    const days = daysFrom(flags.days);
    const expires = Date.now() + days * DAY_MS;
    const { invite } = await import("@flybridge/relay/invite.ts");
    const invitation = await invite(configFrom(terminal.env), whom, expires).catch((error: unknown) => {
      throw new Fault("start_failed", error instanceof Error ? error.message : String(error));
    });
    terminal.emit({ invitation, for: whom, expires });
    terminal.print(invitation);
    return 0;
  },
});

function whomFrom(text = "either"): "host" | "account" | "either" {
  if (text === "host" || text === "account" || text === "either") return text;
  throw usage(`--for ${text} is none of host, account and either.`);
}

function daysFrom(text = "7"): number {
  const days = Number(text);
  if (/^\d{1,3}$/u.test(text) && days >= 1 && days <= MAX_DAYS) return days;
  throw usage(`--days ${text} is not a number of days from 1 to ${MAX_DAYS}.`);
}
