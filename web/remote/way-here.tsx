/** How this page comes to a host. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { Show } from "solid-js";
import type { HostHere } from "../deck.ts";
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
