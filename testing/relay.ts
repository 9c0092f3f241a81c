/** A relay as a process of its own, with a store of its own, that a test may end in any way. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { HostRelay } from "@flybridge/protocol/relays.ts";
import type { BareDevice } from "./bare.ts";
import { type Program, startProgram } from "./program.ts";

const RELAY = join(import.meta.dirname, "..", "relay", "main.ts");
const LOOK_MS = 50;

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
  let log = "";
  const start = (port: number): Promise<Program<Ready>> =>
    startProgram([RELAY], {
      under: options.under,
      env: {
        HOME: folder,
        FLYBRIDGE_RELAY_LISTEN: `${options.address ?? "127.0.0.1"}:${port}`,
        FLYBRIDGE_RELAY_DATA: join(folder, "data"),
        FLYBRIDGE_RELAY_REGISTRATION: "open",
        ...options.env,
      },
      wrote: (text) => (log += text),
    });
  let running = await start(options.port ?? 0);
  const kill = (signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> => running.end(signal);
  return {
    folder,
    get origin() {
      return running.ready.origin;
    },
    get port() {
      return running.ready.port;
    },
    get pid() {
      return running.ready.pid;
    },
    get invitation() {
      return running.ready.invitation as string;
    },
    log: () => log,
    kill,
    async restart() {
      running = await start(running.ready.port);
    },
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
