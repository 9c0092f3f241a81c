/** `flybridge send`: a prompt to a session. */
import { visible } from "@flybridge/protocol/text.ts";
import type { PromptId } from "@flybridge/protocol/ids.ts";
import { checkTaken, FILE, uploadsFrom } from "./attached.ts";
import { command } from "./command.ts";
import { ask, connectHost } from "./local.ts";
import { promptFrom, turnOf } from "./prompt.ts";
import { sessionOf } from "./session.ts";

export default command({
  name: "send",
  about: "Gives a session a prompt, and waits until the host has it for good.",
  words: [
    { name: "ID", about: "a session, or enough of its id", required: true },
    { name: "TEXT", about: "the prompt; - reads it from stdin", required: true },
  ],
  flags: {
    file: FILE,
    steer: { type: "boolean", about: "into the running turn, not after it" },
    wait: { type: "boolean", about: "wait until the turn has ended, print its last words" },
  },
  examples: [
    ['flybridge send 9f3c21ab "now the docs"', "after the running turn"],
    ['flybridge send 9f3c21ab "not that file" --steer', "into it"],
    ["flybridge send 9f3c21ab - --wait < prompt.md", "from a file, the answer on stdout"],
    ['flybridge send 9f3c21ab "what is wrong here?" --file screen.png', "with a picture"],
  ],
  async run([typed = "", text = ""], flags, terminal) {
    const prompt = promptFrom(text);
    const attachments = uploadsFrom(flags.file);
    using host = await connectHost(terminal.env);
    const { session, agent } = await sessionOf(host, typed);
    if (attachments.length > 0) {
      const { agents } = await ask(host, host.replica.call("agent.list", {}));
      checkTaken(
        agents.find((one) => one.agent === agent),
        attachments,
      );
    }
    const { intent, settled } = host.replica.intend("session.prompt", {
      session,
      text: prompt,
      delivery: flags.steer === true ? "steer" : "queue",
      ...(attachments.length === 0 ? {} : { attachments }),
    });
    const { seq } = await Promise.race([settled, host.lost]);
    if (flags.wait !== true) {
      terminal.print(`Accepted (entry ${seq}).`);
      terminal.emit({ session, prompt: intent, seq });
      return;
    }
    const words = await turnOf(host, session, intent as string as PromptId, seq, terminal);
    terminal.print(visible(words));
    terminal.emit({ session, prompt: intent, seq, words });
  },
});
