/** Waiting for what a cell shows. */
import { plainCell, type Cell, type MakeCell } from "@flybridge/client/cell.ts";

const watched = new WeakMap<object, (seen: () => void) => () => void>();

/** The shell's cells; `watch` finds out by the cell itself that it is one. */
export const shellCell: MakeCell = (initial) => {
  const cell = plainCell(initial);
  watched.set(cell, (seen) => cell.watch(() => seen()));
  return cell;
};

/** Calls `seen` after each change, until the returned function is called. Only for cells of `shellCell`. */
export function watch<T extends object>(cell: Cell<T>, seen: (value: T) => void): () => void {
  const begin = watched.get(cell);
  if (!begin) throw new TypeError("This cell is not the shell's own.");
  return begin(() => seen(cell.value));
}

/** Resolves with the first result of `look` that is not undefined, now or after a change. Rejects when `signal` aborts. */
export function until<T extends object, R>(
  cell: Cell<T>,
  look: (value: T) => R | undefined,
  signal?: AbortSignal,
): Promise<R> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stop();
      signal?.removeEventListener("abort", aborted);
    };
    const aborted = (): void => {
      end();
      reject(signal?.reason instanceof Error ? signal.reason : new DOMException("Aborted", "AbortError"));
    };
    const check = (value: T): void => {
      try {
        const result = look(value);
        if (result === undefined) return;
        end();
        resolve(result);
      } catch (error) {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const stop = watch(cell, check);
    signal?.addEventListener("abort", aborted);
    if (signal?.aborted) aborted();
    else check(cell.value);
  });
}
