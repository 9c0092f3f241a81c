/**
 * The wire between a host and its keeper: a hello each way, then orders down and reports up, on one unix socket.
 *
 *     host                                     keeper
 *      hello {wire} ------------------------->
 *        <------------------------------------ hello {wire, pid, startedAt, children}   or   refused {code}, then cut
 *      spawn {child, argv, env, cwd, ...} --->
 *        <------------------------------------ spawned {state}                          or   failed {order, code}
 *      read {child, from} ------------------->
 *        <------------------------------------ output {child, offset} + bytes           (at most 1 MiB not yet taken;
 *                                                                                          128 KiB of a terminal)
 *      ack {child, taken, stored} ----------->                                          (stored bytes are forgotten)
 *      input {child, id} + bytes ------------>
 *        <------------------------------------ taken {child, id}                        or   failed {order, id, code}
 *        <------------------------------------ exit {child, code, signal, end} + tail of stderr
 *      forget {child} ----------------------->
 *
 * A frame: u32 length of what follows | u8 code of the message | u32 length of the head | head, JSON | bytes, raw.
 * All integers big-endian. Only `input`, `output`, `errors` and `exit` carry bytes.
 *
 * `hello` and `refused` keep their codes and fields for ever, so that any two versions can tell each other apart.
 * A message with an unknown code is answered `unsupported` and otherwise ignored; unknown fields are ignored. Anything
 * else that is not as written here is a `WireError`, and whoever sees one cuts the connection.
 */

export const WIRE_VERSION = 1;

/** Fits a prompt of 5 MB of which JSON escapes every character. */
export const FRAME_MAX_BYTES = 32 * 1024 * 1024;
/** Until its hello a peer may not make us hold more than this. */
export const HELLO_FRAME_MAX_BYTES = 4 * 1024;
export const ID_MAX_CHARS = 128;
/** Linux refuses a single argument or variable above 128 KiB (MAX_ARG_STRLEN); we refuse it before the fork. */
export const ARGUMENT_MAX_CHARS = 128 * 1024;
export const ARGUMENTS_MAX = 4096;
export const CHILDREN_MAX = 512;
export const TERMINAL_MAX_CELLS = 4096;

/** Output bytes sent to a host that it has not yet taken. */
export const IN_FLIGHT_MAX_BYTES = 1024 * 1024;
/**
 * The same of a terminal, and what it may write before a connected host has taken what it wrote before: then its program
 * waits. This is what lies between a Ctrl-C and its effect.
 */
export const TERMINAL_IN_FLIGHT_MAX_BYTES = 128 * 1024;
/** Output bytes in one frame. */
export const OUTPUT_FRAME_BYTES = 64 * 1024;
/** Unacknowledged output kept in memory, per child; more goes to the spool. */
export const MEMORY_MAX_BYTES = 256 * 1024;
/** Unacknowledged output kept on disk, per child, if its spawn order does not say otherwise. */
export const SPOOL_DEFAULT_BYTES = 256 * 1024 * 1024;
/** The newest stderr bytes kept, per child. */
export const ERRORS_MAX_BYTES = 64 * 1024;
/** Input waiting for a child that does not read it. */
export const INPUT_QUEUE_MAX_BYTES = 64 * 1024 * 1024;
/** Ids of applied inputs remembered, per child. */
export const INPUT_IDS_MAX = 4096;

/** The other side broke the rules above. `code` is `oversize` or `malformed`. */
export class WireError extends Error {
  readonly code: "oversize" | "malformed";
  constructor(code: "oversize" | "malformed", message: string) {
    super(message);
    this.code = code;
  }
}

// What a field may be. A guard, so that the type follows from the table and is written once.
type Guard<T> = (value: unknown) => value is T;
type Guarded<G> = G extends Guard<infer T> ? T : never;
type Shape = Readonly<Record<string, Guard<unknown>>>;
type Shaped<S extends Shape> = { readonly [K in keyof S]: Guarded<S[K]> };

const text =
  (maxChars: number): Guard<string> =>
  (value): value is string =>
    typeof value === "string" && value.length <= maxChars;
/** Passed to exec, where a NUL would silently end the string. */
const argument: Guard<string> = (value): value is string =>
  typeof value === "string" && value.length <= ARGUMENT_MAX_CHARS && !value.includes("\0");
const id: Guard<string> = (value): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= ID_MAX_CHARS;
const count: Guard<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const cells: Guard<number> = (value): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= TERMINAL_MAX_CELLS;
const flag: Guard<boolean> = (value): value is boolean => typeof value === "boolean";
const orNull =
  <T>(guard: Guard<T>): Guard<T | null> =>
  (value): value is T | null =>
    value === null || guard(value);
const listOf =
  <T>(guard: Guard<T>, max: number): Guard<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.length <= max && value.every(guard);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const shape =
  <const S extends Shape>(fields: S): Guard<Shaped<S>> =>
  (value): value is Shaped<S> =>
    isObject(value) && Object.entries(fields).every(([name, guard]) => guard(value[name]));
const argv: Guard<readonly [string, ...string[]]> = (value): value is readonly [string, ...string[]] =>
  listOf(argument, ARGUMENTS_MAX)(value) && value.length > 0 && value[0] !== "";
const environment: Guard<Readonly<Record<string, string>>> = (value): value is Readonly<Record<string, string>> =>
  isObject(value) &&
  Object.keys(value).length <= ARGUMENTS_MAX &&
  Object.entries(value).every(([name, content]) => /^[^=\0]+$/.test(name) && argument(content));

/** The signals a host may ask for. */
export const SIGNALS = ["SIGINT", "SIGTERM", "SIGKILL", "SIGHUP", "SIGQUIT", "SIGSTOP", "SIGCONT", "SIGUSR1"] as const;
export type Signal = (typeof SIGNALS)[number];
const signal: Guard<Signal> = (value): value is Signal => (SIGNALS as readonly unknown[]).includes(value);

const exitShape = {
  /** Null when a signal ended it. */
  code: orNull(count),
  signal: orNull(text(16)),
} as const;
export type ChildExit = Shaped<typeof exitShape>;

const stateShape = {
  child: id,
  pid: count,
  kind: (value): value is "pipes" | "terminal" => value === "pipes" || value === "terminal",
  /** Null while it lives. A dead child stays listed, with what it wrote, until it is forgotten. */
  exit: orNull(shape(exitShape)),
  /** Output is numbered from 0: bytes [start, end) are still held. */
  start: count,
  end: count,
  /** The same for stderr, of which only the newest are held. */
  errorsStart: count,
  errorsEnd: count,
  /** Inputs applied so far. */
  inputs: count,
} as const satisfies Shape;
export type ChildState = Shaped<typeof stateShape>;

const spawnShape = {
  child: id,
  /** The program, looked up in `env.PATH` unless it has a slash, and its arguments. */
  argv,
  /** The whole environment: nothing is inherited. */
  env: environment,
  cwd: argument,
  /** Null: plain pipes. */
  terminal: orNull(shape({ cols: cells, rows: cells })),
  /** Null: the mask the keeper was started with. The keeper's own is 077. */
  umask: orNull(count),
  /** Null: `SPOOL_DEFAULT_BYTES`. At this bound the keeper stops reading from the child; it drops nothing. */
  spoolBytes: orNull(count),
} as const satisfies Shape;
export type SpawnOrder = Shaped<typeof spawnShape>;

interface Kind {
  readonly code: number;
  readonly fields: Shape;
  readonly bytes?: true;
}
type Messages<K extends Readonly<Record<string, Kind>>> = {
  [T in keyof K]: { readonly type: T } & Shaped<K[T]["fields"]> &
    (K[T] extends { readonly bytes: true } ? { readonly bytes: Uint8Array } : unknown);
}[keyof K];

const ORDERS = {
  hello: { code: 1, fields: { wire: count } },
  /** Answered once: `spawned`, or `failed`. Repeating a child id answers the child there is. */
  spawn: { code: 2, fields: spawnShape },
  /** Written whole and in order, once per id. Answered `taken`, also for a repeat, or `failed`. */
  input: { code: 3, fields: { child: id, id }, bytes: true },
  /** Closes the child's stdin after what was put in before; on a terminal, types ^D. Counts as an input. */
  endInput: { code: 4, fields: { child: id, id } },
  /** (Re)starts delivery at this offset, with the stderr still held; of a dead child also its exit. */
  read: { code: 5, fields: { child: id, from: count } },
  /** `taken`: handled up to here, send more. `stored`: durable up to here, may be forgotten. */
  ack: { code: 6, fields: { child: id, taken: count, stored: count } },
  resize: { code: 7, fields: { child: id, cols: cells, rows: cells } },
  /** `group`: the child and all its descendants that did not leave its process group. */
  signal: { code: 8, fields: { child: id, signal, group: flag } },
  /** Drops a dead child and what it wrote; `failed` with `alive` if it lives. */
  forget: { code: 9, fields: { child: id } },
  /** Ends every child (SIGTERM, SIGKILL after 3 s) and then the keeper. */
  shutdown: { code: 10, fields: {} },
} as const satisfies Record<string, Kind>;
export type Order = Messages<typeof ORDERS>;

/** `unsupported`: an order this keeper is too old to know. */
export const FAILURES = [
  "program_missing",
  "program_not_executable",
  "cwd_missing",
  "spawn_failed",
  "too_many_children",
  "shutting_down",
  "unknown_child",
  "exited",
  "alive",
  "input_full",
  "not_a_terminal",
  "spool_unreadable",
] as const;
export type FailureCode = (typeof FAILURES)[number];

const REPORTS = {
  hello: {
    code: 65,
    fields: { wire: count, pid: count, startedAt: count, children: listOf(shape(stateShape), CHILDREN_MAX) },
  },
  /** Instead of a hello. `pid` lets a host of another version end this keeper with SIGTERM. */
  refused: { code: 66, fields: { code: text(64), message: text(1024), wire: count, pid: count } },
  spawned: { code: 67, fields: { state: shape(stateShape) } },
  /** An order that could not be followed. `id` names the input; else it is null. */
  failed: { code: 68, fields: { order: text(64), child: id, id: orNull(id), code: text(64), message: text(1024) } },
  output: { code: 69, fields: { child: id, offset: count }, bytes: true },
  /** stderr. Best effort: a gap in the offsets is what a slow host missed. */
  errors: { code: 70, fields: { child: id, offset: count }, bytes: true },
  taken: { code: 71, fields: { child: id, id, inputs: count } },
  /** At once, also before the last output was delivered: that ends at `end`. The bytes are the newest stderr. */
  exit: { code: 72, fields: { child: id, ...exitShape, end: count }, bytes: true },
  /** A newer host took over; the connection ends. */
  replaced: { code: 73, fields: {} },
  unsupported: { code: 74, fields: { code: count } },
} as const satisfies Record<string, Kind>;
export type Report = Messages<typeof REPORTS>;

export interface Frame {
  readonly code: number;
  readonly head: unknown;
  readonly bytes: Uint8Array;
}

const PREFIX_BYTES = 4;
const FIXED_BYTES = 1 + 4;
/** So few bytes are copied beside their head: a second write costs more, and wakes the other side twice. */
const COPIED_MAX_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);

/** The buffers of one frame, to be written one after the other; the message's bytes are not copied. */
export const encodeOrder = (order: Order): readonly Uint8Array[] => encode(ORDERS, order);
export const encodeReport = (report: Report): readonly Uint8Array[] => encode(REPORTS, report);

/** Null: a code of a newer peer, to be answered `unsupported`. Throws WireError. */
export const decodeOrder = (frame: Frame): Order | null => decode(ORDERS, frame) as Order | null;
export const decodeReport = (frame: Frame): Report | null => decode(REPORTS, frame) as Report | null;

/** Cuts a stream of chunks, however they fall, into frames. After a WireError it is of no further use. */
export class FrameReader {
  /** The largest frame taken from now on, in bytes after the length. */
  maxBytes: number;
  #chunks: Uint8Array[] = [];
  #held = 0;
  #wanted = PREFIX_BYTES;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  *push(chunk: Uint8Array): Generator<Frame, void> {
    this.#chunks.push(chunk);
    this.#held += chunk.byteLength;
    while (this.#held >= this.#wanted) {
      // Joined only when a whole frame is here, so that a large frame in small chunks is copied once.
      const held = joined(this.#chunks);
      const length = held.readUInt32BE(0);
      if (length > this.maxBytes)
        throw new WireError("oversize", `a frame of ${length} bytes; the limit is ${this.maxBytes}`);
      if (length < FIXED_BYTES) throw new WireError("malformed", `a frame of ${length} bytes`);
      const end = PREFIX_BYTES + length;
      const whole = held.byteLength >= end;
      const rest = whole ? held.subarray(end) : held;
      this.#chunks = rest.byteLength === 0 ? [] : [rest];
      this.#held = rest.byteLength;
      this.#wanted = whole ? PREFIX_BYTES : end;
      if (whole) yield parseFrame(held.subarray(PREFIX_BYTES, end));
    }
  }
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  const [first = NOTHING] = chunks;
  return chunks.length > 1 ? Buffer.concat(chunks) : Buffer.from(first.buffer, first.byteOffset, first.byteLength);
}

function parseFrame(frame: Buffer): Frame {
  const headLength = frame.readUInt32BE(1);
  if (headLength > frame.byteLength - FIXED_BYTES)
    throw new WireError("malformed", "the head is longer than its frame");
  const headEnd = FIXED_BYTES + headLength;
  try {
    const head: unknown = JSON.parse(frame.toString("utf8", FIXED_BYTES, headEnd));
    return { code: frame.readUInt8(0), head, bytes: frame.subarray(headEnd) };
  } catch (error) {
    // The parser's message quotes its input, which may be an environment.
    if (error instanceof SyntaxError) throw new WireError("malformed", "the head is not JSON");
    throw error;
  }
}

function encode(kinds: Readonly<Record<string, Kind>>, message: Order | Report): readonly Uint8Array[] {
  const kind = kinds[message.type];
  if (kind === undefined) throw new TypeError(`no message ${message.type}`);
  const { type: _type, ...rest } = message;
  const { bytes = NOTHING, ...fields } = rest as { bytes?: Uint8Array };
  const head = Buffer.from(JSON.stringify(fields));
  const length = FIXED_BYTES + head.byteLength + bytes.byteLength;
  if (length > FRAME_MAX_BYTES)
    throw new WireError("oversize", `a ${message.type} of ${length} bytes; the limit is ${FRAME_MAX_BYTES}`);
  const isSmall = bytes.byteLength <= COPIED_MAX_BYTES;
  const front = Buffer.allocUnsafe(PREFIX_BYTES + FIXED_BYTES + head.byteLength + (isSmall ? bytes.byteLength : 0));
  front.writeUInt32BE(length, 0);
  front.writeUInt8(kind.code, PREFIX_BYTES);
  front.writeUInt32BE(head.byteLength, PREFIX_BYTES + 1);
  front.set(head, PREFIX_BYTES + FIXED_BYTES);
  if (!isSmall) return [front, bytes];
  front.set(bytes, PREFIX_BYTES + FIXED_BYTES + head.byteLength);
  return [front];
}

function decode(kinds: Readonly<Record<string, Kind>>, frame: Frame): unknown {
  const [type, kind, names] = byCode(kinds).get(frame.code) ?? [];
  if (kind === undefined) return null;
  if (!shape(kind.fields)(frame.head)) throw new WireError("malformed", `a ${type} whose fields are not as agreed`);
  if (kind.bytes === undefined && frame.bytes.byteLength > 0) throw new WireError("malformed", `a ${type} with bytes`);
  const message: Record<string, unknown> = { type };
  for (const name of names ?? []) message[name] = (frame.head as Record<string, unknown>)[name];
  if (kind.bytes) message["bytes"] = frame.bytes;
  return message;
}

type ByCode = ReadonlyMap<number, readonly [type: string, kind: Kind, names: readonly string[]]>;
const codes = new Map<unknown, ByCode>();

/** Made once for each table: a terminal's output comes in thousands of frames a second. */
function byCode(kinds: Readonly<Record<string, Kind>>): ByCode {
  const known = codes.get(kinds);
  if (known) return known;
  const made = new Map(
    Object.entries(kinds).map(([type, kind]) => [kind.code, [type, kind, Object.keys(kind.fields)] as const]),
  );
  codes.set(kinds, made);
  return made;
}
