/** A passphrase: hidden until it is to be seen, and a new one with what it is worth. */
import { strengthOf } from "@flybridge/client/relay/passphrase.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";

export function PassphraseField(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  /** It is chosen now, for the account of this e-mail. */
  fresh?: { readonly email: string };
  ref?: (field: HTMLInputElement) => void;
}) {
  const id = createUniqueId();
  const [shown, setShown] = createSignal(false);
  const strength = () =>
    props.fresh === undefined || props.value === "" ? undefined : strengthOf(props.value, props.fresh.email);
  const bars = (): number => {
    const is = strength();
    if (!is) return 0;
    return is.weakness === undefined ? { weak: 2, fair: 3, good: 4 }[is.level] : 1;
  };
  return (
    <div class="passphrase">
      <label class="label" for={id}>
        {props.label}
      </label>
      <div class="passphrase-field">
        <input
          id={id}
          ref={(field) => props.ref?.(field)}
          class="field"
          type={shown() ? "text" : "password"}
          dir="auto"
          autocomplete={props.fresh ? "new-password" : "current-password"}
          autocapitalize="off"
          spellcheck={false}
          value={props.value}
          aria-describedby={props.fresh ? `${id}-strength` : undefined}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
        <button
          type="button"
          class="icon-button"
          aria-label={shown() ? t("Hide the passphrase") : t("Show the passphrase")}
          aria-pressed={shown()}
          onClick={() => setShown(!shown())}
        >
          <Icon name={shown() ? "eyeOff" : "eye"} />
        </button>
      </div>
      <Show when={props.fresh}>
        <div class="strength" id={`${id}-strength`} role="status">
          <span class="strength-bars" data-level={bars()} aria-hidden="true">
            <i />
            <i />
            <i />
            <i />
          </span>
          <span class="dim">
            {strength()?.message ?? t("A few words that have nothing to do with each other are easy to keep in mind.")}
          </span>
        </div>
      </Show>
    </div>
  );
}
