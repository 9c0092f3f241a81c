/** The way in from this machine: over the host's local socket, with the same handshake as every other device. */
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { fileTexts } from "@flybridge/client/kept-node.ts";
import { givenKeys } from "@flybridge/client/keys-given-node.ts";
import { alone } from "@flybridge/client/lock-node.ts";
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { nodePlatformOver } from "@flybridge/client/platform-node.ts";
import { type Connection, type KnownHost, Offline, type Replica } from "@flybridge/client/replica.ts";
import { memoryStore } from "@flybridge/client/store-memory.ts";
import type { IntentMethod, Params, Result } from "@flybridge/protocol/methods.ts";
import { fromBase64Url, SECRET_BYTES } from "@flybridge/protocol/offer.ts";
import { Fault } from "./fault.ts";
import { isHeld, notedPid } from "./lock.ts";
import { keepSecrets, readShellFile, secretsOf, type ShellFile, type State, stateOf } from "./shell-file.ts";
import { shellCell, until } from "./watch.ts";

/** How long a host may take to answer at all, or be away while a command waits for it, in milliseconds. */
const ANSWER_MS = 15_000;
/** How often commands that run side by side may have to begin again because each took the next secret. */
const CONNECT_TRIES = 5;

/** A connected host. What is asked of it and not answered in ANSWER_MS after the connection was lost is a `no_answer` fault. */
export interface LocalHost extends Disposable {
  readonly replica: Replica;
  readonly file: ShellFile;
  /** Resolves when the host has accepted it. */
  intend<M extends IntentMethod>(method: M, params: Params<M>): Promise<Result<M>>;
  /** Rejects with a fault once the host has been away for too long, or wants this shell no more. Never resolves. */
  readonly lost: Promise<never>;
}

/** Throws `not_running` with what to do, `shell_file`, `no_answer` or `refused`. */
export async function connectHost(env: NodeJS.ProcessEnv): Promise<LocalHost> {
  const state = stateOf(env);
  for (let tries = 1; ; tries++) {
    const file = readShellFile(state.shell);
    if (!file || !(await answers(file.socket))) throw notRunning(state);
    const host = await open(state, file);
    try {
      await Promise.race([until(host.replica.view, ({ connection }) => settled(connection)), host.lost]);
      return host;
    } catch (error) {
      host[Symbol.dispose]();
      // Others may have come in with the same secret so often that the host has let go of it: the file has a newer one.
      const isOld =
        error instanceof Fault &&
        error.code === "refused" &&
        readShellFile(state.shell)?.continuity !== file.continuity;
      if (!isOld || tries === CONNECT_TRIES) throw error;
    }
  }
}

/** Whether somebody listens at a socket. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function notRunning(state: State): Fault {
  if (isHeld(state))
    return new Fault(
      "no_answer",
      `A host${processText(state)} has ${state.root} and does not answer. It may be starting or stopping: try again. See flybridge logs.`,
    );
  return new Fault("not_running", `No host is running on ${state.root}. Start it with flybridge up.`);
}

function processText(state: State): string {
  const pid = notedPid(state);
  return pid === undefined ? "" : ` (process ${pid})`;
}

async function open(state: State, file: ShellFile): Promise<LocalHost> {
  const secret = fromBase64Url(file.secret, SECRET_BYTES);
  if (!secret)
    throw new Fault("shell_file", `${state.shell} is damaged. Restart the host: flybridge down, then flybridge up.`);
  const keys = givenKeys(secret, {
    secrets: () => Promise.resolve(secretsOf(readShellFile(state.shell) ?? file)),
    keep: (_host, secrets) => Promise.resolve(keepSecrets(state.shell, secrets)),
    forget: () => Promise.resolve(),
    alone: (_what, work, signal) => alone(`${state.shell}.lock`, work, signal),
    ...fileTexts(join(state.root, "cli")),
  });
  const store = memoryStore();
  const known: KnownHost = {
    host: file.host,
    name: file.name,
    addresses: [file.socket],
    hostKey: file.hostKey,
    device: file.device,
    paired: 0,
  };
  await store.write("hosts", file.host, JSON.stringify(known));
  const bridge = await makeBridge(nodePlatformOver({ keys, store, makeCell: shellCell }));
  const replica = bridge.replica(file.host);
  const closed = new AbortController();
  const lost = loss(replica, closed.signal);
  // Whoever waits for something waits for this as well; while nobody does, it is not news.
  lost.catch(() => {});
  return {
    replica,
    file,
    lost,
    intend: (method, params) => Promise.race([replica.intend(method, params).settled, lost]),
    [Symbol.dispose]() {
      closed.abort();
      bridge.close();
    },
  };
}

async function loss(replica: Replica, signal: AbortSignal): Promise<never> {
  for (;;) {
    const refused = await until(
      replica.view,
      ({ connection }) => (connection.kind === "live" ? undefined : connection),
      signal,
    );
    if (refused.kind === "refused") throw refusal(refused.reason);
    const patience = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const back = until(
      replica.view,
      ({ connection }) => (connection.kind === "live" || connection.kind === "refused" ? connection : undefined),
      patience,
    );
    await back.catch((error: unknown) => {
      if (signal.aborted) throw error;
      const { connection } = replica.view.value;
      const why = connection.kind === "offline" ? ` ${connection.reason}` : "";
      throw new Fault("no_answer", `The host does not answer.${why} See flybridge logs, or flybridge doctor.`);
    });
  }
}

function settled(connection: Connection): true | undefined {
  if (connection.kind === "refused") throw refusal(connection.reason);
  return connection.kind === "live" ? true : undefined;
}

function refusal(reason: Extract<Connection, { kind: "refused" }>["reason"]): Fault {
  switch (reason) {
    case "revoked":
      return new Fault(
        "refused",
        "The host no longer knows this shell. Restart it, and it pairs the shell anew: flybridge down, then flybridge up.",
      );
    case "suspended":
      return new Fault(
        "refused",
        "The host saw two copies of this shell's keys and lets neither in. Somebody may have copied its state folder. Restart the host, and it pairs the shell anew: flybridge down, then flybridge up.",
      );
    case "expired":
    case "session_ended":
    case "detached":
      return new Fault("refused", "What was granted to this shell is over.");
    case "wrong_host":
    case "wrong_certificate":
      return new Fault(
        "refused",
        "Another host answers at the socket than the one in cli.json. Restart it: flybridge down, then flybridge up.",
      );
    case "too_new":
    case "too_old":
      return new Fault(
        "refused",
        "The host that runs and this command are of different versions. Restart the host: flybridge down, then flybridge up.",
      );
  }
}

/** A query's answer. */
export async function ask<T>(host: LocalHost, answer: Promise<T>): Promise<T> {
  try {
    return await Promise.race([answer, host.lost]);
  } catch (error) {
    if (error instanceof Offline)
      throw new Fault("no_answer", `The connection to the host was cut: ${error.message} Try again.`);
    throw error;
  }
}
