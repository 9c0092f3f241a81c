/** A host as a process of its own, in folders of its own, that a test may end in any way; its keeper ends with the test. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone } from "@flybridge/client/lock-node.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import type { Verb } from "@flybridge/protocol/grant.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import { BareDevice, newIntent, type Keys } from "./bare.ts";
import { type Program, startProgram } from "./program.ts";

/** A shell that waits its turn longer than that waits for one that hangs. */
const SHELL_MS = 60_000;
const HOST = join(import.meta.dirname, "..", "host", "main.ts");

interface Tls {
  readonly address: string;
  readonly port: number;
  readonly fingerprint: string;
}

/** What a host says when it is ready. */
interface Ready {
  readonly port: number;
  readonly tls?: Tls;
  readonly pid: number;
  readonly socket: string;
}

export interface World extends AsyncDisposable {
  /** FLYBRIDGE_HOME of the host. */
  readonly state: string;
  /** An empty folder: HOME of the host and its agents, and where workspaces go. */
  readonly home: string;
  readonly port: number;
  /** Its door beyond this machine, where `args` bind one. */
  readonly tls: Tls;
  /** The host's local socket. */
  readonly socket: string;
  /** The host's process. */
  readonly pid: number;
  /** What the host wrote to its error output. */
  readonly errors: () => string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same folders and port. */
  restart(): Promise<void>;
  /** The shell of this machine, as a bare device. */
  shell(): Promise<BareDevice>;
  /** A new device, paired by an offer. */
  pair(name?: string): Promise<BareDevice>;
  /** A new device with whom the owner shared one session. */
  share(session: SessionId, verbs: readonly Verb[], name?: string): Promise<BareDevice>;
}

export async function startWorld(
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly port?: number;
    readonly args?: readonly string[];
    /** Words before the host's own, to start it elsewhere: in a network of its own. */
    readonly under?: readonly string[];
    /** FLYBRIDGE_HOME, where it is not to lie in a folder of the world's own. */
    readonly state?: string;
  } = {},
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-"));
  const state = options.state ?? join(folder, "state");
  const home = mkdtempSync(join(folder, "home-"));
  let errors = "";
  const start = (port: number): Promise<Program<Ready>> =>
    startProgram([HOST, "--port", String(port), "--name", "test host", ...(options.args ?? [])], {
      under: options.under,
      env: {
        HOME: home,
        FLYBRIDGE_HOME: state,
        // A developer's own is not to be shown a test's conversations.
        FLYBRIDGE_CODEX_DESKTOP: "off",
        ...options.env,
      },
      wrote: (text) => (errors += text),
    });
  let running = await start(options.port ?? 0);
  const startAgain = async (): Promise<void> => {
    running = await start(running.ready.port);
  };

  const world: World = {
    state,
    home,
    get port() {
      return running.ready.port;
    },
    get tls() {
      assert.ok(running.ready.tls, "the host was told to bind nothing");
      return running.ready.tls;
    },
    get socket() {
      return running.ready.socket;
    },
    get pid() {
      return running.ready.pid;
    },
    errors: () => errors,
    kill: () => running.end("SIGKILL"),
    restart: startAgain,
    async shell() {
      const path = join(state, "cli.json");
      // One after the other, as commands do: each takes the next secret.
      const comeIn = async (): Promise<BareDevice> => {
        const device = await BareDevice.reconnect(keysIn(path));
        await device.until(() => device.messages.find(({ t }) => t === "welcome"));
        return device;
      };
      return alone(`${path}.lock`, comeIn, AbortSignal.timeout(SHELL_MS));
    },
    async pair(name) {
      const shell = await world.shell();
      const { connection } = await shell.call("offer.make", {}, newIntent());
      shell.close();
      return BareDevice.pair(connection, name);
    },
    async share(session, verbs, name) {
      const shell = await world.shell();
      const { connection } = await shell.call("session.share", { session, verbs: [...verbs] }, newIntent());
      shell.close();
      return BareDevice.pair(connection, name);
    },
    async [Symbol.asyncDispose]() {
      // The host ends its keeper and the agents with it; without a host, one is started to do so.
      if (!running.isRunning) await startAgain();
      const exit = once(running.process, "exit");
      try {
        const shell = await world.shell();
        await shell.call("host.stop", { keeper: true });
      } catch (error) {
        // What is left running would keep the test's file from ending.
        await running.end("SIGKILL");
        throw error;
      }
      await exit;
      // An agent that is ending may write its last into it.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
  return world;
}

/** What lies in the file of this machine's shell; the newest secret is written back, as the shell itself does. */
export function keysIn(path: string): Keys {
  const read = (): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const bytes = (name: string): Uint8Array => fromBase64Url(String(read()[name]), 32) ?? new Uint8Array(32);
  return {
    secret: bytes("secret"),
    hostKey: bytes("hostKey"),
    host: String(read()["host"]),
    url: `ws+unix://${String(read()["socket"])}:${LINK_PATH}`,
    get continuity() {
      return bytes("continuity");
    },
    set continuity(next) {
      writeFileSync(path, JSON.stringify({ ...read(), continuity: toBase64Url(next), before: [] }));
    },
  };
}
