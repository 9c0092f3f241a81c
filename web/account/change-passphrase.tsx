/** Another passphrase, by whoever has the one before. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { createSignal } from "solid-js";
import { useDeck } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { PassphraseField } from "./passphrase-field.tsx";
import { createAttempt, PassphraseForm } from "./passphrase-form.tsx";

export default function ChangePassphrase(props: { here: AccountHere; onClose: () => void }) {
  const deck = useDeck();
  const [current, setCurrent] = createSignal("");
  const [next, setNext] = createSignal("");
  const attempt = createAttempt();
  const email = (): string => {
    const { state } = props.here.account.view.value;
    return state.kind === "out" ? "" : state.email;
  };
  const complete = (): boolean => current() !== "" && next() !== "";
  const change = async (): Promise<void> => {
    await props.here.account.changePassphrase(current(), next());
    deck.toasts.say(t("The passphrase is changed. Devices that are signed in stay so."));
    props.onClose();
  };
  return (
    <Sheet title={t("Change the passphrase")} onClose={props.onClose}>
      <PassphraseForm attempt={attempt} act={t("Change it")} complete={complete()} submit={change}>
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
        <Fault why={attempt.fault()} />
      </PassphraseForm>
    </Sheet>
  );
}
