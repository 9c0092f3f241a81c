/** Another recovery code, by whoever has the passphrase. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { createSignal } from "solid-js";
import { Fault } from "../design/fault.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { PassphraseField } from "./passphrase-field.tsx";
import { createAttempt, PassphraseForm } from "./passphrase-form.tsx";

export default function NewCode(props: { here: AccountHere; onClose: () => void; made: (code: string) => void }) {
  const [passphrase, setPassphrase] = createSignal("");
  const attempt = createAttempt();
  const make = async (): Promise<void> => {
    const { recoveryCode } = await props.here.account.newRecoveryCode(passphrase());
    props.onClose();
    props.made(recoveryCode);
  };
  return (
    <Sheet title={t("New recovery code")} onClose={props.onClose}>
      <PassphraseForm attempt={attempt} act={t("Make a new code")} complete={passphrase() !== ""} submit={make}>
        <p>{t("The code that you have now opens nothing any more once the next one is made.")}</p>
        <PassphraseField
          label={t("Passphrase")}
          value={passphrase()}
          onInput={setPassphrase}
          ref={(field) => queueMicrotask(() => field.focus())}
        />
        <Fault why={attempt.fault()} />
      </PassphraseForm>
    </Sheet>
  );
}
