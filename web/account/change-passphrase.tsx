/** Another passphrase, by whoever has the one before. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { createSignal, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { PassphraseField } from "./passphrase-field.tsx";

export default function ChangePassphrase(props: { here: AccountHere; onClose: () => void }) {
  const deck = useDeck();
  const [current, setCurrent] = createSignal("");
  const [next, setNext] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  const email = (): string => {
    const { state } = props.here.account.view.value;
    return state.kind === "out" ? "" : state.email;
  };
  const change = (): void => {
    setFault();
    setBusy(true);
    props.here.account
      .changePassphrase(current(), next())
      .then(
        () => {
          deck.toasts.say(t("The passphrase is changed. Devices that are signed in stay so."));
          props.onClose();
        },
        (error: unknown) => setFault(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Sheet title={t("Change the passphrase")} onClose={props.onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy()) change();
        }}
      >
        <input
          class="unseen"
          type="text"
          autocomplete="username"
          value={email()}
          readonly
          tabindex="-1"
          aria-hidden="true"
        />
        <PassphraseField
          label={t("Passphrase until now")}
          value={current()}
          onInput={setCurrent}
          ref={(field) => queueMicrotask(() => field.focus())}
        />
        <PassphraseField label={t("New passphrase")} value={next()} onInput={setNext} fresh={{ email: email() }} />
        <Show when={fault()}>
          {(why) => (
            <p class="fault" role="alert">
              <Icon name="alert" small />
              {visible(why())}
            </p>
          )}
        </Show>
        <div class="form-end">
          <button type="submit" class="button strong wide" disabled={busy() || current() === "" || next() === ""}>
            {busy() ? t("Making keys of the passphrase") : t("Change it")}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
