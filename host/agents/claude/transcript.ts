/** Claude's own record of a conversation, as far as starting a process needs it: whether there is one to resume. */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { configFolder } from "./install.ts";

/**
 * `none`: the id is free. `stored`: it can be resumed. `broken`: a process died before it stored its first prompt;
 * Claude then neither resumes the id nor lets it be used again.
 */
export type Transcript = "none" | "stored" | "broken";

/** They lie in one folder per workspace, under a name that Claude makes from its path: all are looked into. */
export async function transcriptOf(env: Readonly<Record<string, string>>, conversation: string): Promise<Transcript> {
  const projects = join(configFolder(env), "projects");
  const folders = await readdir(projects).catch(() => []);
  const found = await Promise.all(folders.map((folder) => inspect(join(projects, folder, `${conversation}.jsonl`))));
  return found.find((one) => one === "stored") ?? found.find((one) => one === "broken") ?? "none";
}

/** The first prompt stands near the beginning, so a long file is not read. */
async function inspect(path: string): Promise<Transcript> {
  const file = await open(path).catch(() => undefined);
  if (!file) return "none";
  try {
    for await (const line of file.readLines({ autoClose: false })) {
      if (/"type":"(?:user|assistant)"/u.test(line)) return "stored";
    }
    return "broken";
  } finally {
    await file.close();
  }
}
