/**
 * A process group, which outlives its leader as long as one descendant is in it.
 */
import { setTimeout as wait } from "node:timers/promises";

/** Between asking a group to end and killing it. */
export const END_GRACE_MS = 3_000;
const END_POLL_MS = 20;
/** After SIGKILL only zombies are left, and where nobody reaps them they stay for ever. */
const KILL_GRACE_MS = 500;

/** False if there is nobody to tell. */
export function tell(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/**
 * Resolves when the group has nobody left, 3.5 s later at most; at once if it has nobody now. The hang-up is for shells, which ignore
 * SIGTERM when they are interactive and pass SIGHUP on to their jobs; SIGCONT lets a stopped process hear of it.
 */
export async function endGroup(leader: number): Promise<void> {
  const group = -leader;
  if (!tell(group, "SIGTERM")) return;
  tell(group, "SIGHUP");
  tell(group, "SIGCONT");
  for (let waited = 0; tell(group, 0) && waited < END_GRACE_MS + KILL_GRACE_MS; waited += END_POLL_MS) {
    if (waited >= END_GRACE_MS) tell(group, "SIGKILL");
    await wait(END_POLL_MS);
  }
}
