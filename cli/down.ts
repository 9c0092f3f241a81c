/** `flybridge down`: ends the host, and with --all the agents too. */
import { setTimeout } from "node:timers/promises";
import { command } from "./command.ts";
import { Fault } from "./fault.ts";
import { answers, connectHost, notedPid } from "./local.ts";
import { readShellFile, type State, stateOf } from "./shell-file.ts";

/** How long a host may take to put everything away, and how often we look, in milliseconds. */
const STOP_MS = 20_000;
const LOOK_MS = 50;

export default command({
  name: "down",
  about: "Ends the host. Agents go on and are there again after the next up; --all ends them too.",
  flags: { all: { type: "boolean", about: "end the agents too" } },
  examples: [
    ["flybridge down", "end the host, agents go on"],
    ["flybridge down --all", "end everything"],
  ],
  async run(_words, flags, terminal) {
    const state = stateOf(terminal.env);
    const pid = notedPid(state);
    try {
      const socket = await stop(state, flags.all === true, terminal.env);
      await gone(socket, pid);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "not_running") throw error;
      terminal.print(`No host is running on ${state.root}.`);
      terminal.emit({ stopped: false });
      return;
    }
    terminal.print(
      flags.all === true ? "The host and its agents have ended." : "The host has ended. Its agents go on.",
    );
    terminal.emit({ stopped: true });
  },
});

/** The socket of the host that was told. */
async function stop(state: State, keeper: boolean, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    using host = await connectHost(env);
    await host.intend("host.stop", { keeper });
    return host.file.socket;
  } catch (error) {
    const canSignal = error instanceof Fault && (error.code === "shell_file" || error.code === "refused") && !keeper;
    if (!canSignal) throw error;
    return signalled(state, error);
  }
}

/** Past the protocol, when the shell's own file is what is wrong: the socket shows that a host lives, its note says which. */
async function signalled(state: State, error: Fault): Promise<string> {
  const socket = socketOf(state);
  const pid = notedPid(state);
  if (!(await answers(socket))) throw new Fault("not_running", "No host is running.");
  if (pid === undefined) throw error;
  process.kill(pid, "SIGTERM");
  return socket;
}

function socketOf(state: State): string {
  try {
    return readShellFile(state.shell)?.socket ?? state.socket;
  } catch {
    return state.socket;
  }
}

async function gone(socket: string, pid: number | undefined): Promise<void> {
  const patience = Date.now() + STOP_MS;
  while ((await answers(socket)) || (pid !== undefined && isAlive(pid))) {
    if (Date.now() > patience)
      throw new Fault(
        "no_answer",
        `The host${pid === undefined ? "" : ` (process ${pid})`} was told to end and has not. See flybridge logs; kill it if it hangs: nothing is lost.`,
      );
    await setTimeout(LOOK_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
