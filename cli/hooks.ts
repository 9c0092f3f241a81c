/** `flybridge hooks`: whether agents that run in other terminals tell this host what they ask. */
import { isAbsolute } from "node:path";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Hook } from "@flybridge/protocol/methods.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { command } from "./command.ts";
import { Fault, usage } from "./fault.ts";
import { ask, connectHost, type LocalHost } from "./local.ts";
import type { Style, Terminal } from "./terminal.ts";

const DOES = ["status", "install", "remove"] as const;

export default command({
  name: "hooks",
  about:
    "Lets agents that you start in other terminals ask here too: adds a hook to their own settings, and takes it out again.",
  words: [
    { name: "DO", about: "status, install or remove; status if not given" },
    { name: "AGENT", about: "claude; every agent that has hooks if not given" },
  ],
  flags: {},
  examples: [
    ["flybridge hooks", "which settings hold it"],
    ["flybridge hooks install", "a copy of the settings is kept beside them"],
    ["flybridge hooks remove", "the settings are as they were"],
  ],
  async run([what = "status", agent], _flags, terminal) {
    const does = DOES.find((one) => one === what);
    if (!does) throw usage(`"${visibleLine(what)}" is not one of ${DOES.join(", ")}.`);
    using host = await connectHost(terminal.env);
    const known = await hooksOf(host, agent);
    let problems = 0;
    for (const { agent: name, state } of known) {
      const hook = await done(host, does, name, known);
      if (hook.problem !== undefined) problems += 1;
      terminal.emit(hook);
      show(terminal, hook, does === "install" && state !== "installed");
    }
    return problems > 0 ? 1 : 0;
  },
});

async function hooksOf(host: LocalHost, typed: string | undefined): Promise<Hook[]> {
  const { hooks } = await ask(host, host.replica.call("hook.list", {}));
  const wanted = typed === undefined ? hooks : hooks.filter(({ agent }) => agent === (typed as AgentName));
  if (wanted.length === 0)
    throw usage(
      `No hook is known for "${visibleLine(typed ?? "")}". There are: ${hooks.map(({ agent }) => agent).join(", ")}.`,
    );
  return wanted;
}

async function done(
  host: LocalHost,
  does: (typeof DOES)[number],
  agent: AgentName,
  known: readonly Hook[],
): Promise<Hook> {
  if (does !== "status") return host.intend(does === "install" ? "hook.install" : "hook.remove", { agent });
  const hook = known.find((one) => one.agent === agent);
  if (!hook) throw new Fault("not_found", `The host no longer knows a hook of "${visibleLine(agent)}".`);
  return hook;
}

function show({ print, note, style }: Terminal, hook: Hook, isNew: boolean): void {
  print(`${style.bold(visibleLine(hook.agent))}  ${stateText(hook, style)}`);
  print(`          ${style.dim(placeText(hook))}`);
  if (isNew && hook.state === "installed")
    note("What it asks from now on is asked here too. Its own dialogs stay, and can be used.");
  if (hook.problem !== undefined) note(visible(hook.problem));
}

function stateText({ state }: Hook, style: Style): string {
  if (state === "installed") return style.good("installed");
  return state === "absent" ? style.dim("not installed") : style.bad("cannot be read");
}

function placeText({ path, backup }: Hook): string {
  const where = isAbsolute(path) ? visibleLine(path) : path;
  return backup === undefined ? where : `${where} · as it was: ${visibleLine(backup)}`;
}
