/** A row of decisions whose "no" opens a field in place, so that the agent hears why, where it would. */
import { createSignal, createUniqueId, type JSX, Show } from "solid-js";
import "../design/form.css";
import { t } from "../words.ts";

export function Refuse(props: {
  label: string;
  /** Of the field. Without it there is none: nobody would read a reason. */
  hint: string | undefined;
  busy: boolean;
  /** The field must not be left empty. */
  required?: boolean;
  send: (reason: string) => void;
  children: JSX.Element;
}) {
  const [open, setOpen] = createSignal(false);
  const [reason, setReason] = createSignal("");
  const id = createUniqueId();
  const ready = (): boolean => !props.busy && (props.required !== true || reason().trim() !== "");
  const send = (): void => {
    if (ready()) props.send(reason().trim());
  };
  return (
    <Show
      when={open()}
      fallback={
        <div class="decide">
          <button
            type="button"
            class="button"
            disabled={props.busy}
            onClick={() => (props.hint === undefined ? props.send("") : setOpen(true))}
          >
            {props.label}
          </button>
          {props.children}
        </div>
      }
    >
      <div class="refuse">
        <label class="unseen" for={id}>
          {props.hint}
        </label>
        <textarea
          id={id}
          ref={(field) => queueMicrotask(() => field.focus())}
          class="field"
          rows="2"
          dir="auto"
          placeholder={props.hint}
          value={reason()}
          onInput={(event) => setReason(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) send();
            if (event.key === "Escape") {
              event.stopPropagation();
              setOpen(false);
            }
          }}
        />
        <div class="decide">
          <button type="button" class="button" disabled={props.busy} onClick={() => setOpen(false)}>
            {t("Back")}
          </button>
          <button type="button" class="button strong" disabled={!ready()} onClick={send}>
            {props.label}
          </button>
        </div>
      </div>
    </Show>
  );
}
