/** How this page comes to a host, and who could change the page. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";

export function WayHere(props: { host: HostHere }) {
  const words = (): string | undefined => {
    const { connection } = props.host.view;
    if (connection.kind !== "live") return undefined;
    const host = visibleLine(props.host.known.name);
    return connection.relay === undefined
      ? t("This device is connected to {host} directly.", { host })
      : t("This device is connected to {host} through {relay}.", { host, relay: visibleLine(connection.relay) });
  };
  return (
    <Show when={words()}>
      {(text) => (
        <p class="dim remote-about way-here" role="status">
          <Icon name="link" small />
          <span>{text()}</span>
        </p>
      )}
    </Show>
  );
}

/** Only where it is so. `app` is where the host serves its own. */
export function ServedNote(props: { app?: string | undefined }) {
  const deck = useDeck();
  return (
    <Show when={deck.served() === "relay"}>
      <p class="served-note" role="note">
        <Icon name="info" small />
        <span>
          {t("This page came from {relay}: whoever runs it can change the page, and so what it does.", {
            relay: location.host,
          })}{" "}
          <Show when={props.app} fallback={t("The app that a host itself serves cannot be changed by them.")}>
            {(app) => (
              <>
                {t("The host's own app cannot be changed by them:")} <code dir="ltr">{visibleLine(app())}</code>
              </>
            )}
          </Show>{" "}
          {t("Whether this one is what Flybridge made, a machine with Flybridge can tell:")}{" "}
          <code dir="ltr">flybridge verify {location.origin}</code>
        </span>
      </p>
    </Show>
  );
}
