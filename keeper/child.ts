/**
 * One child: a program, what it wrote that nobody has stored yet, and what was put into it.
 */
import { endGroup, tell } from "./group.ts";
import { startPipes } from "./pipes.ts";
import { Failure, findProgram, type Program, type ProgramEvents } from "./program.ts";
import { Spool } from "./spool.ts";
import { startTerminal } from "./terminal.ts";
import {
  type ChildExit,
  type ChildState,
  ERRORS_MAX_BYTES,
  INPUT_IDS_MAX,
  INPUT_QUEUE_MAX_BYTES,
  type Signal,
  SPOOL_DEFAULT_BYTES,
  type SpawnOrder,
  TERMINAL_IN_FLIGHT_MAX_BYTES,
} from "./wire.ts";

/** After the exit, descendants may hold the output open. We wait until they are quiet for this long, */
const QUIET_MS = 100;
/** but not longer than this: whoever waits for the exit is to see it within 2 s. */
const QUIET_WAIT_MAX_MS = 1_500;

export interface ChildEvents {
  /** The spool has more. */
  grew(child: Child): void;
  errors(child: Child, offset: number, bytes: Uint8Array): void;
  /** All that it wrote is in the spool. */
  died(child: Child): void;
}

type Input = { readonly kind: "bytes"; readonly bytes: Uint8Array } | { readonly kind: "end" };

export class Child implements Disposable {
  readonly id: string;
  readonly kind: "pipes" | "terminal";
  readonly spool: Spool;
  readonly #events: ChildEvents;
  #program: Program | null = null;
  #flowing = true;
  /** The offset up to which a host has taken the output; null while none reads it. */
  #taken: number | null = null;

  #errors: Uint8Array = new Uint8Array(0);
  #errorsEnd = 0;

  readonly #inputs: Input[] = [];
  #inputBytes = 0;
  #writing = false;
  /** The newest applied ids, oldest first. */
  readonly #inputIds = new Set<string>();
  #inputCount = 0;

  /** Alive: both null. Dead: the exit is known at once, and reported when the output is complete. */
  #death: ChildExit | null = null;
  #reported: ChildExit | null = null;
  #outputEnded = false;
  /** Settles when nobody is left in a dead child's group. */
  #swept: Promise<void> = Promise.resolve();

  /** Throws Failure. `umask` is what the child gets if its order does not say. */
  static async spawn(order: SpawnOrder, spoolFolder: string, umask: number, events: ChildEvents): Promise<Child> {
    const path = findProgram(order);
    const child = new Child(order, spoolFolder, events);
    const own = process.umask(order.umask ?? umask);
    try {
      // Both fork before they first wait, so the mask is back before anything else runs.
      const starting = order.terminal
        ? startTerminal(path, order, child.#heard)
        : startPipes(path, order, child.#heard);
      process.umask(own);
      child.#program = await starting;
    } catch (error) {
      child[Symbol.dispose]();
      throw error instanceof Failure ? error : new Failure("spawn_failed", "the system would not start a process");
    } finally {
      process.umask(own);
    }
    return child;
  }

  private constructor(order: SpawnOrder, spoolFolder: string, events: ChildEvents) {
    this.id = order.child;
    this.kind = order.terminal ? "terminal" : "pipes";
    this.spool = new Spool(spoolFolder, order.spoolBytes ?? SPOOL_DEFAULT_BYTES);
    this.#events = events;
  }

  get exit(): ChildExit | null {
    return this.#reported;
  }

  get state(): ChildState {
    return {
      child: this.id,
      pid: this.#program?.pid ?? 0,
      kind: this.kind,
      exit: this.#reported,
      start: this.spool.start,
      end: this.spool.end,
      errorsStart: this.#errorsEnd - this.#errors.byteLength,
      errorsEnd: this.#errorsEnd,
      inputs: this.#inputCount,
    };
  }

  /** The newest stderr. */
  get errorsTail(): Uint8Array {
    return this.#errors;
  }

  /** Bytes, or null for the end of input. Applied unless this id was before. Throws Failure. */
  input(id: string, bytes: Uint8Array | null): void {
    if (this.#inputIds.has(id)) return;
    if (this.#death) throw new Failure("exited", "the child is dead; its input was not put in");
    const size = bytes?.byteLength ?? 0;
    if (this.#inputBytes + size > INPUT_QUEUE_MAX_BYTES) {
      throw new Failure("input_full", "the child does not read what it is given; send it again when it does");
    }
    this.#inputIds.add(id);
    this.#inputCount += 1;
    for (const oldest of this.#inputIds) {
      if (this.#inputIds.size <= INPUT_IDS_MAX) break;
      this.#inputIds.delete(oldest);
    }
    this.#inputBytes += size;
    this.#inputs.push(bytes ? { kind: "bytes", bytes } : { kind: "end" });
    if (!this.#writing) void this.#writeInputs();
  }

  get inputCount(): number {
    return this.#inputCount;
  }

  resize(cols: number, rows: number): void {
    this.#program?.resize(cols, rows);
  }

  /** Throws Failure. */
  signal(signal: Signal, group: boolean): void {
    const pid = this.#program?.pid;
    // A dead child's number may be somebody else's by now.
    if (pid === undefined || this.#death) throw new Failure("exited", "the child is dead");
    tell(group ? -pid : pid, signal);
  }

  /** Bytes before this offset are stored elsewhere. */
  forget(before: number): void {
    this.spool.forget(before);
    this.#adjustFlow();
  }

  /** A host has taken the output before this offset; null: none reads it any more, and it runs on into its spool. */
  taken(offset: number | null): void {
    this.#taken = offset;
    this.#adjustFlow();
  }

  /** Ends the child and what is left of its group. */
  async end(): Promise<void> {
    await (this.#death || !this.#program ? this.#swept : endGroup(this.#program.pid));
  }

  [Symbol.dispose](): void {
    this.#program?.[Symbol.dispose]();
    this.spool[Symbol.dispose]();
  }

  readonly #heard: ProgramEvents = {
    output: (bytes) => {
      // What a survivor writes after the exit was reported has no place in the numbering: it is read and let go.
      if (this.#reported) return;
      this.spool.append(bytes);
      this.#adjustFlow();
      this.#events.grew(this);
    },
    errors: (bytes) => {
      const offset = this.#errorsEnd;
      this.#errorsEnd += bytes.byteLength;
      this.#errors = Buffer.concat([this.#errors, bytes]).subarray(-ERRORS_MAX_BYTES);
      if (!this.#reported) this.#events.errors(this, offset, bytes);
    },
    ended: () => {
      this.#outputEnded = true;
      if (this.#death) this.#report();
    },
    exited: (exit) => {
      this.#death = exit;
      this.#inputs.length = 0;
      const pid = this.#program?.pid;
      if (pid !== undefined) this.#swept = endGroup(pid);
      if (this.#outputEnded) this.#report();
      else this.#awaitQuiet(performance.now() + QUIET_WAIT_MAX_MS);
      this.#adjustFlow();
    },
  };

  /** A terminal shows what happens now: it does not run on while a host that is there has yet to take what it wrote. */
  get #isAhead(): boolean {
    if (this.kind !== "terminal" || this.#taken === null) return false;
    return this.spool.end - this.#taken >= TERMINAL_IN_FLIGHT_MAX_BYTES;
  }

  /** Backpressure: at the spool's bound the program waits for us, as it would for any slow reader. */
  #adjustFlow(): void {
    const flowing = this.#reported !== null || !(this.#death ? this.spool.brimming : this.spool.full || this.#isAhead);
    if (flowing === this.#flowing) return;
    this.#flowing = flowing;
    this.#program?.flow(flowing);
  }

  #awaitQuiet(deadline: number): void {
    const seen = this.spool.end;
    setTimeout(() => {
      // After a stalled loop the timer comes before what is waiting to be read: let that in first.
      setImmediate(() => {
        if (this.#reported) return;
        if (this.spool.end === seen || performance.now() >= deadline) this.#report();
        else this.#awaitQuiet(deadline);
      });
    }, QUIET_MS);
  }

  #report(): void {
    if (this.#reported) return;
    this.#reported = this.#death;
    this.#adjustFlow();
    this.#events.died(this);
  }

  async #writeInputs(): Promise<void> {
    this.#writing = true;
    for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
      try {
        if (next.kind === "end") await this.#program?.endInput();
        else await this.#program?.write(next.bytes);
      } catch {
        // It closed its input or died, which its exit says.
      }
      if (next.kind === "bytes") this.#inputBytes -= next.bytes.byteLength;
    }
    this.#writing = false;
  }
}
