/** `flybridge regenerate-token`: nobody but this shell may come in any more, and a fresh connection string for who shall. */
import { command } from "./command.ts";
import { cautionText, DIGITS_HINT } from "./invitation.ts";
import { connectHost } from "./local.ts";
import { beSure } from "./sure.ts";

export default command({
  name: "regenerate-token",
  about:
    "Cuts off every device but this shell, at once, ends all open invitations, and prints a fresh connection string.",
  flags: { yes: { type: "boolean", short: "y", about: "do not ask" } },
  examples: [
    ["flybridge regenerate-token", "asks first"],
    ["flybridge regenerate-token --yes --json", "for a script"],
  ],
  async run(_words, flags, terminal) {
    using host = await connectHost(terminal.env);
    await beSure("Cut off every device but this shell, and end all open invitations?", flags.yes === true, terminal);
    const { revoked } = await host.intend("device.revokeAll", {});
    const offer = await host.intend("offer.make", {});
    terminal.emit({ revoked, offer });
    terminal.print(
      `${revoked === 1 ? "1 device was" : `${revoked} devices were`} cut off. No open invitation is left.`,
    );
    terminal.print();
    terminal.print("Connection string for the next device (paste into Flybridge there):");
    terminal.print(`  ${offer.connection}`);
    terminal.print();
    terminal.print(`${cautionText(offer, Date.now())} ${DIGITS_HINT}`);
  },
});
