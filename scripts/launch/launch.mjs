// One launch: what the command needs is brought, then the command runs on Node 24 with the terminal it was given.

import { fileURLToPath } from "node:url";
import { commandSteps, commandNames } from "./commands.mjs";
import { bringNode } from "./node.mjs";
import { bringPackages } from "./packages.mjs";
import { personsEnvironment, runStep } from "./run.mjs";
import { LaunchFault, say } from "./say.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Ends the process with the command's own exit code or signal.
 *
 * @param {string | undefined} command
 * @param {string[]} words what the person typed after the command
 */
export async function launch(command, words) {
  const steps = commandSteps(command, words);
  if (!steps) {
    say(`There is no command "${command ?? ""}". Commands: ${commandNames().join(", ")}.`);
    process.exitCode = 1;
    return;
  }
  try {
    // The two fetch different things from the same place; waiting for both at once is the shorter wait.
    const brought = await Promise.allSettled([bringNode(ROOT), bringPackages(ROOT)]);
    for (const part of brought) if (part.status === "rejected") throw part.reason;
    const node = brought[0].status === "fulfilled" ? brought[0].value : process.execPath;
    const env = personsEnvironment(process.env, ROOT, command);
    for (const step of steps) {
      const end = await runStep(node, step, { cwd: ROOT, env });
      if (end.signal) {
        process.kill(process.pid, end.signal);
        return;
      }
      if (end.code !== 0) {
        process.exitCode = end.code;
        return;
      }
    }
  } catch (fault) {
    if (!(fault instanceof LaunchFault)) throw fault;
    say(fault.message);
    process.exitCode = 1;
  }
}
