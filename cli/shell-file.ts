/**
 * The file by which this machine's own shell is a device of its host: the host writes it when it starts, the shell
 * writes back the secret that both sides share last. Whoever can read it can read the host's keys beside it.
 */
import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { stateFolder } from "@flybridge/protocol/home.ts";
import { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import { fromBase64Url, HOST_KEY_BYTES, SECRET_BYTES, toBase64Url } from "@flybridge/protocol/offer.ts";
import * as v from "valibot";
import { Fault } from "./fault.ts";

const PRIVATE_FILE = 0o600;

const bytes = (length: number) =>
  v.pipe(
    v.string(),
    v.check((text) => fromBase64Url(text, length) !== undefined),
  );

const ShellFile = v.object({
  host: HostId,
  name: v.string(),
  hostKey: bytes(HOST_KEY_BYTES),
  device: DeviceId,
  /** X25519 private key. */
  secret: bytes(SECRET_BYTES),
  continuity: bytes(SECRET_BYTES),
  /** Older ones that the host may still hold, because it has not said that it took the newest. */
  before: v.optional(v.array(bytes(SECRET_BYTES)), []),
  socket: v.pipe(v.string(), v.minLength(1)),
});
export type ShellFile = v.InferOutput<typeof ShellFile>;

/** What lies where in the state folder, as far as the shell looks into it. */
export interface State {
  readonly root: string;
  readonly shell: string;
  readonly log: string;
  /** Held by the host as long as it lives. */
  readonly lock: string;
  /** The process of the host that runs, or ran last. */
  readonly pid: string;
  /** The page that takes the desktop's browser to a link without naming the link on a command line. */
  readonly door: string;
}

export function stateOf(env: NodeJS.ProcessEnv): State {
  const root = resolve(stateFolder(env, process.platform, homedir()));
  return {
    root,
    shell: join(root, "cli.json"),
    log: join(root, "log", "host.log"),
    lock: join(root, "host.lock"),
    pid: join(root, "host.pid"),
    door: join(root, "open.html"),
  };
}

/** Undefined when no host has written it yet. Throws a `shell_file` fault when it cannot be read or understood. */
export function readShellFile(path: string): ShellFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Fault("shell_file", `${path} cannot be read: ${(error as Error).message}. Check who owns it.`);
  }
  try {
    return v.parse(ShellFile, JSON.parse(text));
  } catch {
    throw new Fault(
      "shell_file",
      `${path} is damaged: it holds the keys by which this shell reaches its host. Restart the host, which writes it anew: flybridge down, then flybridge up.`,
    );
  }
}

/** Newest first, in the order in which to try them. */
export function secretsOf(file: ShellFile): Uint8Array[] {
  return [file.continuity, ...file.before]
    .map((text) => fromBase64Url(text, SECRET_BYTES))
    .filter((secret) => secret !== undefined);
}

/** Writes the secrets into the file as it is now, whole or not at all. A file that is gone stays gone. */
export function keepSecrets(path: string, secrets: readonly Uint8Array[]): void {
  const file = readShellFile(path);
  const [continuity, ...before] = secrets.map(toBase64Url);
  if (!file || continuity === undefined) return;
  replaceFile(path, `${JSON.stringify({ ...file, continuity, before }, null, 2)}\n`);
}

export function replaceFile(path: string, text: string): void {
  const fresh = `${path}.${randomUUID()}`;
  try {
    const file = openSync(fresh, "wx", PRIVATE_FILE);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
