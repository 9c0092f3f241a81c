/**
 * The keeper: the children, and the one host that is connected now, if any. It knows no agents, sessions or networks.
 */
import type { Socket } from "node:net";
import { Child, type ChildEvents } from "./child.ts";
import { Connection } from "./connection.ts";
import { Failure } from "./program.ts";
import { CHILDREN_MAX, type Order, type SpawnOrder, WIRE_VERSION } from "./wire.ts";

/** A keeper that holds nothing and that nobody talks to for this long has no reason to stay. */
const IDLE_MS = 60_000;

type ChildOrder = Exclude<Order, { type: "hello" | "spawn" | "shutdown" }>;

export interface KeeperOptions {
  readonly spoolFolder: string;
  /** What children get, unless their order says otherwise. */
  readonly umask: number;
  /** Called once, when every child is gone. */
  ended(): void;
}

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #startedAt = Date.now();
  readonly #children = new Map<string, Child>();
  /** Children on their way, so that an order repeated meanwhile starts nothing. */
  readonly #spawning = new Map<string, Promise<Child>>();
  #host: Connection | null = null;
  #ending = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#awaitHost();
  }

  accept(socket: Socket): void {
    new Connection(socket, {
      order: (connection, order) => this.#obey(connection, order),
      closed: (connection) => {
        if (connection !== this.#host) return;
        this.#host = null;
        this.#awaitHost();
      },
    });
  }

  /** Ends every child, then says that it has ended. */
  async shutdown(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    await Promise.allSettled(this.#spawning.values());
    await Promise.all([...this.#children.values()].map((child) => child.end()));
    this.#options.ended();
  }

  #obey(from: Connection, order: Order): void {
    if (order.type === "hello") return this.#greet(from, order.wire);
    // Before its hello, or after a newer host took over, nobody gives orders.
    if (from !== this.#host) return;
    switch (order.type) {
      case "spawn":
        void this.#spawn(from, order);
        return;
      case "shutdown":
        void this.shutdown();
        return;
      default:
        return this.#obeyForChild(from, order);
    }
  }

  #greet(from: Connection, wire: number): void {
    const pid = process.pid;
    if (wire !== WIRE_VERSION) {
      const message = `this keeper speaks version ${WIRE_VERSION} of its wire, the host ${wire}; end it and what it holds with: flybridge down --all`;
      return from.leave({ type: "refused", code: "wire_version", message, wire: WIRE_VERSION, pid });
    }
    if (from !== this.#host) this.#host?.leave({ type: "replaced" });
    this.#host = from;
    clearTimeout(this.#idleTimer);
    from.greeted();
    const children = [...this.#children.values()].map((child) => child.state);
    from.report({ type: "hello", wire: WIRE_VERSION, pid, startedAt: this.#startedAt, children });
  }

  async #spawn(from: Connection, order: SpawnOrder): Promise<void> {
    try {
      from.report({ type: "spawned", state: (await this.#spawned(order)).state });
    } catch (error) {
      fail(from, "spawn", order.child, null, error);
    }
  }

  async #spawned(order: SpawnOrder): Promise<Child> {
    const known = this.#children.get(order.child) ?? this.#spawning.get(order.child);
    if (known) return known;
    if (this.#ending) throw new Failure("shutting_down", "this keeper is ending; start a new one");
    if (this.#children.size + this.#spawning.size >= CHILDREN_MAX) {
      throw new Failure("too_many_children", `a keeper holds ${CHILDREN_MAX} children; end some`);
    }
    const { spoolFolder, umask } = this.#options;
    const spawning = Child.spawn(order, spoolFolder, umask, this.#heard);
    this.#spawning.set(order.child, spawning);
    try {
      const child = await spawning;
      this.#children.set(order.child, child);
      return child;
    } finally {
      this.#spawning.delete(order.child);
    }
  }

  #obeyForChild(from: Connection, order: ChildOrder): void {
    const id = "id" in order ? order.id : null;
    try {
      const child = this.#children.get(order.child);
      if (!child) throw new Failure("unknown_child", "there is no such child; it was forgotten, or never was");
      switch (order.type) {
        case "input":
        case "endInput":
          child.input(order.id, order.type === "input" ? order.bytes : null);
          return from.confirm(child, order.id);
        case "read":
          return from.read(child, order.from);
        case "ack":
          child.forget(order.stored);
          return from.taken(child, order.taken);
        case "resize":
          return child.resize(order.cols, order.rows);
        case "signal":
          return child.signal(order.signal, order.group);
        case "forget":
          if (!child.exit) throw new Failure("alive", "the child is alive; end it first");
          from.forget(child);
          this.#children.delete(child.id);
          return child[Symbol.dispose]();
        default:
          order satisfies never;
      }
    } catch (error) {
      fail(from, order.type, order.child, id, error);
    }
  }

  readonly #heard: ChildEvents = {
    grew: (child) => this.#host?.grew(child),
    errors: (child, offset, bytes) => this.#host?.errors(child, offset, bytes),
    died: (child) => this.#host?.exited(child),
  };

  #awaitHost(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => {
      if (this.#children.size + this.#spawning.size === 0) void this.shutdown();
    }, IDLE_MS);
  }
}

function fail(to: Connection, order: string, child: string, id: string | null, error: unknown): void {
  if (!(error instanceof Failure)) throw error;
  to.report({ type: "failed", order, child, id, code: error.code, message: error.message });
}
