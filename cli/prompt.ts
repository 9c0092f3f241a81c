/** Prompts from a shell: their text, and waiting for what came of them. */
import type { PromptId, SessionId } from "@flybridge/protocol/ids.ts";
import { MAX_PROMPT_CHARS } from "@flybridge/protocol/limits.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { askTitle } from "./ask.ts";
import { entriesAfter } from "./entries.ts";
import { Fault, usage } from "./fault.ts";
import { readStdin } from "./input.ts";
import type { LocalHost } from "./local.ts";
import type { Terminal } from "./terminal.ts";

/** What was typed, or all of stdin for "-". */
export function promptFrom(typed: string): string {
  const text = typed === "-" ? readStdin() : typed;
  if (text.trim() === "")
    throw usage("The prompt is empty. Give it as one word in quotes, or - to read it from stdin.");
  if (text.length > MAX_PROMPT_CHARS)
    throw usage(
      `The prompt has ${text.length} characters; ${MAX_PROMPT_CHARS} is the most. Put it into a file and name the file in the prompt.`,
    );
  return text;
}

/**
 * Waits from entry `after` on until the turn that took the prompt has ended; gives the agent's last words in it. Says
 * on the side what it waits for. Throws `agent_failed` when the turn was interrupted or failed, or the agent ended.
 */
export async function turnOf(
  host: LocalHost,
  session: SessionId,
  prompt: PromptId,
  after: number,
  terminal: Terminal,
): Promise<string> {
  let taken = false;
  let words = "";
  for await (const { fact } of entriesAfter(host, session, after)) {
    if (fact.kind === "prompt.taken" && fact.prompt === prompt) taken = true;
    else if (fact.kind === "prompt.withdrawn" && fact.prompt === prompt)
      throw new Fault("agent_failed", "The prompt was withdrawn.");
    else if (fact.kind === "item.completed" && fact.item.kind === "words" && fact.item.parent === undefined)
      words = fact.item.body;
    else if (fact.kind === "ask.opened")
      terminal.note(`It asks: ${askTitle(fact.ask)}. Answer with flybridge answer ${session}`);
    else if (fact.kind === "agent.ended" && taken)
      throw new Fault("agent_failed", `The agent ended (${fact.cause}). See flybridge logs ${session}.`);
    else if (fact.kind === "turn.ended" && taken) {
      if (fact.outcome === "completed") return words;
      throw new Fault(
        "agent_failed",
        `The turn was ${fact.outcome}${fact.detail === undefined ? "." : `: ${visibleLine(fact.detail)}`}`,
      );
    }
  }
  throw new Fault("agent_failed", "The session ended.");
}
