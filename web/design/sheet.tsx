/** A sheet: a native modal dialog with a head and a way out. Closing is the caller's state, so that Back can do it too. */
import { type JSX, onCleanup, onMount, Suspense } from "solid-js";
import { t } from "../words.ts";
import "./form.css";
import { Icon } from "./icon.tsx";
import { Loading } from "./loading.tsx";
import "./sheet.css";

export function Sheet(props: { title: string; onClose: () => void; class?: string; children: JSX.Element }) {
  let dialog!: HTMLDialogElement;
  const before = document.activeElement;
  onMount(() => dialog.showModal());
  onCleanup(() => {
    dialog.close();
    if (before instanceof HTMLElement) before.focus();
  });
  return (
    <dialog
      ref={dialog}
      class={`sheet ${props.class ?? ""}`}
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog) props.onClose();
      }}
    >
      <div class="sheet-head">
        <h2 dir="auto" class="cut">
          {props.title}
        </h2>
        <button type="button" class="icon-button" aria-label={t("Close")} onClick={() => props.onClose()}>
          <Icon name="close" />
        </button>
      </div>
      {/* Waiting happens in here: a boundary further out would take the dialog off the page, and it would come back below it. */}
      <div class="sheet-body">
        <Suspense fallback={<Loading />}>{props.children}</Suspense>
      </div>
    </dialog>
  );
}
