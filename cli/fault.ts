/** What a command says when it cannot do what was asked: one sentence on what happened, one on how to mend it. */

/** The exit codes of every command: 0 is done, 1 is not done, 2 is not understood. */
export const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** A person pressed Ctrl-C: 128 and the number of SIGINT, as shells have it. */
const EXIT_INTERRUPTED = 130;

export type FaultCode =
  /** The words or flags do not fit the command. */
  | "usage"
  | "not_running"
  /** The host did not answer in time, or stopped answering. */
  | "no_answer"
  | "refused"
  /** The shell's own file is missing or damaged. */
  | "shell_file"
  | "not_found"
  | "ambiguous"
  | "start_failed"
  /** Another host has the state folder. */
  | "taken"
  | "expired"
  /** The turn or the session did not end well. */
  | "agent_failed"
  | "cancelled"
  /** A file or folder of this machine. */
  | "files";

export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly exit: number;
  constructor(code: FaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.exit = code === "usage" ? EXIT_USAGE : code === "cancelled" ? EXIT_INTERRUPTED : EXIT_FAILED;
  }
}

export function usage(message: string): Fault {
  return new Fault("usage", message);
}
