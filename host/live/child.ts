/** An agent's process as a session sees it: held by the keeper, named by session and launch. */
import type { Size } from "@flybridge/protocol/terminal.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last of its error output. */
  readonly errors: string;
  /** How many bytes of output it wrote in all. */
  readonly end: number;
}

export interface ChildEvents {
  /** Contiguous from the offset given to `listen` or `read`. */
  output(offset: number, bytes: Uint8Array): void;
  /** May come before the last output. */
  exit(exit: Exit): void;
  /** The keeper has this line and puts it in; or, where not `taken`, it never will. */
  settled(id: string, taken: boolean): void;
  /** There is no room for it now: it may be sent again. */
  full?(id: string): void;
}

export interface Child {
  readonly pid: number;
  listen(events: ChildEvents, from: number): void;
  /** Output again from `from`. */
  read(from: number): void;
  /** Output up to `taken` was heard; up to `stored` it need not be kept. */
  ack(taken: number, stored: number): void;
  /** A line for its input; once per id, also over crashes of the host. */
  write(id: string, line: string): void;
  /** The same without a newline after it: keys of a terminal. */
  type(id: string, keys: string): void;
  /** Of a terminal. */
  resize(size: Size): void;
  /** Of a terminal: whether it shows whole lines that are typed; undefined where that cannot be told. Never rejects. */
  echoes(): Promise<boolean | undefined>;
  /** To the process and all it started. */
  signal(signal: "SIGHUP" | "SIGTERM" | "SIGKILL"): void;
  /** The keeper need not keep its output any longer. */
  forget(): void;
}

/** What starts and finds processes. */
export interface Hands {
  /** Repeating a name gives the process there is. Rejects with an error whose message says how to mend it. */
  spawn(order: {
    name: string;
    argv: readonly [string, ...string[]];
    env: Readonly<Record<string, string>>;
    cwd: string;
    /** Present: it has a terminal of that size. */
    terminal?: Size | undefined;
  }): Promise<Child>;
  find(name: string): Child | undefined;
}
