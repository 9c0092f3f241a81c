/** What happened to the account since the person last said that they have seen it. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { createSignal, For, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { ago } from "../design/time.ts";
import { t } from "../words.ts";
import { isBad, noticeIcon, noticeWords } from "./notice.ts";

export function Notices(props: { here: AccountHere }) {
  const deck = useDeck();
  const [busy, setBusy] = createSignal(false);
  const notices = () => props.here.account.view.value.notices;
  const seen = (): void => {
    setBusy(true);
    props.here.account
      .dismiss()
      .catch((error: unknown) => deck.toasts.say(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Show when={notices().length > 0}>
      <section aria-label={t("What happened")}>
        <h2 class="section-head">
          <span class="account-grow">{t("What happened")}</span>
          <button type="button" class="button plain" disabled={busy()} onClick={seen}>
            {t("I have seen it")}
          </button>
        </h2>
        <ul class="card rows">
          <For each={notices()}>
            {(notice) => (
              <li class="row notice-row" classList={{ bad: isBad(notice) }}>
                <Icon name={noticeIcon(notice)} />
                <span class="row-text">
                  <span dir="auto">{noticeWords(notice, props.here.view.value.contents?.devices)}</span>
                  <time
                    class="dim num"
                    dateTime={new Date(notice.at).toISOString()}
                    title={new Date(notice.at).toLocaleString()}
                  >
                    {ago(notice.at)}
                  </time>
                </span>
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}
