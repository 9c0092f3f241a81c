/**
 * The bus over NATS. A subject for each host, so that "no responders" tells at once that no node has it, and one for each
 * node. Nothing that goes over it is kept: what gets lost, the two ends of a circuit find out and mend. A connection that
 * ended is replaced by a new one under a new name, so that there is one way for all to begin.
 */
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import {
  connect,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
  RequestError,
  type Subscription,
  type TlsOptions,
} from "@nats-io/transport-node";
import { REFUSED_CODES, type RefusedCode } from "@flybridge/protocol/relay/words.ts";
import { type Bus, BusAway, type BusEvents } from "./bus.ts";

const PREFIX = "flybridge";
const NODE_BYTES = 12;
const PORT = "4222";
/** Milliseconds for a host's node to answer a join: it may have to ask the host. */
const ASK_MS = 12_000;
const QUERY_MS = 4_000;
/** Milliseconds for a connection to stand. */
const CONNECT_MS = 3_000;
/** Milliseconds until it is tried again; as much again is chance. */
const AGAIN_MS = 250;
/** Milliseconds between pings, of which two may be unanswered: then the server hangs, or the network to it. */
const PING_MS = 2_000;
const MAX_UNANSWERED = 2;
/** Milliseconds for what was said last to leave. */
const GOODBYE_MS = 1_000;
/** Bytes that wait for the server at which whoever sends is held, and at which they go on. */
const FULL_BYTES = 2 * 1024 * 1024;
const ROOM_BYTES = 1024 * 1024;
/** Bytes that may wait with what was on its way when they were held; beyond them whoever sends is cut off. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Bytes of a frame for which there is room beyond: that a circuit ends is to be known at its other end. */
const SMALL_BYTES = 256;
const RESERVE_BYTES = 1024 * 1024;
/** Bytes after which the server is asked whether it has them. */
const FLUSH_BYTES = 256 * 1024;
/** Keys, or hosts, in one message: far from the million bytes that a server takes. */
const MAX_NAMED = 1_000;
/** When a host was claimed, where that is this moment. */
const NOW = "now";

/**
 * A node that does not find its servers runs without them, for its own hosts, until they come: the first attempt is waited
 * for, and `log` hears why it failed. Nothing that a URL says of who we are is logged.
 */
export async function openNats(urls: readonly string[], log: (message: string) => void): Promise<Bus> {
  const bus = new NatsBus(optionsFrom(urls), log);
  await bus.tried;
  return bus;
}

interface Claim {
  /** Milliseconds since 1970, by this node's clock. */
  readonly at: number;
  subscription: Subscription | undefined;
}

class NatsBus implements Bus {
  /** The first attempt has come to something. */
  readonly tried: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #log: (message: string) => void;
  readonly #claims = new Map<string, Claim>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #node = newName();
  #connection: NatsConnection | undefined;
  #events: BusEvents | undefined;
  #waiting = 0;
  #unflushed = 0;
  #isFull = false;

  constructor(options: ConnectionOptions, log: (message: string) => void) {
    this.#options = options;
    this.#log = log;
    const tried = Promise.withResolvers<void>();
    this.tried = tried.promise;
    this.#running = this.#run(tried.resolve);
  }

  get node(): string {
    return this.#node;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  listen(events: BusEvents): void {
    this.#events = events;
  }

  end(keys: readonly string[], code: RefusedCode): void {
    for (const some of portions(keys)) this.#publish(`${PREFIX}.ended`, [this.#node, code, ...some].join(" "));
  }

  claim(rendezvous: string): Disposable {
    const claim: Claim = { at: Date.now(), subscription: this.#answerFor(rendezvous) };
    this.#claims.get(rendezvous)?.subscription?.unsubscribe();
    this.#claims.set(rendezvous, claim);
    this.#publish(`${PREFIX}.moved`, `${this.#node} ${rendezvous} ${NOW}`);
    return {
      [Symbol.dispose]: () => {
        if (this.#claims.get(rendezvous) !== claim) return;
        this.#claims.delete(rendezvous);
        claim.subscription?.unsubscribe();
      },
    };
  }

  ask(rendezvous: string, request: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#request(`${PREFIX}.host.${rendezvous}`, request, ASK_MS);
  }

  query(node: string, request: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#request(`${PREFIX}.query.${node}`, request, QUERY_MS);
  }

  send(node: string, frame: Uint8Array): boolean {
    const most = MAX_WAITING_BYTES + (frame.length <= SMALL_BYTES ? RESERVE_BYTES : 0);
    if (this.#waiting + frame.length > most || !this.#publish(`${PREFIX}.node.${node}`, frame)) return false;
    this.#waiting += frame.length;
    this.#unflushed += frame.length;
    if (this.#waiting > FULL_BYTES) this.#isFull = true;
    if (this.#unflushed >= FLUSH_BYTES) this.#flush();
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const connection = this.#connection;
    this.#stopping.abort();
    if (connection) {
      // Whoever asks this node from now on learns at once that it is gone.
      const goodbye = connection.drain().catch(() => {});
      await Promise.race([goodbye, delay(GOODBYE_MS, undefined, { ref: false })]);
      await connection.close();
    }
    await this.#running;
  }

  /** One connection after the other, until this is disposed of. */
  async #run(tried: () => void): Promise<void> {
    const { signal } = this.#stopping;
    let told: string | undefined;
    while (!signal.aborted) {
      try {
        const connection = await connect({ ...this.#options, name: `flybridge relay ${this.#node}` });
        const ended = connection.closed();
        if (signal.aborted) return await connection.close();
        void closeWhenStale(connection);
        this.#hear(connection);
        // What others send from now on comes.
        await Promise.race([connection.flush(), ended]);
        this.#connection = connection;
        this.#claimAgain();
        if (told !== undefined) this.#log("NATS is there, and other nodes with it");
        told = undefined;
        tried();
        await ended;
        this.#lose();
        if (!signal.aborted) this.#log((told = "the connection to NATS was lost"));
      } catch (error) {
        const why = `NATS cannot be used: ${reasonOf(error)}`;
        // As long as it is the same, once.
        if (why !== told) this.#log((told = why));
        tried();
      }
      await delay(AGAIN_MS * (1 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }

  #hear(connection: NatsConnection): void {
    const hear = (subject: string, heard: (message: Msg) => void): void =>
      void connection.subscribe(`${PREFIX}.${subject}`, {
        callback: (error, message) => void (error ?? heard(message)),
      });
    hear(`node.${this.#node}`, (message) => this.#events?.frame(message.data));
    hear(`query.${this.#node}`, (message) => answer(message, this.#events?.queried(message.data)));
    hear("moved", (message) => {
      const [at = "", ...claims] = message.string().split(" ");
      if (at === this.#node) return;
      for (let index = 0; index + 1 < claims.length; index += 2)
        this.#moved(at, claims[index] ?? "", claims[index + 1] ?? "");
    });
    hear("ended", (message) => {
      const [at, word, ...keys] = message.string().split(" ");
      const code = REFUSED_CODES.find((one) => one === word);
      if (at !== this.#node && code) this.#events?.ended(keys, code);
    });
  }

  /** A host may have gone elsewhere while there was no bus, or come from there. */
  #claimAgain(): void {
    for (const [rendezvous, claim] of this.#claims) claim.subscription = this.#answerFor(rendezvous);
    for (const some of portions([...this.#claims]))
      this.#publish(
        `${PREFIX}.moved`,
        [this.#node, ...some.flatMap(([rendezvous, { at }]) => [rendezvous, at])].join(" "),
      );
  }

  #lose(): void {
    this.#connection = undefined;
    this.#node = newName();
    this.#waiting = 0;
    this.#unflushed = 0;
    this.#isFull = false;
    this.#events?.cut();
  }

  #answerFor(rendezvous: string): Subscription | undefined {
    // One that is about to be lost takes none, and the next one is told of all.
    if (this.#connection?.isClosed() ?? true) return undefined;
    return this.#connection?.subscribe(`${PREFIX}.host.${rendezvous}`, {
      callback: (error, message) => {
        if (!error) answer(message, this.#events?.asked(rendezvous, message.data));
      },
    });
  }

  #moved(node: string, rendezvous: string, at: string): void {
    const own = this.#claims.get(rendezvous);
    // Who only says again what it has, after it was away, may have what is old.
    if (!own || at === NOW || own.at < Number(at)) this.#events?.moved(rendezvous, node);
    else if (own.at > Number(at)) this.#publish(`${PREFIX}.moved`, `${this.#node} ${rendezvous} ${own.at}`);
  }

  /** False when it cannot leave. */
  #publish(subject: string, payload: Uint8Array | string): boolean {
    try {
      this.#connection?.publish(subject, payload);
      return this.#connection !== undefined;
    } catch {
      // It is about to be lost, or takes less than a frame in one message.
      return false;
    }
  }

  /** Counts as gone what the server has. */
  #flush(): void {
    const connection = this.#connection;
    const flushed = this.#unflushed;
    this.#unflushed = 0;
    connection?.flush().then(
      () => {
        if (connection !== this.#connection) return;
        this.#waiting -= flushed;
        if (!this.#isFull || this.#waiting > ROOM_BYTES) return;
        this.#isFull = false;
        this.#events?.drained();
      },
      // The connection is gone, and so is what waited.
      () => {},
    );
  }

  async #request(subject: string, request: Uint8Array, timeout: number): Promise<Uint8Array | undefined> {
    if (!this.#connection) throw new BusAway("there is no connection to NATS");
    try {
      return (await this.#connection.request(subject, request, { timeout })).data;
    } catch (error) {
      if (error instanceof RequestError && error.isNoResponders()) return undefined;
      throw new BusAway(reasonOf(error));
    }
  }
}

function optionsFrom(urls: readonly string[]): ConnectionOptions {
  const servers = urls.map((url) => new URL(url));
  const known = servers.find(({ username }) => username !== "");
  const user = known && plain(known.username);
  const pass = known && plain(known.password);
  return {
    // Without who we are: the client takes none of it from there, and names servers in what it says.
    servers: servers.map(({ hostname, port }) => `${hostname}:${port || PORT}`),
    ...(user === undefined ? {} : pass ? { user, pass } : { token: user }),
    // One that asks for TLS is spoken to by nothing else, and what holds for one holds for all.
    ...(servers.some(({ protocol }) => protocol === "tls:") ? { tls: tlsTo(servers) } : {}),
    timeout: CONNECT_MS,
    reconnect: false,
    pingInterval: PING_MS,
    maxPingOut: MAX_UNANSWERED,
    // Those that were named, and none that one of them names.
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
}

/** Of a server that was dialled by its address, the client does not say which it was, and Node then asks for `localhost`. */
function tlsTo(servers: readonly URL[]): TlsOptions {
  const names = servers.map(({ hostname }) => hostname.replace(/^\[|\]$/gu, ""));
  const addresses = names.filter((name) => isIP(name) !== 0);
  const isLocalhostMeant = names.includes("localhost");
  const options = {
    checkServerIdentity(name: string, certificate: PeerCertificate): Error | undefined {
      const fault = checkServerIdentity(name, certificate);
      if (name !== "localhost" || addresses.length === 0) return fault;
      if (isLocalhostMeant && !fault) return undefined;
      const faults = addresses.map((address) => checkServerIdentity(address, certificate));
      return faults.includes(undefined) ? undefined : faults[0];
    },
  };
  return options as TlsOptions;
}

/** As it was before it was written into a URL. */
function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** Itself it would wait, without an end, until a server that hangs has taken what was said to it. */
async function closeWhenStale(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) if (type === "staleConnection") void connection.close();
}

function answer(message: Msg, reply: Promise<Uint8Array> | undefined): void {
  // Who asked finds out by the time it takes.
  reply?.then((bytes) => message.respond(bytes)).catch(() => {});
}

function* portions<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < all.length; from += MAX_NAMED) yield all.slice(from, from + MAX_NAMED);
}

function newName(): string {
  return randomBytes(NODE_BYTES).toString("base64url");
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
