// What the launcher tells the person: progress on stderr (stdout belongs to the command), faults with their remedy.

const PREFIX = process.stderr.isTTY ? "\u001b[2mflybridge\u001b[0m" : "flybridge";

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${PREFIX} ${line}\n`);
}

/** Something the person can mend; the message says how, so no stack is shown. */
export class LaunchFault extends Error {
  /**
   * @param {string} what
   * @param {string} mend
   */
  constructor(what, mend) {
    super(`${what}\n  To mend it: ${mend}`);
    this.name = "LaunchFault";
  }
}
