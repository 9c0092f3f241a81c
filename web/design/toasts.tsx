/** What was just done, said once, with five seconds to take it back. */
import { For, Show } from "solid-js";
import { createStore } from "solid-js/store";
import { t } from "../words.ts";

/** How long what was done can be undone, in milliseconds. */
export const UNDO_MS = 5_000;
/** How long a plain word stays, in milliseconds. */
const WORD_MS = 3_500;

interface Toast {
  id: number;
  text: string;
  undo?: () => void;
}

export interface Toasts {
  list: readonly Toast[];
  say(text: string): void;
  /** Does `act` after five seconds, or at once when the page goes away, unless it was undone; then calls `undone`. */
  later(text: string, act: () => void, undone: () => void): void;
}

export function makeToasts(): Toasts {
  const [list, set] = createStore<Toast[]>([]);
  let count = 0;
  const add = (toast: Omit<Toast, "id">, life: number): (() => void) => {
    const id = ++count;
    const remove = (): void => set((before) => before.filter((one) => one.id !== id));
    set(list.length, { id, ...toast });
    setTimeout(remove, life);
    return remove;
  };
  return {
    list,
    say: (text) => void add({ text }, WORD_MS),
    later(text, act, undone) {
      let open = true;
      const once = (then: () => void) => () => {
        if (!open) return;
        open = false;
        removeEventListener("pagehide", leaving);
        remove();
        then();
      };
      const leaving = once(act);
      const remove = add({ text, undo: once(undone) }, UNDO_MS);
      addEventListener("pagehide", leaving);
      setTimeout(leaving, UNDO_MS);
    },
  };
}

export function ToastList(props: { toasts: Toasts }) {
  return (
    <div class="toasts" role="status" aria-live="polite">
      <For each={props.toasts.list}>
        {(toast) => (
          <div class="toast">
            <span>{toast.text}</span>
            <Show when={toast.undo}>
              {(undo) => (
                <button type="button" onClick={() => undo()()}>
                  {t("Undo")}
                </button>
              )}
            </Show>
          </div>
        )}
      </For>
    </div>
  );
}
