/** Asking before what cannot be undone. */
import { confirm } from "@clack/prompts";
import { Fault, usage } from "./fault.ts";
import type { Terminal } from "./terminal.ts";

/** Throws a usage fault where nobody is there to be asked and `yes` was not given, and `cancelled` for a no. */
export async function beSure(question: string, yes: boolean, terminal: Terminal): Promise<void> {
  if (yes) return;
  if (!terminal.interactive) throw usage(`Nobody is there to be asked: "${question}" To do it without, add --yes.`);
  const sure = await confirm({ message: question, initialValue: false });
  if (sure !== true) throw new Fault("cancelled", "Nothing was changed.");
}
