/** A relay as a process of its own, with a store of its own, that a test may end in any way. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import type { HostRelay } from "@flybridge/protocol/relays.ts";
import type { BareDevice } from "./bare.ts";

const RELAY = join(import.meta.dirname, "..", "relay", "main.ts");
const LOOK_MS = 50;
/** As `flybridge relay` gives itself one. */
const compiled = process.env["NODE_COMPILE_CACHE"];
const COMPILED = compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled };

interface Ready {
  readonly origin: string;
  readonly port: number;
  readonly pid: number;
  readonly invitation?: string;
}

export interface RunningRelay extends AsyncDisposable, Ready {
  /** Its store and secret. */
  readonly folder: string;
  /** What it logged. */
  readonly log: () => string;
  /** SIGKILL, or another; resolves when it is gone. */
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** On the same port and store. */
  restart(): Promise<void>;
}

/** Registration is open unless the environment says otherwise. */
export async function startRelay(
  options: {
    readonly env?: Readonly<Record<string, string>>;
    /** Words before its own, to start it in a network of its own. */
    readonly under?: readonly string[];
    /** Loopback unless it says otherwise, and any free port. */
    readonly address?: string;
    readonly port?: number;
  } = {},
): Promise<RunningRelay> {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-relay-"));
  let running: Ready & { readonly process: ChildProcess };
  let log = "";
  const start = async (port: number): Promise<void> => {
    const words = [...(options.under ?? []), process.execPath, RELAY] as const;
    const [program, ...rest] = words;
    const child = spawn(program, rest, {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: folder,
        FLYBRIDGE_RELAY_LISTEN: `${options.address ?? "127.0.0.1"}:${port}`,
        FLYBRIDGE_RELAY_DATA: join(folder, "data"),
        FLYBRIDGE_RELAY_REGISTRATION: "open",
        ...COMPILED,
        ...options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr.on("data", (bytes: Buffer) => (log += bytes.toString()));
    const lines = createInterface(child.stdout);
    const ready = await Promise.race([
      once(lines, "line").then(([line]) => JSON.parse(String(line)) as Ready),
      once(child, "exit").then(() => {
        throw new Error(`the relay did not start: ${log}`);
      }),
    ]);
    running = { process: child, ...ready };
  };
  const kill = async (signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> => {
    const { process: child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  };
  await start(options.port ?? 0);
  return {
    folder,
    get origin() {
      return running.origin;
    },
    get port() {
      return running.port;
    },
    get pid() {
      return running.pid;
    },
    get invitation() {
      return running.invitation as string;
    },
    log: () => log,
    kill,
    restart: () => start(running.port),
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the host is connected to its relay; `shell` asks it. */
export async function untilRelayed(shell: BareDevice, origin?: string): Promise<HostRelay> {
  for (;;) {
    const { relays } = await shell.call("relay.list", {});
    const found = relays.find((relay) => relay.status.kind === "live" && (origin ?? relay.origin) === relay.origin);
    if (found) return found;
    await setTimeout(LOOK_MS);
  }
}
