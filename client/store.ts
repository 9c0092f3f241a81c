/**
 * Where a device keeps what outlives a launch: hosts, what is to be sent, and what was last shown. Text under names, in
 * a few tables; secrets are not kept here but in `keys.ts`.
 */

export type Table = "hosts" | "outbox" | "views" | "feeds";
export const TABLES: readonly Table[] = ["hosts", "outbox", "views", "feeds"];

export type StoreFault =
  /** No room. What was there before is as it was. */
  | "full"
  /** The platform keeps nothing for us (private window, blocked, unreadable folder). */
  | "blocked";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;
  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/**
 * Contract (run by `storeContract` for every implementation): a write is there for every later read, in this process
 * or the next, once its promise resolves; it is all there or not at all; writes to one key take effect in the order
 * of the calls; keys are any text, at most 200 characters. Everything rejects with `StoreError`.
 */
export interface Store {
  read(table: Table, key: string): Promise<string | undefined>;
  /** Keys that begin with `prefix` and their values, in order of code units. */
  list(table: Table, prefix: string): Promise<[key: string, value: string][]>;
  /** Undefined removes. */
  write(table: Table, key: string, value: string | undefined): Promise<void>;
  /** Removes from every table what begins with `prefix`. */
  clear(prefix: string): Promise<void>;
  close(): void;
}
