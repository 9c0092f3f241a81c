/** The Sessions screen: on a phone the list itself; on a wide screen the list stands at the side already. */
import { createMemo, createSignal, Show } from "solid-js";
import { hostsOf, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { t } from "../words.ts";
import SessionList from "./session-list.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";

const NewSession = lazySheet(() => import("./new-session.tsx"));

export default function Sessions() {
  const deck = useDeck();
  const [starting, setStarting] = createSignal(false);
  const hosts = createMemo(() => hostsOf(deck));
  const read = (): boolean => hosts().some((host) => host.view.read);
  const none = (): boolean => hosts().every((host) => Object.keys(host.view.sessions).length === 0);
  return (
    <div class="screen sessions-screen">
      <div class="screen-head">
        <h1>{t("Sessions")}</h1>
      </div>
      <Show when={read()} fallback={<Loading />}>
        <Show
          when={!none()}
          fallback={
            <div class="empty">
              <h2>{t("No session yet")}</h2>
              <p>
                {t("Start an agent in one of your folders. It runs on the host and goes on when you close this page.")}
              </p>
              <button type="button" class="button strong" onClick={() => setStarting(true)}>
                <Icon name="plus" />
                {t("New session")}
              </button>
            </div>
          }
        >
          <SessionList />
          <div class="empty sessions-aside">
            <p>{t("Choose a session at the side, or start a new one.")}</p>
            <button type="button" class="button" onClick={() => setStarting(true)}>
              <Icon name="plus" />
              {t("New session")}
            </button>
          </div>
          <button type="button" class="button strong fab" onClick={() => setStarting(true)}>
            <Icon name="plus" />
            {t("New session")}
          </button>
        </Show>
      </Show>
      <Show when={starting()}>
        <NewSession onClose={() => setStarting(false)} />
      </Show>
    </div>
  );
}
