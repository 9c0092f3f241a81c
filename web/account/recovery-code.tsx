/** The recovery code, shown this once: to be copied or printed, and put away before anything else goes on. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { onCleanup, onMount } from "solid-js";
import { CopyButton } from "../design/copy.tsx";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import { placeOf } from "./place.ts";

export function RecoveryCode(props: {
  code: string;
  after: "sign-up" | "recovery" | "change";
  email: string;
  origin: string;
  kept: () => void;
}) {
  let heading!: HTMLHeadingElement;
  const leaving = (event: BeforeUnloadEvent): void => event.preventDefault();
  onMount(() => {
    heading.focus();
    addEventListener("beforeunload", leaving);
  });
  onCleanup(() => removeEventListener("beforeunload", leaving));
  return (
    <div class="pair recovery">
      <div class="pair-card">
        <header class="account-head">
          <Icon name="key" />
          <h1 ref={heading} tabindex="-1">
            {t("Keep this recovery code")}
          </h1>
        </header>
        <p>
          {props.after === "sign-up"
            ? t(
                "It opens your account when the passphrase is lost. It is shown this once, and nobody can give it to you again, not even the relay.",
              )
            : props.after === "recovery"
              ? t("The code that you used is used up. This is the next one, and it is shown this once.")
              : t("The code that you had before opens nothing any more. This one is shown this once.")}
        </p>
        <p class="recovery-code mono" dir="ltr" aria-label={t("Recovery code")} role="group">
          {props.code.split("-").map((group) => (
            <span>{group}</span>
          ))}
        </p>
        <p class="recovery-of dim" dir="ltr">
          {visibleLine(props.email)} · {visibleLine(placeOf(props.origin))}
        </p>
        <div class="form-pair">
          <CopyButton worded text={() => props.code} label={t("Copy")} />
          <button type="button" class="button" onClick={() => print()}>
            <Icon name="print" />
            {t("Print")}
          </button>
        </div>
        <p class="dim account-note">
          {t(
            "Whoever has it and knows your e-mail can open the account, so keep it like a house key: on paper, or in a safe for passwords, and not only on this device.",
          )}
        </p>
        <button type="button" class="button strong wide" onClick={() => props.kept()}>
          {t("I have kept it")}
        </button>
      </div>
    </div>
  );
}
