/** The end of an account, for whoever types whose it is and its passphrase. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { PassphraseField } from "./passphrase-field.tsx";

export default function DeleteAccount(props: { here: AccountHere; email: string; onClose: () => void }) {
  const deck = useDeck();
  const id = createUniqueId();
  const [typed, setTyped] = createSignal("");
  const [passphrase, setPassphrase] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  const isSame = (): boolean => typed().trim().toLowerCase() === props.email;
  const end = (): void => {
    setFault();
    setBusy(true);
    props.here.account
      .deleteAccount(passphrase())
      .then(
        () => {
          deck.toasts.say(t("The account is deleted."));
          props.onClose();
        },
        (error: unknown) => setFault(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Sheet title={t("Delete the account")} onClose={props.onClose}>
      <form
        class="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy() && isSame()) end();
        }}
      >
        <p>
          {t(
            "Everything that hangs on it at the relay is deleted: its devices are signed out, its list of hosts is gone, and nothing brings it back. Your hosts and sessions are not touched, and hosts go on to know the devices that they know.",
          )}
        </p>
        <div>
          <label class="label" for={id}>
            {t("To delete it, type {email}", { email: visibleLine(props.email) })}
          </label>
          <input
            id={id}
            ref={(field) => queueMicrotask(() => field.focus())}
            class="field"
            type="email"
            dir="ltr"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={typed()}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </div>
        <PassphraseField label={t("Passphrase")} value={passphrase()} onInput={setPassphrase} />
        <Show when={fault()}>
          {(why) => (
            <p class="fault" role="alert">
              <Icon name="alert" small />
              {visible(why())}
            </p>
          )}
        </Show>
        <div class="form-end">
          <button type="submit" class="button port wide" disabled={busy() || !isSame() || passphrase() === ""}>
            {busy() ? t("Making keys of the passphrase") : t("Delete it for good")}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
