/** `flybridge run`: a new session, of an agent or of any program in a terminal. */
import { resolve } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { AgentName, PromptId } from "@flybridge/protocol/ids.ts";
import { TERMINAL } from "@flybridge/protocol/fold.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { attach } from "./attach.ts";
import { checkTaken, FILE, uploadsFrom } from "./attached.ts";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";
import { conversationNamed } from "./history.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import { promptFrom, turnOf } from "./prompt.ts";
import { sizeOf } from "./screen.ts";
import type { Terminal } from "./terminal.ts";

export default command({
  name: "run",
  about:
    "Starts an agent in a folder of this machine, with a first prompt if there is one; or any program in a terminal.",
  words: [
    { name: "AGENT", about: "claude, demo, …", required: true },
    { name: "PROMPT", about: "what it is to do first; - reads it from stdin" },
  ],
  rest: { name: "COMMAND …", about: "a program and its arguments, to run in a terminal" },
  flags: {
    cwd: { type: "string", value: "DIR", about: "where; this folder if not given" },
    model: { type: "string", value: "MODEL", about: "as the agent calls it" },
    mode: { type: "string", value: "MODE", about: "as the agent calls it" },
    file: FILE,
    resume: { type: "string", value: "ID", about: "goes on with a conversation; see flybridge history" },
    fork: { type: "boolean", about: "with --resume: in a copy of it" },
    attach: { type: "boolean", short: "a", about: "stay and follow it" },
    detach: { type: "boolean", short: "d", about: "of a program in a terminal: do not stay" },
    wait: { type: "boolean", about: "wait until the first turn has ended, print its last words" },
  },
  examples: [
    ['flybridge run claude "fix the failing test" --attach', "and watch it"],
    ["git diff | flybridge run claude - --wait", "a prompt from a pipe, the answer on stdout"],
    ['flybridge run claude "make it look so" --file sketch.png', "with a picture"],
    ["flybridge run claude --resume 0a63", "go on with what was begun in a terminal"],
    ["flybridge run demo", "an agent that needs nothing installed"],
    ["flybridge run -- npm init", "any program, here and on your devices; Ctrl-\\ leaves it running"],
  ],
  async run([agent = "", typed], flags, terminal, rest) {
    if (rest) return await runProgram(rest, flags, terminal);
    if (flags.detach === true)
      throw usage("--detach is for a program in a terminal: flybridge run --detach -- COMMAND.");
    if (flags.wait === true && typed === undefined) throw usage("--wait waits for the first turn: give a prompt too.");
    if (flags.wait === true && flags.attach === true) throw usage("Give --wait or --attach, not both.");
    if (flags.file !== undefined && typed === undefined) throw usage("--file goes with a prompt: give one too.");
    if (flags.fork === true && flags.resume === undefined) throw usage("--fork copies what --resume names: give both.");
    const prompt = typed === undefined ? undefined : promptFrom(typed);
    const attachments = uploadsFrom(flags.file);
    using host = await connectHost(terminal.env);
    const info = await agentNamed(host, agent);
    checkTaken(info, attachments);
    const fork = flags.fork === true;
    const before =
      flags.resume === undefined ? undefined : await conversationNamed(host, info.agent, flags.resume, fork);
    const { session, seq } = await host.intend("session.create", {
      agent: info.agent,
      workspace: resolve(flags.cwd ?? before?.workspace ?? "."),
      ...(before === undefined ? {} : { from: { conversation: before.conversation, fork } }),
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.mode === undefined ? {} : { mode: flags.mode }),
      ...(prompt === undefined ? {} : { prompt }),
      ...(attachments.length === 0 ? {} : { attachments }),
    });
    if (flags.attach !== true) terminal.emit({ session, seq });
    if (flags.attach === true) return await attach(host, session, terminal);
    if (flags.wait !== true) {
      terminal.print(session);
      return;
    }
    // The first prompt has the id of the intent that created the session, and so has the session.
    const words = await turnOf(host, session, session as string as PromptId, 0, terminal);
    terminal.print(visible(words));
    terminal.emit({ session, words });
  },
});

async function runProgram(
  command: readonly string[],
  flags: { readonly cwd?: string; readonly detach?: boolean; readonly attach?: boolean },
  terminal: Terminal,
): Promise<void> {
  using host = await connectHost(terminal.env);
  const isStaying = terminal.interactive && flags.detach !== true;
  const { session, seq } = await host.intend("session.create", {
    agent: TERMINAL as AgentName,
    workspace: resolve(flags.cwd ?? "."),
    command: [...command],
    ...(isStaying ? { size: sizeOf(process.stdout) } : {}),
  });
  if (isStaying || flags.attach === true) return await attach(host, session, terminal);
  terminal.emit({ session, seq });
  terminal.print(session);
}

async function agentNamed(host: LocalHost, typed: string): Promise<AgentInfo> {
  const { agents } = await ask(host, host.replica.call("agent.list", {}));
  const found = agents.find(({ agent }) => agent === (typed as AgentName));
  if (!found)
    throw usage(
      `There is no agent "${visibleLine(typed)}". There are: ${agents.map(({ agent }) => agent).join(", ")}.`,
    );
  if (found.problem) throw new Fault("agent_failed", visible(found.problem.message));
  return found;
}
