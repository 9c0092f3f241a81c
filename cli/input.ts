/** What a command is given to read: a file that is named, or standard input. */
import { readFileSync } from "node:fs";
import { Fault } from "./fault.ts";

const STDIN = 0;

/** Of the file, or of standard input for "-". Throws the fault `files`. */
export function fileText(path: string): string {
  if (path === "-") return readStdin();
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Fault("files", `${path} cannot be read: ${(error as Error).message}.`);
  }
}

/** Throws the fault `files`. */
export function readStdin(): string {
  try {
    return readFileSync(STDIN, "utf8");
  } catch (error) {
    throw new Fault("files", `stdin cannot be read: ${(error as Error).message}.`);
  }
}
