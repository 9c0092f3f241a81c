/**
 * A cell holds one piece of what this device knows. Its owner changes it in place through `change`; whoever draws it
 * decides how changes are seen: the web app passes a cell on a fine-grained store, a shell uses `plainCell`.
 */
export interface Cell<T extends object> {
  /** To read only. */
  readonly value: T;
  change(mutate: (draft: T) => void): void;
}

export type MakeCell = <T extends object>(initial: T) => Cell<T>;

export interface WatchedCell<T extends object> extends Cell<T> {
  /** Calls `seen` after each change; the returned function ends it. */
  watch(seen: (value: T) => void): () => void;
}

export function plainCell<T extends object>(initial: T): WatchedCell<T> {
  const watchers = new Set<(value: T) => void>();
  return {
    value: initial,
    change(mutate) {
      mutate(initial);
      for (const seen of watchers) seen(initial);
    },
    watch(seen) {
      watchers.add(seen);
      return () => watchers.delete(seen);
    },
  };
}
