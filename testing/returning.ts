/**
 * A device that comes back: it keeps its intents until they are answered and goes on from its last entry, whatever
 * becomes of the host in between. It folds nothing; what it was told is kept as it came, for the checker to read.
 */
import type { Entry } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { IntentId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { HostMessage } from "@flybridge/protocol/message.ts";
import type { Method, Params, Result } from "@flybridge/protocol/methods.ts";
import { BareDevice, newIntent, type Keys } from "./bare.ts";

/** Longer than any step of a test takes; a test that waits for what never comes then says for what. */
const PATIENCE_MS = 90_000;
/** A host that is up and refuses a device so often in a row will not take it any more. */
const MAX_REFUSALS = 10;

/** A delta as it came, with the last entry that had come before it. */
export interface HeardDelta {
  readonly item: ItemId;
  readonly offset: number;
  readonly text: string;
  readonly after: number;
  /** Counts the device's connections from 1. */
  readonly connection: number;
}

/** What happens around a device, for whoever ends hosts at chosen moments. */
export type Moment = "entry" | "delta" | "intent" | "reply";

export interface Around {
  readonly name: string;
  /** Resolves when a host is up, at once when one is. */
  up(): Promise<void>;
  /** True when that was the moment in which the host was ended. */
  happened?(moment: Moment): boolean;
  /** The next connection, by another way than its address; rejects where there will be none. */
  reconnect?(): Promise<BareDevice>;
}

export class ReturningDevice {
  readonly name: string;
  /** In the order in which they came, over all connections. */
  readonly entries: Entry[] = [];
  readonly deltas: HeardDelta[] = [];
  /** The last entry it had when each of its connections began. */
  readonly resumedAt: number[] = [];
  readonly #around: Around;
  readonly #keys: Keys;
  readonly #watchers = new Set<() => void>();
  #session: SessionId | undefined;
  #current: Promise<BareDevice>;
  #closed = false;

  /** Goes on with a device that is paired and connected. */
  constructor(device: BareDevice, around: Around) {
    this.name = around.name;
    this.#around = around;
    this.#keys = device.keys;
    this.#current = Promise.resolve(this.#adopt(device));
  }

  /** Resolves with the answer, however often it must be sent. Rejects with `CallError`. */
  async intend<M extends Method>(method: M, params: Params<M>, intent: IntentId = newIntent()): Promise<Result<M>> {
    for (;;) {
      const device = await this.#current;
      const answer = device.call(method, params, intent);
      this.#around.happened?.("intent");
      try {
        const result = await Promise.race([answer, device.ended.then(() => undefined)]);
        if (result === undefined) continue;
        // With the host, the reply is lost as well: what was stored and not heard of is the case to try.
        if (this.#around.happened?.("reply") !== true) return result;
        await device.ended;
      } catch (error) {
        if (error instanceof CallError) throw error;
        await device.ended;
      }
    }
  }

  /** The connection that it has, or the next one. */
  current(): Promise<BareDevice> {
    return this.#current;
  }

  async follow(session: SessionId): Promise<void> {
    const device = await this.#current;
    // Not before: a connection that comes meanwhile would follow by itself, and then once more here.
    this.#session = session;
    await this.#followOn(device, session);
  }

  /** Resolves with what `find` gives for one of the entries, there already or to come. */
  entry<T>(what: string, find: (entry: Entry) => T | undefined | false): Promise<T> {
    return this.until(what, () => {
      for (const entry of this.entries) {
        const found = find(entry);
        if (found !== undefined && found !== false) return found;
      }
      return undefined;
    });
  }

  /** Resolves with what `find` gives once it gives something; looks again after each message. */
  until<T>(what: string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        const newest = this.entries.slice(-6).map((entry) => JSON.stringify(entry).slice(0, 300));
        reject(new Error(`${this.name} waited in vain for ${what}. The last it was told:\n${newest.join("\n")}`));
      }, PATIENCE_MS);
      this.#watchers.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    (await this.#current).close();
  }

  /** Where the connection ends first, the next one follows. */
  async #followOn(device: BareDevice, session: SessionId): Promise<void> {
    await Promise.race([device.call("session.follow", { session, from: this.#last + 1 }), device.ended]).catch(
      () => undefined,
    );
  }

  get #last(): number {
    return this.entries.at(-1)?.seq ?? 0;
  }

  #adopt(device: BareDevice): BareDevice {
    this.resumedAt.push(this.#last);
    this.#listen(device, this.resumedAt.length);
    // First to hear of the end, so that whoever waits for it finds the next connection under way.
    void device.ended.then(() => {
      if (this.#closed) return;
      this.#current = this.#comeBack();
      // Whoever waits for it hears of the failure; here it only must not be lost.
      this.#current.catch(() => undefined);
    });
    if (this.#session !== undefined) void this.#followOn(device, this.#session);
    return device;
  }

  async #comeBack(): Promise<BareDevice> {
    if (this.#around.reconnect) return this.#adopt(await this.#around.reconnect());
    for (let refusals = 0; ; refusals += 1) {
      await this.#around.up();
      try {
        return this.#adopt(await BareDevice.reconnect(this.#keys));
      } catch (error) {
        if (refusals >= MAX_REFUSALS) throw new Error(`${this.name} cannot come back`, { cause: error });
      }
    }
  }

  #listen(device: BareDevice, connection: number): void {
    let heard = 0;
    const hear = (): undefined => {
      for (let next = device.messages[heard]; next; next = device.messages[heard]) {
        heard += 1;
        this.#hear(next, connection);
      }
    };
    device.until(hear).catch(() => undefined);
  }

  #hear(message: HostMessage, connection: number): void {
    if (message.t === "entries" && message.session === this.#session) {
      for (const entry of message.entries) {
        this.entries.push(entry);
        this.#around.happened?.("entry");
      }
    } else if (message.t === "delta" && message.session === this.#session) {
      this.deltas.push({ ...message.delta, after: this.#last, connection });
      this.#around.happened?.("delta");
    } else return;
    for (const look of this.#watchers) look();
  }
}
