/** `flybridge down`: ends the host, and with --all the agents too. */
import { setTimeout } from "node:timers/promises";
import { Offline } from "@flybridge/client/replica.ts";
import { command } from "./command.ts";
import { Fault, type FaultCode } from "./fault.ts";
import { connectHost } from "./local.ts";
import { isHeld, notedPid } from "./lock.ts";
import { type State, stateOf } from "./shell-file.ts";

/** How long a host may take to put everything away, and how often we look, in milliseconds. */
const STOP_MS = 20_000;
const LOOK_MS = 50;
const NO_WAY_IN: readonly FaultCode[] = ["shell_file", "refused", "not_running", "no_answer"];

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
    if (!isHeld(state)) {
      terminal.print(`No host is running on ${state.root}.`);
      terminal.emit({ stopped: false });
      return;
    }
    const pid = notedPid(state);
    await stop(state, flags.all === true, terminal.env);
    await gone(state, pid);
    terminal.print(
      flags.all === true ? "The host and its agents have ended." : "The host has ended. Its agents go on.",
    );
    terminal.emit({ stopped: true });
  },
});

async function stop(state: State, keeper: boolean, env: NodeJS.ProcessEnv): Promise<void> {
  try {
    using host = await connectHost(env);
    // It may be gone before its answer is here; whether it went is seen by the lock.
    await host.intend("host.stop", { keeper }).catch((error: unknown) => {
      if (!(error instanceof Offline)) throw error;
    });
  } catch (error) {
    // Past the protocol when the way in is what is broken: who holds the lock is the host, and ends well when told.
    const pid = notedPid(state);
    if (!(error instanceof Fault) || !NO_WAY_IN.includes(error.code) || keeper || pid === undefined) throw error;
    process.kill(pid, "SIGTERM");
  }
}

/** The lock is free a moment before the process is gone; both are waited for. */
async function gone(state: State, pid: number | undefined): Promise<void> {
  const patience = Date.now() + STOP_MS;
  while (isHeld(state) || (pid !== undefined && isAlive(pid))) {
    if (Date.now() > patience)
      throw new Fault(
        "no_answer",
        `The host (process ${pid}) was told to end and has not. See flybridge logs; kill it if it hangs: nothing is lost.`,
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
