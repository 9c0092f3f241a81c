/** Files of this machine that go with a prompt: `--file FILE`; `--attach` means following. */
import { openSync, closeSync, fstatSync, readFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Upload } from "@flybridge/protocol/attachment.ts";
import { MAX_ATTACHMENT_CHARS, MAX_ATTACHMENTS, MAX_LABEL_CHARS } from "@flybridge/protocol/limits.ts";
import { shortened, visibleLine } from "@flybridge/protocol/text.ts";
import { Fault, usage } from "./fault.ts";

/** Bytes of all of them: as base64 they are a third more. */
const MAX_BYTES = Math.floor(MAX_ATTACHMENT_CHARS / 4) * 3 - MAX_ATTACHMENTS * 3;

const TYPES: Record<string, string> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".pdf": "application/pdf",
  ".json": "application/json",
  ".md": "text/markdown",
  ".html": "text/html",
  ".csv": "text/csv",
  ".txt": "text/plain",
};

export const FILE = {
  type: "string",
  multiple: true,
  value: "FILE",
  about: "a picture or file that goes with the prompt",
} as const;

/** Read now, so that what is sent is what was there when the command was given. Throws usage and file faults. */
export function uploadsFrom(paths: readonly string[] | undefined): Upload[] {
  if (paths === undefined) return [];
  if (paths.length > MAX_ATTACHMENTS) throw usage(`${MAX_ATTACHMENTS} files at most go with one prompt.`);
  let bytes = 0;
  return paths.map((path) => {
    const content = contentOf(path);
    bytes += content.length;
    if (content.length === 0) throw new Fault("files", `${path} is empty: there is nothing to attach.`);
    if (bytes > MAX_BYTES)
      throw usage(
        `These files are too large: at most ${(MAX_BYTES / 1_000_000).toFixed(1)} MB go with one prompt. Put larger ones into the workspace and name them in the prompt.`,
      );
    const type = TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
    return { name: shortened(basename(path), MAX_LABEL_CHARS), type, data: content.toString("base64") };
  });
}

/** Throws a usage fault for an agent that would not see them. */
export function checkTaken(agent: AgentInfo | undefined, uploads: readonly Upload[]): void {
  if (!agent || uploads.length === 0) return;
  const other = uploads.find(({ type }) => !type.startsWith("image/"));
  if (agent.attaches === undefined) throw usage(`${visibleLine(agent.title)} takes nothing beside words.`);
  if (agent.attaches === "images" && other)
    throw usage(`${visibleLine(agent.title)} takes pictures only, and ${visibleLine(other.name)} is none.`);
}

/** Never more than may be sent, whatever the path leads to. */
function contentOf(path: string): Buffer {
  try {
    const file = openSync(path, "r");
    try {
      const found = fstatSync(file);
      if (!found.isFile()) throw new Error("it is not a file");
      if (found.size > MAX_BYTES)
        throw usage(
          `${path} has ${(found.size / 1_000_000).toFixed(1)} MB; at most ${(MAX_BYTES / 1_000_000).toFixed(1)} MB go with one prompt. Put it into the workspace and name it in the prompt.`,
        );
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("files", `${path} cannot be read: ${(error as Error).message}.`);
  }
}
