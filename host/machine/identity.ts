/** The host's own keys, made once and kept in one file. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type HeldSigningKey, hostIdOf, signingKey } from "@flybridge/crypto/identity.ts";
import type { AgreementKey } from "@flybridge/crypto/suite.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { MAX_DEVICE_NAME_CHARS } from "@flybridge/protocol/device.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/offer.ts";
import { shortened } from "@flybridge/protocol/text.ts";
import * as v from "valibot";
import { readPrivate, writePrivate } from "./files.ts";
import { nodeKey } from "@flybridge/crypto/suite-node.ts";

const SECRET_BYTES = 32;

/** Loose: what a newer version keeps beside it is not lost when this one writes the name. */
const File = v.looseObject({ static: v.string(), identity: v.string(), name: v.string() });

export interface Identity {
  readonly host: HostId;
  readonly name: string;
  readonly key: AgreementKey;
  /** HI: signs for the host. */
  readonly signing: HeldSigningKey;
}

/** Reads the file, or makes it. Throws when it is damaged: it must not be made anew in silence, every device would refuse. */
export function identityFrom(path: string, name: string | undefined): Identity {
  const text = readPrivate(path);
  const file = text === undefined ? made() : parsed(path, text);
  const named = { ...file, name: shortened((name ?? file.name).trim(), MAX_DEVICE_NAME_CHARS) || "host" };
  const key = nodeKey(secretFrom(path, file.static));
  const signing = signingKey(secretFrom(path, file.identity));
  if (text === undefined || named.name !== file.name) writePrivate(path, `${JSON.stringify(named, null, 2)}\n`);
  return { host: hostIdOf(key.publicKey, signing.publicKey) as HostId, name: named.name, key, signing };
}

function made(): v.InferOutput<typeof File> {
  return {
    static: toBase64Url(randomBytes(SECRET_BYTES)),
    identity: toBase64Url(randomBytes(SECRET_BYTES)),
    name: hostname().split(".")[0] ?? "",
  };
}

function parsed(path: string, text: string): v.InferOutput<typeof File> {
  try {
    return v.parse(File, JSON.parse(text));
  } catch {
    throw damaged(path);
  }
}

function secretFrom(path: string, text: string): Uint8Array {
  const secret = fromBase64Url(text, SECRET_BYTES);
  if (!secret?.some((byte) => byte !== 0)) throw damaged(path);
  return secret;
}

function damaged(path: string): Error {
  return new Error(
    `${path} is damaged: it holds the keys by which your devices know this host. Restore it from a backup; or remove it and pair every device again.`,
  );
}
