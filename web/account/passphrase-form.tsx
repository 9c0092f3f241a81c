/** A form that does one thing by a passphrase, and says so while it takes long: keys are made of it slowly, on purpose. */
import { createSignal, type JSX } from "solid-js";
import { t } from "../words.ts";

export interface Attempt {
  readonly busy: () => boolean;
  /** Why the last one failed. */
  readonly fault: () => string | undefined;
  /** Does nothing while one runs. Never rejects. */
  make(work: () => Promise<void>): Promise<void>;
  clear(): void;
}

export function createAttempt(): Attempt {
  const [busy, setBusy] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  return {
    busy,
    fault,
    async make(work) {
      if (busy()) return;
      setFault();
      setBusy(true);
      try {
        await work();
      } catch (error) {
        setFault(error instanceof Error ? error.message : String(error));
      } finally {
        setBusy(false);
      }
    },
    clear() {
      setFault();
    },
  };
}

export function PassphraseForm(props: {
  attempt: Attempt;
  /** What it does, as its button says it. */
  act: string;
  /** Nothing brings back what it ends. */
  final?: boolean;
  complete: boolean;
  submit: () => Promise<void>;
  class?: string;
  /** The fields, and why it failed. */
  children: JSX.Element;
}) {
  return (
    <form
      class={props.class ?? "form"}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (props.complete) void props.attempt.make(props.submit);
      }}
    >
      {props.children}
      <div class="form-end">
        <button
          type="submit"
          class="button wide"
          classList={{ strong: !props.final, port: props.final }}
          disabled={!props.complete}
          // While it works it only does nothing: one that is disabled would lose the focus of who pressed it.
          aria-disabled={props.attempt.busy()}
        >
          {props.attempt.busy() ? t("Making keys of the passphrase") : props.act}
        </button>
      </div>
    </form>
  );
}
