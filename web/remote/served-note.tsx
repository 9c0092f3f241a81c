/** Who can change this page, where that is not the host. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import "./served-note.css";

/** Nothing on a page of the host's own. `app`: where that is; with it goes how to look what the relay made of the page. */
export function ServedNote(props: { app?: string | undefined }) {
  const deck = useDeck();
  return (
    <Show when={deck.served() === "relay"}>
      <p class="served-note" role="note">
        <Icon name="info" small />
        <span>
          {t("This page came from {relay}: whoever runs it can change it.", { relay: location.host })}{" "}
          <Show when={props.app} fallback={t("The app that a host itself serves cannot be changed by them.")}>
            {(app) => (
              <>
                {t("The host's own app cannot be changed by them, at")} <code dir="ltr">{visibleLine(app())}</code>.{" "}
                {t("Whether this one is as Flybridge made it, says on any machine that has Flybridge")}{" "}
                <code dir="ltr">flybridge verify {location.origin}</code>
              </>
            )}
          </Show>
        </span>
      </p>
    </Show>
  );
}
