/**
 * The parts of documents that are made from the code, so that they cannot say something else: `node scripts/reference.ts`
 * writes them, `npm run check` compares.
 *
 * A document holds a part between `<!-- made: NAME -->` and `<!-- /made -->`.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { METHODS } from "../protocol/methods.ts";
import { VARIABLES } from "../relay/config.ts";
import { messageShapes, methodShapes, namedShapes, relayShapes } from "./reference/shapes.ts";
import { transcript } from "./reference/transcript.ts";

export interface Section {
  /** Path from the root. A document that is not there yet has nothing to be wrong. */
  readonly file: string;
  readonly name: string;
  /** Markdown, without the marks. */
  make(): string;
}

/** What is made, and where it stands. Another part is another row. */
export const SECTIONS: readonly Section[] = [
  { file: "PROTOCOL.md", name: "methods", make: methodTable },
  { file: "PROTOCOL.md", name: "method shapes", make: methodShapes },
  { file: "PROTOCOL.md", name: "message shapes", make: messageShapes },
  { file: "PROTOCOL.md", name: "named shapes", make: namedShapes },
  { file: "PROTOCOL.md", name: "relay shapes", make: relayShapes },
  { file: "PROTOCOL.md", name: "transcript", make: transcript },
  { file: "docs/relay.md", name: "environment", make: environmentTable },
];

/** What of `sections` is missing or out of date, as sentences. */
export function staleSections(root: string, sections: readonly Section[]): string[] {
  return sections.flatMap((section) => {
    const path = join(root, section.file);
    if (!existsSync(path)) return [];
    const text = readFileSync(path, "utf8");
    const fresh = renew(text, section);
    if (fresh === undefined) return [`${section.file}: has no part <!-- made: ${section.name} -->`];
    return fresh === text
      ? []
      : [`${section.file}: the part "${section.name}" is not what the code says; run \`node scripts/reference.ts\``];
  });
}

/** The document with the part as the code has it; undefined when it has no such part. */
export function renew(text: string, section: Section): string | undefined {
  const begin = `<!-- made: ${section.name} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf("<!-- /made -->", from);
  if (from < 0 || to < 0) return undefined;
  return `${text.slice(0, from + begin.length)}\n${section.make().trim()}\n\n${text.slice(to)}`;
}

function methodTable(): string {
  const rows = Object.entries(METHODS).map(
    ([name, { kind, verb, about }]) => `| \`${name}\` | ${kind} | ${verb} | ${about} |`,
  );
  return ["| method | kind | verb | what it does |", "|---|---|---|---|", ...rows].join("\n");
}

function environmentTable(): string {
  const rows = VARIABLES.map(({ name, shape, default: otherwise, about, secret }) => {
    const cells = [`\`${name}\`${secret ? ", *or a file*" : ""}`, `\`${shape}\``, otherwise, about];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return ["| variable | value | default | what it is |", "|---|---|---|---|", ...rows].join("\n");
}

if (process.argv[1] === import.meta.filename) {
  const root = join(import.meta.dirname, "..");
  for (const section of SECTIONS) {
    const path = join(root, section.file);
    const fresh = existsSync(path) ? renew(readFileSync(path, "utf8"), section) : undefined;
    if (fresh !== undefined) writeFileSync(path, fresh);
  }
}
