/** What is attached to prompts, as files that only the owner can read: each is named by what is in it. */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Attachment, Upload } from "@flybridge/protocol/attachment.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { type AttachmentShelf, StorageError } from "../core/ports.ts";
import { privateFolder } from "./files.ts";

/** Bytes of all attachments of one host; removing sessions makes room. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024 * 1024;
const PRIVATE_FILE = 0o600;

interface Kept {
  readonly file: string;
  readonly size: number;
}

/** Makes the folder where there is none. Only one host at a time uses it: whoever has the state folder. */
export function openAttachments(folder: string): AttachmentShelf {
  privateFolder(folder);
  const kept = keptIn(folder);
  let bytes = [...kept.values()].reduce((sum, { size }) => sum + size, 0);
  /** Put by this process and not yet seen among what is named: the entry that names it may still be on its way. */
  const fresh = new Set<Attachment["hash"]>();

  return {
    put(upload) {
      const content = bytesOf(upload);
      const hash = createHash("sha256").update(content).digest("hex");
      const type = typeOf(content, upload.type);
      if (!kept.has(hash)) {
        if (bytes + content.length > MAX_KEPT_BYTES)
          throw new CallError(
            "too_many",
            "This host keeps 4 GB of attachments already. Remove sessions that have ended.",
          );
        const file = `${hash}.${extensionOf(upload.name, type)}`;
        guarded(() => write(folder, file, content));
        kept.set(hash, { file, size: content.length });
        bytes += content.length;
      }
      fresh.add(hash);
      return { name: upload.name, type, size: content.length, hash };
    },
    get(hash) {
      const file = kept.get(hash)?.file;
      if (file === undefined) return undefined;
      const path = join(folder, file);
      const content = contentOf(path);
      // A file that was changed is not what the person attached.
      if (!content || createHash("sha256").update(content).digest("hex") !== hash) return undefined;
      return { path, data: content.toString("base64") };
    },
    keepOnly(hashes) {
      for (const [hash, { file, size }] of kept) {
        if (hashes.has(hash)) fresh.delete(hash);
        else if (!fresh.has(hash)) {
          rmSync(join(folder, file), { force: true });
          kept.delete(hash);
          bytes -= size;
        }
      }
    },
  };
}

/** What is there; what a crash left half written goes. */
function keptIn(folder: string): Map<Attachment["hash"], Kept> {
  const kept = new Map<Attachment["hash"], Kept>();
  for (const file of readdirSync(folder)) {
    if (file.endsWith(".new")) rmSync(join(folder, file), { force: true });
    const hash = /^([0-9a-f]{64})\.[a-z0-9]{1,8}$/u.exec(file)?.[1];
    const found = lstatSync(join(folder, file), { throwIfNoEntry: false });
    if (hash !== undefined && found?.isFile()) kept.set(hash, { file, size: found.size });
  }
  return kept;
}

/** Strictly RFC 4648 §4: what decodes in two ways would have two hashes. */
function bytesOf({ name, data }: Upload): Buffer {
  const content = Buffer.from(data, "base64");
  if (content.toString("base64") !== data)
    throw new CallError("bad_params", `${JSON.stringify(name)} is not base64 with padding: nothing was attached.`);
  if (content.length === 0)
    throw new CallError("bad_params", `${JSON.stringify(name)} is empty: there is nothing to attach.`);
  return content;
}

/** Of images, what their bytes say: a model refuses one that is called by another's name, and all that follows it. */
function typeOf(content: Buffer, said: string): string {
  const found = IMAGES.find(({ is }) => is(content))?.type;
  if (found !== undefined) return found;
  if (IMAGES.some(({ type }) => type === said)) return "application/octet-stream";
  return said;
}

const at = (content: Buffer, offset: number, bytes: string): boolean =>
  content.subarray(offset, offset + bytes.length).toString("latin1") === bytes;

const IMAGES: readonly { readonly type: string; readonly extension: string; is(content: Buffer): boolean }[] = [
  { type: "image/png", extension: "png", is: (content) => at(content, 0, "\x89PNG\r\n\x1a\n") },
  { type: "image/jpeg", extension: "jpg", is: (content) => at(content, 0, "\xff\xd8\xff") },
  { type: "image/gif", extension: "gif", is: (content) => at(content, 0, "GIF87a") || at(content, 0, "GIF89a") },
  { type: "image/webp", extension: "webp", is: (content) => at(content, 0, "RIFF") && at(content, 8, "WEBP") },
];

/** The one part of a name that reaches a path, so that an agent's tools know what they open. */
function extensionOf(name: string, type: string): string {
  const image = IMAGES.find((one) => one.type === type);
  if (image) return image.extension;
  const said = /\.([a-z0-9]{1,8})$/iu.exec(name)?.[1]?.toLowerCase();
  return said ?? (type.startsWith("text/") ? "txt" : "bin");
}

/** After a loss of power it is there whole, or not at all. */
function write(folder: string, file: string, content: Buffer): void {
  const path = join(folder, file);
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  try {
    const opened = openSync(fresh, "wx", PRIVATE_FILE);
    try {
      writeFileSync(opened, content);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  const opened = openSync(folder, "r");
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

function contentOf(path: string): Buffer | undefined {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return fstatSync(file).isFile() ? readFileSync(file) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new StorageError("full", "The disk is full: the attachment could not be stored. Free some space.", {
        cause: error,
      });
    throw new StorageError("broken", `The attachment could not be stored: ${message}.`, { cause: error });
  }
}
