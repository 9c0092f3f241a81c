/** Keys in a folder: files that only their owner can read. */
import { randomBytes } from "node:crypto";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeKey } from "@flybridge/crypto/suite-node.ts";
import { KEY_BYTES } from "@flybridge/crypto/suite.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/offer.ts";
import type { Keys } from "./keys.ts";
import { alone } from "./lock-node.ts";
import { readIfThere, replace } from "./store-file-node.ts";
import { StoreError } from "./store.ts";

export async function fileKeys(folder: string): Promise<Keys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const devicePath = join(folder, "device.key");
  const pathOf = (host: string): string => join(folder, `${encodeURIComponent(host)}.secret`);
  return {
    async device() {
      const text =
        (await readIfThere(devicePath)) ?? (await createOnce(devicePath, toBase64Url(randomBytes(KEY_BYTES))));
      return nodeKey(bytesOf(text, devicePath));
    },
    async secrets(host) {
      const text = await readIfThere(pathOf(host));
      return (text ?? "")
        .split("\n")
        .filter(Boolean)
        .map((line) => bytesOf(line, pathOf(host)));
    },
    keep: (host, secrets) => replace(pathOf(host), secrets.map((secret) => `${toBase64Url(secret)}\n`).join("")),
    forget: (host) => replace(pathOf(host), undefined),
    alone: (host, work, signal) => alone(`${pathOf(host)}.lock`, work, signal),
  };
}

/** What the file holds afterwards: linking fails when another process was first, and then theirs is the one. */
async function createOnce(path: string, text: string): Promise<string> {
  const temporary = `${path}.${toBase64Url(randomBytes(8))}`;
  await writeFile(temporary, text, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(temporary, path);
    return text;
  } catch (error) {
    const theirs = await readIfThere(path);
    if (theirs === undefined) throw error;
    return theirs;
  } finally {
    await rm(temporary, { force: true });
  }
}

function bytesOf(text: string, path: string): Uint8Array {
  const bytes = fromBase64Url(text.trim(), KEY_BYTES);
  if (!bytes) throw new StoreError("blocked", `${path} is damaged. Remove it and pair again.`);
  return bytes;
}
