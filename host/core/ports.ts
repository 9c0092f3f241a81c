/** What the domain needs of the machine. Each port has one contract suite, run by every implementation. */
import type { AuditHead, AuditRow } from "@flybridge/protocol/audit.ts";
import type { Attachment, Upload } from "@flybridge/protocol/attachment.ts";
import type { Device } from "@flybridge/protocol/device.ts";
import type { Delta, Entry } from "@flybridge/protocol/entry.ts";
import type { FeedEntry, FeedFact } from "@flybridge/protocol/feed.ts";
import type { DeviceId, IntentId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Rule } from "@flybridge/protocol/rule.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import type { Frame } from "@flybridge/protocol/terminal.ts";

/** Where an agent's process stands, stored with the entries that came of its output. */
export interface AgentMark {
  /** Counts the processes of the session from 1; with the session's id it names the keeper's child. */
  readonly launch: number;
  /** Bytes of its output that have been heard. */
  readonly offset: number;
  /** The last entry of a device's that the agent was told of. */
  readonly acted: number;
  /** The agent's memory as JSON text: a copy, for the memory itself is changed in place. */
  readonly memory: string;
  /** Lines for its input that the keeper has not confirmed, with their ids, as JSON text; absent where there are none. */
  readonly owed?: string | undefined;
}

export interface StoredSession {
  readonly state: SessionState;
  readonly mark: AgentMark;
}

/** One step of one session: it is stored whole or not at all. */
export interface Append {
  readonly session: SessionId;
  readonly state: SessionState;
  readonly entries: readonly Entry[];
  readonly mark?: AgentMark;
  /** The intent that caused it, with what it is answered; a repeat finds it. */
  readonly intent?: { readonly id: IntentId; readonly by: DeviceId; readonly answer: unknown };
  readonly feed?: FeedFact;
}

export interface Journal {
  /**
   * Stores steps in one transaction; when it returns they are there after a crash of the host, and with `flushed` also
   * after a loss of power. Throws `StorageError` and stores nothing when it cannot.
   */
  append(steps: readonly Append[], flushed: boolean): FeedEntry[];
  /** Entries from `from` on, in order: at most `limit`, fewer when they come to more than `chars` characters, one at least. */
  read(session: SessionId, from: number, limit: number, chars: number): Entry[];
  /** Entries before `before`, in order, bounded the same way from the newest on. */
  readBack(session: SessionId, before: number, limit: number, chars: number): Entry[];
  /** The entries of one item from its beginning to before `before`. */
  readItem(session: SessionId, item: ItemId, before: number): Entry[];
  /** What an intent was answered, when it was stored. */
  answered(intent: IntentId, by: DeviceId): { readonly answer: unknown } | undefined;
}

export interface SessionShelf {
  list(): StoredSession[];
  get(session: SessionId): StoredSession | undefined;
  remove(session: SessionId): FeedEntry;
}

export interface FeedShelf {
  /** Newest fact about each thing, of those after `from`, in order. */
  after(from: number): FeedEntry[];
  /** The number of the newest fact. */
  last(): number;
  put(fact: FeedFact): FeedEntry;
}

export type NewRule = Omit<Rule, "rule" | "made" | "used" | "last">;

/** Standing rules. Those of a session end with the host; the others are in a file that a person can read. */
export interface RuleShelf {
  /** Newest first. */
  list(): readonly Rule[];
  /** The rule that allows this request, in this session or anywhere; it counts as used. */
  use(fingerprint: string, session: SessionId): Rule | undefined;
  /** Keeps a rule; where the same is there already, that one stays. Throws `StorageError` and keeps nothing when it cannot. */
  make(rule: NewRule): Rule;
  /** Ends a rule; nothing when there is none. Throws `StorageError` when it cannot. */
  revoke(rule: Rule["rule"]): void;
}

/** The bytes of what is attached to prompts, by hash. */
export interface AttachmentShelf {
  /** Keeps it, also over a loss of power. Throws `CallError("bad_params")` for what is no attachment, or `StorageError`. */
  put(upload: Upload): Attachment;
  /** Undefined when it is not there any more. */
  get(hash: Attachment["hash"]): { readonly path: string; readonly data: string } | undefined;
  /** Drops what none of these names. */
  keepOnly(hashes: ReadonlySet<Attachment["hash"]>): void;
}

/** Which sessions name which attachments: of the journal, written with its entries. */
export interface AttachmentNames {
  /** Whether a prompt of the session has it. */
  has(session: SessionId, hash: Attachment["hash"]): boolean;
  /** Every one that some session names. */
  all(): Set<Attachment["hash"]>;
}

/** The continuity secrets of a device, 32 bytes each. */
export interface Secrets {
  /** The newest with which it has come in. */
  readonly current: Uint8Array;
  /** What it was given then, and comes with next; it may not have kept it. */
  readonly pending?: Uint8Array | undefined;
  /** What was replaced, newest first: whoever comes with one of these is a copy, or has one. */
  readonly retired: readonly Uint8Array[];
}

/** A device as the host keeps it. */
export interface StoredDevice {
  readonly device: Omit<Device, "connected" | "viewing">;
  readonly secrets: Secrets;
}

export interface DeviceShelf {
  list(): StoredDevice[];
  put(device: StoredDevice): void;
  /** All of them, or none. */
  remove(devices: readonly DeviceId[]): void;
}

/** A relay that the host is reached by, as kept between starts. */
export interface StoredRelay {
  readonly origin: string;
  /** Base64url. */
  readonly rendezvous: string;
  /** What the host shows there to be let in again. */
  readonly session?: string | undefined;
  /** Whose devices are let in, and what proves that they are its; base64url. */
  readonly account?: { readonly key: string; readonly pairing: string; readonly endorsement: string } | undefined;
}

export interface RelayShelf {
  list(): readonly StoredRelay[];
  /** In place of what is kept of that relay, or beside the others. Throws and keeps nothing when it cannot. */
  put(relay: StoredRelay): void;
  remove(origin: string): void;
  /** Devices that no account brings in. */
  isBarred(device: DeviceId): boolean;
  /** Holds at once. What cannot be written down holds as long as the host runs. */
  bar(devices: readonly DeviceId[]): void;
  readmit(device: DeviceId): void;
}

export interface AuditShelf {
  /** Row and head together, or neither. Throws `StorageError`. */
  append(row: AuditRow, head: AuditHead): void;
  head(): AuditHead | undefined;
  /** Rows before `before` (the newest when absent), oldest first: at most `limit`. */
  page(before: number | undefined, limit: number): AuditRow[];
  /** Every row, oldest first. */
  rows(): Iterable<AuditRow>;
}

/** One device's end of what it follows in a session. */
export interface Sink {
  /** Whether the device takes more now. When it does again, whoever owns the sink says so to what is followed. */
  ready(): boolean;
  entries(entries: readonly Entry[]): void;
  delta(delta: Delta): void;
  /** The session is gone; nothing follows. */
  gone(reason: string): void;
}

/** One device's end of a terminal that it looks at. */
export interface ScreenSink {
  /** Whether the device takes more now. When it does again, whoever owns the sink says so to what is followed. */
  ready(): boolean;
  /** Bytes given to it that it has not taken. */
  waiting(): number;
  frame(frame: Frame): void;
}

/** One device's end of the feed. */
export interface FeedSink {
  ready(): boolean;
  facts(facts: readonly FeedEntry[]): void;
}

/** Nothing was stored. `full`: the disk is; `newer`: the database is of a newer Flybridge; `broken`: anything else. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly fault: "full" | "newer" | "broken";
  constructor(fault: StorageError["fault"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
