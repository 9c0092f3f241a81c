/** Over every screen: that a sign-in of this device was ended, or that something happened which cannot wait. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createResource, For, onCleanup, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import { isUrgent, urgentWords } from "./notice.ts";
import { accountPath } from "./page.ts";
import { placeOf } from "./place.ts";

/** Milliseconds between two looks for hosts that the account has got since. */
const LOOK_MS = 60_000;

export default function AccountBanner() {
  const deck = useDeck();
  return <For each={deck.bridge.accounts.value.at}>{(origin) => <Banner origin={origin} />}</For>;
}

function Banner(props: { origin: string }) {
  const deck = useDeck();
  const [here] = createResource(() => deck.bridge.account(props.origin).catch(() => undefined));
  const seen = (): void => {
    if (document.hidden || here.latest?.account.view.value.state.kind !== "in") return;
    here.latest.account.wake();
    void here.latest.look();
  };
  const look = (): void => {
    if (!document.hidden) void here.latest?.look();
  };
  const timer = setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", seen);
  onCleanup(() => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
  });
  const words = (): string | undefined => {
    const view = here.latest?.account.view.value;
    if (view?.state.kind === "ended")
      return view.state.reason === "session_reused"
        ? t("This device's sign-in at {relay} was used from somewhere else; it was ended.", { relay: place() })
        : t("This device was signed out at {relay}.", { relay: place() });
    const urgent = view?.notices.find(isUrgent);
    return urgent && urgentWords(urgent, here.latest?.view.value.contents?.devices);
  };
  const place = (): string => visibleLine(placeOf(props.origin));
  return (
    <Show when={words()}>
      {(text) => (
        <div class="banner refused" role="status">
          <Icon name="shield" />
          <p>{text()}</p>
          <A href={accountPath(props.origin)} class="button plain">
            {t("See")}
          </A>
        </div>
      )}
    </Show>
  );
}
