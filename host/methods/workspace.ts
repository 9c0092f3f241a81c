/** Folders to start a session in. Only names of folders leave the host here, never a file's content. */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { CallError } from "@flybridge/protocol/error.ts";
import type { Folder } from "@flybridge/protocol/workspace.ts";
import type { Queries } from "../doors/desk.ts";
import type { Sessions } from "../live/sessions.ts";

const RECENT_FOLDERS = 30;
const MAX_FOLDERS_SHOWN = 500;
/** Bytes of `.git/HEAD` and of a worktree's `.git` file; real ones are far smaller. */
const MAX_HEAD_BYTES = 4_096;

export function workspaceQueries(
  sessions: Sessions,
  home: string,
): Pick<Queries, "workspace.list" | "workspace.browse"> {
  return {
    "workspace.list": async () => {
      const paths = [...new Set(sessions.list().map(({ state }) => state.workspace))].slice(0, RECENT_FOLDERS);
      const folders = await Promise.all(
        paths.map(async (path) => ((await isFolder(path)) ? folderAt(path) : undefined)),
      );
      return { folders: folders.filter((folder) => folder !== undefined), home };
    },
    "workspace.browse": async ({ path }) => {
      if (!isAbsolute(path)) throw new CallError("bad_params", "Give an absolute path.");
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined || !(await isFolder(real)))
        throw new CallError("not_found", `There is no folder ${path} on this host.`);
      const names = await namesIn(real);
      const folders = await Promise.all(names.map((name) => folderAt(join(real, name))));
      const parent = dirname(real);
      return { path: real, ...(parent === real ? {} : { parent }), folders };
    },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    return folders
      .map(({ name }) => name)
      .sort((a, b) => a.localeCompare(b))
      .slice(0, MAX_FOLDERS_SHOWN);
  } catch {
    throw new CallError("forbidden", `This host may not look into ${folder}.`);
  }
}

async function folderAt(path: string): Promise<Folder> {
  const branch = await branchOf(path);
  return { path, name: basename(path) || path, ...(branch === undefined ? {} : { branch }) };
}

/** The branch by the files of git, without running git in a folder that may be hostile (gitrepository-layout). */
async function branchOf(path: string): Promise<string | undefined> {
  const git = join(path, ".git");
  const pointer = (await isFolder(git)) ? git : /^gitdir: (.+)$/mu.exec((await headOf(git)) ?? "")?.[1];
  if (pointer === undefined) return undefined;
  const head = await headOf(join(isAbsolute(pointer) ? pointer : join(path, pointer), "HEAD"));
  return /^ref: refs\/heads\/(.+)$/mu.exec(head ?? "")?.[1] ?? head?.slice(0, 8);
}

async function headOf(path: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).size > MAX_HEAD_BYTES) return undefined;
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
