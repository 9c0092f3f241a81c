/**
 * What a faked model does is written in the user's own prompt: step N of its directives is played on the N-th model
 * call after that prompt. Nothing is kept between calls, so a script survives a resumed session and a new process.
 *
 *   [[text some text]]           words                      [[think some thoughts]]   before the next directive's step
 *   [[tool Bash {"command":"ls"}]]  a tool call             [[+tool Bash {...}]]      in the same step: parallel calls
 *   [[slow 100]]                 milliseconds per delta     [[wait NAME]]             until the test calls release(NAME)
 *   [[http 529]]  [[http 400 message]]  [[hang]]  [[drop]]  the whole step; `drop` cuts the stream after what precedes it
 *   <<tool ...>>                 the same as [[...]], for a sub-agent's prompt inside a tool call
 *
 * Without directives the answer is "You said: <prompt>"; after the last step "All done. Last result: <tool result>".
 */

export interface Directive {
  readonly kind: string;
  readonly argument: string;
}

/** What is played in one model call. */
export type Step = readonly Directive[];

/** They say how the next directive is played, so they share its step. */
const LEADING = new Set(["think", "slow", "wait"]);

export function stepsOf(prompt: string): readonly Step[] {
  const [open, close] = prompt.includes("[[") ? ["[[", "]]"] : ["<<", ">>"];
  const steps: Directive[][] = [];
  let at = 0;
  for (;;) {
    const start = prompt.indexOf(open, at);
    if (start < 0) return steps;
    const end = endOf(prompt, start + 2, close);
    if (end < 0) return steps;
    at = end + 2;
    const found = /^(?<joined>\+?)(?<kind>\w+)\s*(?<argument>[\s\S]*)$/u.exec(prompt.slice(start + 2, end))?.groups;
    if (!found) continue;
    const directive = { kind: found["kind"] ?? "", argument: found["argument"] ?? "" };
    const last = steps.at(-1);
    const joins = found["joined"] === "+" || LEADING.has(last?.at(-1)?.kind ?? "") || directive.kind === "drop";
    if (last && joins) last.push(directive);
    else steps.push([directive]);
  }
}

/** The name and the input of a tool directive. Throws SyntaxError on an input that is not JSON. */
export function toolOf(directive: Directive): { name: string; input: unknown } {
  const [, name = "", json = ""] = /^(\S+)\s*([\s\S]*)$/u.exec(directive.argument) ?? [];
  return { name, input: json === "" ? {} : JSON.parse(json) };
}

/** JSON may itself hold the closing marks, so a tool's directive ends where its JSON does. */
function endOf(prompt: string, from: number, close: string): number {
  const isTool = /^\+?tool\s/u.test(prompt.slice(from, from + 8));
  let first = -1;
  for (let end = prompt.indexOf(close, from); end >= 0; end = prompt.indexOf(close, end + 1)) {
    if (first < 0) first = end;
    if (!isTool) return prompt[end + 2] === "]" ? end + 1 : end;
    if (parses(/^\S+\s+\S+\s*(?<json>[\s\S]*)$/u.exec(prompt.slice(from, end))?.groups?.["json"] ?? "")) return end;
  }
  return first;
}

function parses(json: string): boolean {
  if (json === "") return true;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
