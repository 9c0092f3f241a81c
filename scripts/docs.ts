/** Holds the documents against the code: what they name must be there. `node scripts/docs.ts`. */

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { idsIn, readFeatures } from "./features.ts";
import { SECTIONS, staleSections } from "./reference.ts";

/** Made by running, or made elsewhere: naming these is no claim that they are in the tree. */
const UNTRACKED = /(^|\/)(node_modules|dist|\.cache|screens|results)(\/|$)/;
const SKIPPED_FOLDERS = /(^|\/)(node_modules|dist|\.cache|\.git|screens)(\/|$)/;
/** Commands that npm has without `run`, and without a script of the project. */
const NPM_OWN = new Set(["ci", "install", "i", "run", "config", "cache", "view", "pack", "link"]);
/** Its last column says how to see a row, in the words of a shell; it names no files of ours. */
const FEATURES = "docs/features.md";
const PROTOCOL = "PROTOCOL.md";
const SECURITY = "SECURITY.md";

export function checkDocs(root: string): string[] {
  const documents = globSync("**/*.md", { cwd: root, exclude: (name) => SKIPPED_FOLDERS.test(name) }).sort();
  const scripts = readScripts(root);
  const inDocuments = documents.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const links = deadLinks(root, file, text);
    return file === FEATURES
      ? links
      : [...links, ...deadPaths(root, file, text), ...unknownScripts(file, text, scripts)];
  });
  const security = existsSync(join(root, SECURITY)) ? readFileSync(join(root, SECURITY), "utf8") : "";
  return [
    ...inDocuments,
    ...unknownRules(SECURITY, security, readProtocol(root) ?? ""),
    ...unshown(SECURITY, security),
    ...unlistedFolders(root),
    ...unknownIds(root),
    ...staleSections(root, SECTIONS),
  ];
}

/** A rule that a document leans on must be one that PROTOCOL.md lays down, not only names. */
export function unknownRules(file: string, text: string, protocol: string): string[] {
  const rules = new Set([...text.matchAll(/\bR\d{2}\b/g)].map(([rule]) => rule));
  return [...rules]
    .filter((rule) => !protocol.includes(`**${rule}**`))
    .map((rule) => `${file}: names rule ${rule}, which PROTOCOL.md has not`);
}

/** What the table of adversaries says that somebody cannot do, without a test that shows it. */
export function unshown(file: string, text: string): string[] {
  const rows = text.split("\n").filter((line) => line.startsWith("| **"));
  return rows
    .flatMap((row) => (row.split("|")[3] ?? "").split(" · "))
    .filter((cannot) => cannot.trim() !== "" && !/\]\([^)]*\.(test|contract)\.tsx?\)/.test(cannot))
    .map((cannot) => `${file}: "${cannot.trim()}" links no test`);
}

/** `[text](path)` and `![text](path#part)`, from the document's own folder. */
export function deadLinks(root: string, file: string, text: string): string[] {
  return [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link.replace(/[#?].*$/, ""))
    .filter((link) => link !== "" && !/^[a-z]+:/i.test(link))
    .filter((link) => !existsSync(join(root, dirname(file), link)))
    .map((link) => `${file}: links to ${link}, which is not there`);
}

/** A path in backticks with a slash in it is a claim about the tree; stars stand for any name. */
export function deadPaths(root: string, file: string, text: string): string[] {
  const paths = [...withoutBlocks(text).matchAll(/`([\w.@*-]+(?:\/[\w.@*-]+)*\/?)`/g)]
    .map(([, path = ""]) => path)
    .filter((path) => path.includes("/") && !path.startsWith("@") && !UNTRACKED.test(path));
  return [...new Set(paths)]
    .filter((path) => {
      const places = [path, posix.join(posix.dirname(file), path)];
      const endings = ["", ".ts", ".tsx"];
      return !places.some((place) => endings.some((ending) => globSync(place + ending, { cwd: root }).length > 0));
    })
    .map((path) => `${file}: names \`${path}\`, which is not there`);
}

/** `npm start`, `npm run check`: what a document tells the reader to type must be in package.json. */
export function unknownScripts(file: string, text: string, scripts: ReadonlySet<string>): string[] {
  const named = [...text.matchAll(/\bnpm (run )?([a-z][\w:-]*)/g)]
    .filter(([, run, name = ""]) => run !== undefined || !NPM_OWN.has(name))
    .filter(([whole], at, all) => all.findIndex(([other]) => other === whole) === at)
    .map(([, run, name = ""]) => ({ run, name }));
  return named
    .filter(({ run, name }) => !scripts.has(name) && (run !== undefined || isCommand(text, name)))
    .map(({ name }) => `${file}: tells to run "${name}", which package.json has not`);
}

/** "npm could not" is a sentence; `npm start` is a command. */
function isCommand(text: string, name: string): boolean {
  return new RegExp(`(\`|^\\s*|\\$ )npm ${name}\\b`, "m").test(text);
}

/** ARCHITECTURE.md has a line for each workspace. */
function unlistedFolders(root: string): string[] {
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const listed = [...text.matchAll(/^- `([\w/]+)`/gm)].map(([, folder = ""]) => folder);
  const gone = listed.filter((folder) => !existsSync(join(root, folder)));
  const unlisted = readManifest(root).workspaces.filter(
    (name) => !listed.some((folder) => folder === name || folder.startsWith(`${name}/`)),
  );
  return [
    ...gone.map((folder) => `ARCHITECTURE.md: lists ${folder}, which is not there`),
    ...unlisted.map((folder) => `ARCHITECTURE.md: has no line for the workspace ${folder}`),
  ];
}

/** An id in a test's name that nothing has would be counted for nothing: rows of the feature list, rules of PROTOCOL.md. */
function unknownIds(root: string): string[] {
  const rows = new Set(readFeatures(root).map(({ id }) => id));
  const protocol = readProtocol(root);
  const tests = globSync("**/*.{test,contract}.{ts,tsx}", { cwd: root, exclude: (name) => SKIPPED_FOLDERS.test(name) });
  return tests.flatMap((file) => {
    const found = [...readFileSync(join(root, file), "utf8").matchAll(/\b(?:it|test|describe)\(\s*["'`](.*)/g)];
    const names = found.map(([, name = ""]) => name);
    const ids = new Set(names.flatMap(idsIn));
    const rules = new Set(names.flatMap((name) => [...name.matchAll(/\[(R\d+)\]/g)].map(([, rule = ""]) => rule)));
    return [
      ...[...ids].filter((id) => !rows.has(id)).map((id) => `${file}: names ${id}, which ${FEATURES} has not`),
      ...[...rules]
        .filter((rule) => protocol !== undefined && !new RegExp(`\\b${rule}\\b`).test(protocol))
        .map((rule) => `${file}: cites rule ${rule}, which PROTOCOL.md has not`),
    ];
  });
}

function readProtocol(root: string): string | undefined {
  return existsSync(join(root, PROTOCOL)) ? readFileSync(join(root, PROTOCOL), "utf8") : undefined;
}

function readScripts(root: string): ReadonlySet<string> {
  return new Set(Object.keys(readManifest(root).scripts));
}

function readManifest(root: string): { scripts: Record<string, string>; workspaces: string[] } {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as ReturnType<typeof readManifest>;
}

/** Fenced blocks are pictures, tables and transcripts. */
function withoutBlocks(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "");
}

if (process.argv[1] === import.meta.filename) {
  const faults = checkDocs(join(import.meta.dirname, ".."));
  for (const fault of faults) console.log(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
