/** Cells on Solid's stores: a change in place is seen by exactly those parts of the page that read what changed. */
import type { Cell } from "@flybridge/client/cell.ts";
import { batch } from "solid-js";
import { createStore, produce } from "solid-js/store";

export function storeCell<T extends object>(initial: T): Cell<T> {
  const [value, set] = createStore<T>(initial);
  return {
    value,
    change(mutate) {
      batch(() => set(produce(mutate)));
    },
  };
}
