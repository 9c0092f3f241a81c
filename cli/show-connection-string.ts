/** `flybridge show-connection-string`: a fresh one, alone on stdout, so that it can be piped. */
import { command } from "./command.ts";
import { cautionText, DIGITS_HINT } from "./invitation.ts";
import { connectHost } from "./local.ts";

export default command({
  name: "show-connection-string",
  about: "Prints a fresh connection string and nothing else. The host goes on as it is.",
  flags: {},
  examples: [
    ["flybridge show-connection-string", "to be pasted into Flybridge on another device"],
    ["flybridge show-connection-string | pbcopy", "straight to the clipboard of a Mac"],
  ],
  async run(_words, _flags, terminal) {
    using host = await connectHost(terminal.env);
    const offer = await host.intend("offer.make", {});
    terminal.print(offer.connection);
    terminal.emit(offer);
    if (!terminal.json) terminal.note(`${cautionText(offer, Date.now())} ${DIGITS_HINT}`);
  },
});
