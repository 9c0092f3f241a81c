/**
 * Files of a folder by a few letters of their path, to be mentioned in a prompt. It walks the folder itself, within
 * bounds, and runs no program in it: a repository's own settings are not to be trusted. Only names are read, and
 * `.gitignore` files.
 */
import type { Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { MAX_FILES_FOUND, MAX_PATH_CHARS } from "@flybridge/protocol/limits.ts";
import { ignoredBy, type Ignore, ignoreFrom } from "./ignore.ts";
import { scoreOf } from "./score.ts";

/** What is looked at before a walk is content with what it has: entries, folders deep, milliseconds. */
const MAX_ENTRIES = 100_000;
const MAX_DEPTH = 24;
const MAX_WALK_MS = 1_500;
/** How long a walk is searched again before the folder is walked anew, in milliseconds: as long as a word is typed. */
const FRESH_MS = 10_000;
/** Folders whose walks are kept. */
const MAX_WALKS = 4;
/** Work after which others come first, in milliseconds: terminals echo through the same process. */
const SLICE_MS = 3;
/** Bytes of one `.gitignore`. */
const MAX_IGNORE_BYTES = 256 * 1024;

/** Never what a person means, and large. */
const SKIPPED: ReadonlySet<string> = new Set([".git", ".hg", ".svn", "node_modules", ".venv", "__pycache__"]);

export interface Finder {
  /** Paths from the folder on, with `/`, best first; a folder's ends with one. Rejects when there is no such folder. */
  find(folder: string, text: string): Promise<string[]>;
}

export function makeFinder(now: () => number): Finder {
  /** The newest last. */
  const walks = new Map<string, { readonly at: number; readonly paths: Promise<readonly string[]> }>();

  const pathsIn = async (folder: string): Promise<readonly string[]> => {
    const root = await realpath(folder);
    const before = walks.get(root);
    if (before && Math.abs(now() - before.at) < FRESH_MS) return before.paths;
    const walk = { at: now(), paths: walked(root, now) };
    walks.delete(root);
    walks.set(root, walk);
    // A walk that failed is not kept for the next letter.
    walk.paths.catch(() => walks.delete(root));
    for (const old of [...walks.keys()].slice(0, -MAX_WALKS)) walks.delete(old);
    return walk.paths;
  };

  return {
    async find(folder, text) {
      const paths = await pathsIn(folder);
      const wanted = text.trim().replace(/^\.\//u, "");
      if (wanted === "") return paths.filter((path) => !/\/./u.test(path)).slice(0, MAX_FILES_FOUND);
      const scored: { readonly path: string; readonly score: number }[] = [];
      const breathe = breathing();
      for (const path of paths) {
        const pause = breathe();
        if (pause) await pause;
        const score = scoreOf(path, wanted);
        if (score !== undefined) scored.push({ path, score });
      }
      scored.sort((a, b) => b.score - a.score || a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
      return scored.slice(0, MAX_FILES_FOUND).map(({ path }) => path);
    },
  };
}

/** Folders near the root first, so that a walk that is cut short has what is looked for most. */
async function walked(root: string, now: () => number): Promise<string[]> {
  const end = now() + MAX_WALK_MS;
  const paths: string[] = [];
  let level: { readonly path: string; readonly ignores: readonly Ignore[] }[] = [{ path: "", ignores: [] }];
  const breathe = breathing();
  let seen = 0;
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const below: typeof level = [];
    for (const { path, ignores } of level) {
      const entries = await entriesIn(join(root, path), depth === 0);
      const own = entries.some(({ name }) => name === ".gitignore") ? await ignoreIn(root, path) : undefined;
      const all = own ? [...ignores, own] : ignores;
      for (const entry of entries) {
        if (++seen > MAX_ENTRIES || now() > end) return paths;
        const pause = breathe();
        if (pause) await pause;
        const isFolder = entry.isDirectory();
        if (isFolder && SKIPPED.has(entry.name)) continue;
        const whole = path + entry.name + (isFolder ? "/" : "");
        if (!isMentionable(whole) || ignoredBy(all, whole)) continue;
        if (isFolder) below.push({ path: whole, ignores: all });
        else if (!entry.isFile() && !(entry.isSymbolicLink() && (await isFileInside(root, whole)))) continue;
        paths.push(whole);
      }
    }
    level = below;
  }
  return paths;
}

/** Lets others run where this has run long enough. Costs a look at the clock now and then. */
function breathing(): () => Promise<void> | void {
  let since = performance.now();
  let count = 0;
  return () => {
    if (++count % 32 !== 0 || performance.now() - since < SLICE_MS) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}

/** What cannot be read is passed over; only the folder itself must be there. */
async function entriesIn(folder: string, must: boolean): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (must) throw error;
    return [];
  }
}

/** A line feed or an escape would end the mention, or the prompt; U+FFFD stands for bytes that name no file. */
function isMentionable(path: string): boolean {
  return path.length <= MAX_PATH_CHARS && !/[\p{Cc}\p{Zl}\p{Zp}\ufffd"]/u.test(path);
}

/** Links to folders are not followed at all; those to files only where they stay inside. */
async function isFileInside(root: string, path: string): Promise<boolean> {
  try {
    const real = await realpath(join(root, path));
    return real.startsWith(root.endsWith(sep) ? root : root + sep) && (await stat(real)).isFile();
  } catch {
    return false;
  }
}

async function ignoreIn(root: string, path: string): Promise<Ignore | undefined> {
  try {
    await using file = await open(join(root, path, ".gitignore"));
    const { size } = await file.stat();
    if (size > MAX_IGNORE_BYTES) return undefined;
    return ignoreFrom(path, await file.readFile("utf8"));
  } catch {
    return undefined;
  }
}
