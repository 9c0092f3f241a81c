/** Who waits to be let in, on the Devices screen: to come back to one that was put aside. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { For, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { KIND_ICONS, wayWords } from "../device/kind.ts";
import { t } from "../words.ts";
import { candidatesOf } from "./waiting.ts";

export function WaitingList(props: { host: HostHere }) {
  const deck = useDeck();
  const waiting = () => candidatesOf([props.host]);
  return (
    <Show when={waiting().length > 0}>
      <ul class="card rows waiting-devices">
        <For each={waiting()}>
          {({ pairing }) => (
            <li class="row">
              <Icon name={KIND_ICONS[pairing.kind]} />
              <span class="row-text">
                <span class="row-title cut" dir="auto">
                  {visibleLine(pairing.name)}
                </span>
                <span class="waiting">
                  {t("waits to be let in")} · {wayWords(pairing.way)}
                </span>
              </span>
              <button type="button" class="button" onClick={() => deck.aside.back(pairing.pairing)}>
                {t("Look")}
              </button>
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}
