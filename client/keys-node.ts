/** Keys in a folder: files that only their owner can read. */
import { randomBytes } from "node:crypto";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { signingKey } from "@flybridge/crypto/identity.ts";
import { nodeKey } from "@flybridge/crypto/suite-node.ts";
import { KEY_BYTES } from "@flybridge/crypto/suite.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/offer.ts";
import { fileTexts } from "./kept-node.ts";
import type { Keys } from "./keys.ts";
import { alone } from "./lock-node.ts";
import { guarded, readIfThere, replace } from "./store-file-node.ts";
import { StoreError } from "./store.ts";

export async function fileKeys(folder: string): Promise<Keys> {
  await guarded(() => mkdir(folder, { recursive: true, mode: 0o700 }));
  const pathOf = (what: string): string => join(folder, `${encodeURIComponent(what)}.secret`);
  return {
    ...fileTexts(folder),
    device: async () => nodeKey(await secretIn(join(folder, "device.key"))),
    proof: async () => signingKey(await secretIn(join(folder, "proof.key"))),
    secrets: (host) =>
      guarded(async () => {
        const text = await readIfThere(pathOf(host));
        return (text ?? "")
          .split("\n")
          .filter(Boolean)
          .map((line) => bytesOf(line, pathOf(host)));
      }),
    keep: (host, secrets) =>
      guarded(() => replace(pathOf(host), secrets.map((secret) => `${toBase64Url(secret)}\n`).join(""))),
    forget: (host) => guarded(() => replace(pathOf(host), undefined)),
    alone: (what, work, signal) => alone(`${pathOf(what)}.lock`, work, signal),
  };
}

/** What lies in a file, which is made where it is not there. */
function secretIn(path: string): Promise<Uint8Array> {
  return guarded(async () => {
    const text = (await readIfThere(path)) ?? (await createOnce(path, toBase64Url(randomBytes(KEY_BYTES))));
    return bytesOf(text, path);
  });
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
