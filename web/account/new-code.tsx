/** Another recovery code, by whoever has the passphrase. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { createSignal, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { PassphraseField } from "./passphrase-field.tsx";

export default function NewCode(props: { here: AccountHere; onClose: () => void; made: (code: string) => void }) {
  const [passphrase, setPassphrase] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  const make = (): void => {
    setFault();
    setBusy(true);
    props.here.account
      .newRecoveryCode(passphrase())
      .then(
        ({ recoveryCode }) => {
          props.onClose();
          props.made(recoveryCode);
        },
        (error: unknown) => setFault(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Sheet title={t("New recovery code")} onClose={props.onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy()) make();
        }}
      >
        <p>{t("The code that you have now opens nothing any more once the next one is made.")}</p>
        <PassphraseField
          label={t("Passphrase")}
          value={passphrase()}
          onInput={setPassphrase}
          ref={(field) => queueMicrotask(() => field.focus())}
        />
        <Show when={fault()}>
          {(why) => (
            <p class="fault" role="alert">
              <Icon name="alert" small />
              {visible(why())}
            </p>
          )}
        </Show>
        <div class="form-end">
          <button type="submit" class="button strong wide" disabled={busy() || passphrase() === ""}>
            {busy() ? t("Making keys of the passphrase") : t("Make a new code")}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
