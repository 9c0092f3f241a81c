/** Sessions of other people's hosts that were shared with this device, where it has hosts of its own as well. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, For, Show } from "solid-js";
import { sessionPath, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { until } from "../design/time.ts";
import { t } from "../words.ts";
import { sharesOf } from "./shares.ts";

export default function SharedRows() {
  const deck = useDeck();
  const shares = createMemo(() => sharesOf(deck));
  return (
    <Show when={shares().length > 0}>
      <div class="workspace" role="group" aria-label={t("Shared with you")}>
        <h2 class="workspace-head">{t("Shared with you")}</h2>
        <ul>
          <For each={shares()}>
            {(share) => (
              <li>
                <A href={sessionPath(share.known.host, share.session)} class="session-row" activeClass="here">
                  <Icon name="share" small />
                  <span class="session-row-text">
                    <span class="session-row-title cut">
                      {t("A session on {host}", { host: visibleLine(share.known.name) })}
                    </span>
                    <Show when={share.until}>
                      {(at) => <span class="session-row-state">{t("until {time}", { time: until(at()) })}</span>}
                    </Show>
                  </span>
                </A>
              </li>
            )}
          </For>
        </ul>
      </div>
    </Show>
  );
}
