/** An agent's process as a session sees it: held by the keeper, named by session and launch. */

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
  /** To the process and all it started. */
  signal(signal: "SIGTERM" | "SIGKILL"): void;
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
  }): Promise<Child>;
  find(name: string): Child | undefined;
}
