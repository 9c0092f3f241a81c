/**
 * The bus over NATS. A subject for each host, so that "no responders" tells at once that no node has it, and one for each
 * node. Nothing that goes over it is kept: what gets lost, the two ends of a circuit find out and mend.
 */
import { randomBytes } from "node:crypto";
import { connect, type Msg, type NatsConnection, RequestError, type Subscription } from "@nats-io/transport-node";
import { REFUSED_CODES, type RefusedCode } from "@flybridge/protocol/relay/words.ts";
import { type Bus, BusAway, type BusEvents } from "./bus.ts";

const PREFIX = "flybridge";
const NODE_BYTES = 12;
/** Milliseconds for a host's node to answer a join: it may have to ask the host. */
const ASK_MS = 12_000;
const QUERY_MS = 4_000;
/** Milliseconds between tries to reach a server again. */
const RECONNECT_MS = 500;
/** Bytes that may wait for the server; beyond them whoever sends is cut off. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Bytes after which the server is asked whether it has them. */
const FLUSH_BYTES = 1024 * 1024;

/** Rejects when no server can be reached. */
export async function openNats(servers: readonly string[], log: (message: string) => void): Promise<Bus> {
  const node = randomBytes(NODE_BYTES).toString("base64url");
  const connection = await connect({
    servers: [...servers],
    name: `flybridge relay ${node}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    // A publish while there is no server would wait, and be a surprise later.
    waitOnFirstConnect: false,
    pingInterval: 5_000,
    maxPingOut: 2,
  }).catch((error: unknown) => {
    throw new Error(
      `NATS cannot be reached: ${error instanceof Error ? error.message : String(error)}. See that the servers in NATS_URL run.`,
    );
  });
  return new NatsBus(node, connection, log);
}

class NatsBus implements Bus {
  readonly node: string;
  readonly #connection: NatsConnection;
  readonly #subscriptions: Subscription[] = [];
  #events: BusEvents | undefined;
  #isConnected = true;
  #waiting = 0;
  #unflushed = 0;

  constructor(node: string, connection: NatsConnection, log: (message: string) => void) {
    this.node = node;
    this.#connection = connection;
    this.#subscriptions.push(
      connection.subscribe(`${PREFIX}.node.${node}`, {
        callback: (error, message) => {
          if (!error) this.#events?.frame(message.data);
        },
      }),
      connection.subscribe(`${PREFIX}.query.${node}`, {
        callback: (error, message) => {
          if (!error) answer(message, this.#events?.queried(message.data));
        },
      }),
      connection.subscribe(`${PREFIX}.moved`, {
        callback: (error, message) => {
          const [rendezvous = "", at = ""] = error ? [] : message.string().split(" ");
          if (at !== "" && at !== node) this.#events?.moved(rendezvous, at);
        },
      }),
    );
    this.#subscriptions.push(
      connection.subscribe(`${PREFIX}.ended`, {
        callback: (error, message) => {
          const [at, word, ...keys] = error ? [] : message.string().split(" ");
          const code = REFUSED_CODES.find((one) => one === word);
          if (at !== node && code) this.#events?.ended(keys, code);
        },
      }),
    );
    void this.#watch(log);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  listen(events: BusEvents): void {
    this.#events = events;
  }

  end(keys: readonly string[], code: RefusedCode): void {
    if (this.#isConnected) this.#connection.publish(`${PREFIX}.ended`, [this.node, code, ...keys].join(" "));
  }

  claim(rendezvous: string): Disposable {
    const subscription = this.#connection.subscribe(`${PREFIX}.host.${rendezvous}`, {
      callback: (error, message) => {
        if (!error) answer(message, this.#events?.asked(rendezvous, message.data));
      },
    });
    if (this.#isConnected) this.#connection.publish(`${PREFIX}.moved`, `${rendezvous} ${this.node}`);
    return { [Symbol.dispose]: () => subscription.unsubscribe() };
  }

  ask(rendezvous: string, request: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#request(`${PREFIX}.host.${rendezvous}`, request, ASK_MS);
  }

  query(node: string, request: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#request(`${PREFIX}.query.${node}`, request, QUERY_MS);
  }

  send(node: string, frame: Uint8Array): boolean {
    if (!this.#isConnected || this.#waiting + frame.length > MAX_WAITING_BYTES) return false;
    this.#waiting += frame.length;
    this.#unflushed += frame.length;
    this.#connection.publish(`${PREFIX}.node.${node}`, frame);
    if (this.#unflushed >= FLUSH_BYTES) this.#flush();
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.drain().catch(() => this.#connection.close());
  }

  /** Counts as gone what the server has. */
  #flush(): void {
    const flushed = this.#unflushed;
    this.#unflushed = 0;
    this.#connection.flush().then(
      () => (this.#waiting -= flushed),
      // The connection is gone, and so is what waited.
      () => {},
    );
  }

  async #request(subject: string, request: Uint8Array, timeout: number): Promise<Uint8Array | undefined> {
    if (!this.#isConnected) throw new BusAway("there is no connection to NATS");
    try {
      return (await this.#connection.request(subject, request, { timeout })).data;
    } catch (error) {
      if (error instanceof RequestError && error.isNoResponders()) return undefined;
      throw new BusAway(error instanceof Error ? error.message : String(error));
    }
  }

  async #watch(log: (message: string) => void): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect" || type === "staleConnection") {
        this.#isConnected = false;
        this.#waiting = 0;
        this.#unflushed = 0;
        log("the connection to NATS was lost");
        this.#events?.cut();
      } else if (type === "reconnect") {
        this.#isConnected = true;
        log("the connection to NATS is back");
      }
    }
  }
}

function answer(message: Msg, reply: Promise<Uint8Array> | undefined): void {
  // Who asked finds out by the time it takes.
  reply?.then((bytes) => message.respond(bytes)).catch(() => {});
}
