/**
 * A bare device: the seal and JSON, nothing of the client. It keeps every message it gets, so a test can say what a
 * device was told, in which order, without trusting the code that folds it.
 */
import { randomBytes } from "node:crypto";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import { type IntentId, type SessionId, uuid7From } from "@flybridge/protocol/ids.ts";
import { decodeHostMessage, encodeMessage, type HostMessage } from "@flybridge/protocol/message.ts";
import { METHODS, type Method, type Params, type Result } from "@flybridge/protocol/methods.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { decodeFrame, type Frame } from "@flybridge/protocol/terminal.ts";
import { webInflate } from "@flybridge/transport/inflate-web.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { PipeEnd, SecurePipe } from "@flybridge/transport/pipe.ts";
import type { Route } from "@flybridge/transport/secure.ts";
import { pairOver, reconnectOver } from "@flybridge/transport/secure/device.ts";
import { Streams } from "@flybridge/transport/streams.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket } from "ws";

/** A message that is JSON begins with a brace; a frame of a terminal with its kind, a small number. */
const JSON_BEGINS = 0x7b;

const suite = nodeSuite();

/** What a bare device needs to come back. */
export interface Keys {
  readonly secret: Uint8Array;
  readonly hostKey: Uint8Array;
  readonly host: string;
  readonly url: string;
  continuity: Uint8Array;
}

export class BareDevice {
  readonly keys: Keys;
  readonly messages: HostMessage[] = [];
  /** Settles when the connection ended, with how. */
  readonly ended: Promise<PipeEnd>;
  readonly #pipe: SecurePipe;
  readonly #open = new Map<number, { resolve: (ok: never) => void; reject: (error: Error) => void }>();
  readonly #watchers = new Set<() => void>();
  #number = 0;
  /** Hears what is drawn on terminals; the host's credit comes back when it is done. */
  #draw: (session: SessionId, frame: Frame) => void | Promise<void> = () => {};

  private constructor(pipe: SecurePipe, keys: Keys) {
    this.#pipe = pipe;
    this.keys = keys;
    this.ended = new Promise((resolve) => {
      pipe.listen({
        message: (_stream, bytes) => (bytes[0] === JSON_BEGINS ? this.#hear(bytes) : this.#see(bytes)),
        drained() {},
        ended: (end) => {
          for (const { reject } of this.#open.values())
            reject(new Error(`the connection ended: ${JSON.stringify(end)}`));
          for (const seen of this.#watchers) seen();
          resolve(end);
        },
      });
    });
  }

  /** Pairs by a connection string of a host on loopback; over `link`, when what travels is to be seen or spoilt. */
  static async pair(connection: string, name = "a bare device", link?: Link, route?: Route): Promise<BareDevice> {
    const { addresses, offer, secret: offered, hostKey } = parseConnection(connection);
    const url = `ws://${addresses[0].host}:${addresses[0].port}${LINK_PATH}`;
    const secret = new Uint8Array(randomBytes(32));
    const payload = new TextEncoder().encode(JSON.stringify({ name, kind: "phone" }));
    const { pipe, continuity, hello } = await pairOver(link ?? linkTo(url), {
      suite,
      hostKey,
      deviceKey: nodeKey(secret),
      offer,
      secret: offered,
      payload,
      inflate: webInflate,
      ...(route ? { route } : {}),
    });
    return new BareDevice(pipe, { secret, hostKey, host: hello.host, url, continuity });
  }

  static async reconnect(keys: Keys, link: Link = linkTo(keys.url), route?: Route): Promise<BareDevice> {
    const before = keys.continuity;
    const forget = (): void => {
      keys.continuity = before;
    };
    const { pipe, confirmed } = await reconnectOver(link, {
      suite,
      hostKey: keys.hostKey,
      hostId: keys.host,
      deviceKey: nodeKey(keys.secret),
      continuity: keys.continuity,
      payload: new Uint8Array(0),
      inflate: webInflate,
      ...(route ? { route } : {}),
      keep(next) {
        keys.continuity = next;
      },
    });
    // A host that did not say that it has the next secret may not have it; it still takes the one before.
    void confirmed.then((told) => {
      if (!told) forget();
    });
    return new BareDevice(pipe, keys);
  }

  /** Rejects with `CallError` when the host refuses. Intents get a new id unless one is given. */
  call<M extends Method>(method: M, params: Params<M>, intent: IntentId = newIntent()): Promise<Result<M>> {
    const call = this.#number++;
    const isIntent = METHODS[method].kind === "intent";
    return new Promise((resolve, reject) => {
      this.#open.set(call, { resolve: resolve as never, reject });
      const message = encodeMessage({ t: "call", call, method, params, ...(isIntent ? { intent } : {}) });
      if (!this.#pipe.send(Streams.calls, message)) reject(new Error("the connection has ended, or is full"));
    });
  }

  /** Bytes as they are, for the host to make of them what it can. */
  raw(stream: number, bytes: Uint8Array): void {
    this.#pipe.send(stream, bytes);
  }

  /** Entries of a session it was given, in the order in which they came. */
  entriesOf(session: SessionId): Entry[] {
    return this.messages.flatMap((message) =>
      message.t === "entries" && message.session === session ? message.entries : [],
    );
  }

  /** Resolves with what `find` gives once it gives something; looks again after each message. Rejects at the end. */
  until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      let over = false;
      const look = (): void => {
        const found = find();
        if (found !== undefined) {
          this.#watchers.delete(look);
          resolve(found);
        } else if (over) reject(new Error("the connection ended before it came"));
      };
      this.#watchers.add(look);
      void this.ended.then(() => {
        over = true;
        look();
      });
      look();
    });
  }

  untilEntry<T>(session: SessionId, find: (entry: Entry) => T | undefined | false): Promise<T> {
    return this.until(() => {
      for (const entry of this.entriesOf(session)) {
        const found = find(entry);
        if (found !== undefined && found !== false) return found;
      }
      return undefined;
    });
  }

  /** Each frame of the terminals it follows, from now on. Its bytes may share memory with others: copy what is kept. */
  draw(each: (session: SessionId, frame: Frame) => void | Promise<void>): void {
    this.#draw = each;
  }

  close(): void {
    this.#pipe.close("done");
  }

  async #see(bytes: Uint8Array): Promise<void> {
    const { session, frame } = decodeFrame(bytes);
    if (frame) await this.#draw(session, frame);
    for (const seen of this.#watchers) seen();
  }

  #hear(bytes: Uint8Array): void {
    const message = decodeHostMessage(bytes);
    if (!message) return;
    this.messages.push(message);
    if (message.t === "reply" || message.t === "fault") {
      const open = this.#open.get(message.call);
      this.#open.delete(message.call);
      if (message.t === "reply") open?.resolve(message.ok as never);
      else open?.reject(new CallError(message.error.code, message.error.message, message.error.details));
    }
    for (const seen of this.#watchers) seen();
  }
}

export function newIntent(): IntentId {
  return uuid7From(Date.now(), randomBytes(10));
}

export function linkTo(url: string): Link {
  return webSocketLink(new WebSocket(url, { perMessageDeflate: false, maxPayload: RECORD_BYTES }), {
    maxFrameBytes: RECORD_BYTES,
  });
}
