/** The end of an account, for whoever types whose it is and its passphrase. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId } from "solid-js";
import { useDeck } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { PassphraseField } from "./passphrase-field.tsx";
import { createAttempt, PassphraseForm } from "./passphrase-form.tsx";

export default function DeleteAccount(props: { here: AccountHere; email: string; onClose: () => void }) {
  const deck = useDeck();
  const id = createUniqueId();
  const [typed, setTyped] = createSignal("");
  const [passphrase, setPassphrase] = createSignal("");
  const attempt = createAttempt();
  // Not in the markup, where it would become a memo that asks whose the account is when that is gone.
  const complete = (): boolean => typed().trim().toLowerCase() === props.email && passphrase() !== "";
  const end = async (): Promise<void> => {
    await props.here.account.deleteAccount(passphrase());
    deck.toasts.say(t("The account is deleted."));
    props.onClose();
  };
  return (
    <Sheet title={t("Delete the account")} onClose={props.onClose}>
      <PassphraseForm attempt={attempt} act={t("Delete it for good")} final complete={complete()} submit={end}>
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
        <Fault why={attempt.fault()} />
      </PassphraseForm>
    </Sheet>
  );
}
