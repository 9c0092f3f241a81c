/** The keeper, as sessions use it: children by name, each with its own listener. */
import type { Exit, Child, ChildEvents, Hands } from "./child.ts";
import type { ChildOrder, Keeper, KeeperEvents, SpawnOrder } from "../machine/keeper.ts";

export interface KeeperHands extends Hands {
  /** Given to `connectKeeper`. */
  readonly events: KeeperEvents;
  /** With each connection, before anything else is called. */
  attach(keeper: Keeper): void;
  /** Ends and forgets children that nobody owns any more. */
  dismiss(isOwned: (name: string) => boolean): void;
}

/** Output of a terminal that nobody has stored yet, in bytes; at that bound its program waits. */
export const TERMINAL_SPOOL_BYTES = 32 * 1024 * 1024;

type Connection = {
  readonly spawn: (order: SpawnOrder) => Promise<{ readonly pid: number }>;
  readonly send: (order: ChildOrder) => void;
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function makeHands(options: {
  readonly lost: KeeperEvents["lost"];
  /** What agents make files with: the person's own, not the host's. */
  readonly umask: number;
  /** Of the terminal of a process. */
  readonly echoes: (pid: number) => Promise<boolean | undefined>;
  readonly log: (message: string, detail: Record<string, unknown>) => void;
}): KeeperHands {
  const listeners = new Map<string, ChildEvents>();
  const pids = new Map<string, number>();
  let connection: Connection | undefined;

  const send = (order: ChildOrder): void => connection?.send(order);

  const childOf = (name: string, pid: number): Child => ({
    pid,
    listen(events, from) {
      listeners.set(name, events);
      send({ type: "read", child: name, from });
    },
    read: (from) => send({ type: "read", child: name, from }),
    ack: (taken, stored) => send({ type: "ack", child: name, taken, stored }),
    write: (id, line) => send({ type: "input", child: name, id, bytes: encoder.encode(`${line}\n`) }),
    type: (id, keys) => send({ type: "input", child: name, id, bytes: encoder.encode(keys) }),
    resize: ({ cols, rows }) => send({ type: "resize", child: name, cols, rows }),
    echoes: () => options.echoes(pid),
    signal: (signal) => send({ type: "signal", child: name, signal, group: true }),
    forget() {
      listeners.delete(name);
      pids.delete(name);
      send({ type: "forget", child: name });
    },
  });

  return {
    events: {
      output: (child, offset, bytes) => listeners.get(child)?.output(offset, bytes),
      errors: () => {},
      exit: (child, exit) => listeners.get(child)?.exit(exitOf(exit)),
      settled(child, id, outcome) {
        if (outcome !== "taken") options.log("input was not put in", { child, id, outcome });
        // A full queue is the only reason that passes: what was refused stays owed, and is sent with the next thing.
        if (outcome === "input_full") listeners.get(child)?.full?.(id);
        else listeners.get(child)?.settled(id, outcome === "taken");
      },
      lost(reason) {
        connection = undefined;
        listeners.clear();
        pids.clear();
        options.lost(reason);
      },
    },
    attach(keeper) {
      connection = { spawn: (order) => keeper.spawn(order), send: (order) => keeper.send(order) };
      for (const [name, state] of keeper.hello.children) pids.set(name, state.pid);
    },
    async spawn({ name, argv, env, cwd, terminal }) {
      if (!connection) throw new Error("The keeper does not answer. It is being started again; try once more.");
      const { pid } = await connection.spawn({
        child: name,
        argv,
        env,
        cwd,
        terminal: terminal ?? null,
        umask: options.umask,
        spoolBytes: terminal ? TERMINAL_SPOOL_BYTES : null,
      });
      pids.set(name, pid);
      return childOf(name, pid);
    },
    find(name) {
      const pid = pids.get(name);
      return pid === undefined ? undefined : childOf(name, pid);
    },
    dismiss(isOwned) {
      for (const [name, pid] of pids) {
        if (isOwned(name)) continue;
        const child = childOf(name, pid);
        child.listen({ output: () => {}, exit: () => child.forget(), settled: () => {} }, 0);
        child.signal("SIGKILL");
      }
    },
  };
}

function exitOf(exit: Parameters<KeeperEvents["exit"]>[1]): Exit {
  return { code: exit.code, signal: exit.signal, end: exit.end, errors: decoder.decode(exit.errorsTail) };
}
