/** The accounts of this device, among what concerns only this device; or the way to one, where there is a relay. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createResource, For, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import { accountPath } from "./page.ts";
import { placeOf } from "./place.ts";

export default function AccountRows() {
  const deck = useDeck();
  return (
    <For
      each={deck.bridge.accounts.value.at}
      fallback={
        <Show when={deck.served() === "relay"}>
          <Row origin={location.origin} detail={t("Sign in at {relay}", { relay: location.host })} />
        </Show>
      }
    >
      {(origin) => <SignedIn origin={origin} />}
    </For>
  );
}

function SignedIn(props: { origin: string }) {
  const deck = useDeck();
  const [here] = createResource(() => deck.bridge.account(props.origin).catch(() => undefined));
  const detail = (): string => {
    const state = here.latest?.account.view.value.state;
    const relay = visibleLine(placeOf(props.origin));
    return state?.kind === "in"
      ? t("{email} at {relay}", { email: visibleLine(state.email), relay })
      : t("Signed out at {relay}", { relay });
  };
  return (
    <Show when={here.latest}>
      <Row origin={props.origin} detail={detail()} />
    </Show>
  );
}

function Row(props: { origin: string; detail: string }) {
  return (
    <A href={accountPath(props.origin)} class="row row-link">
      <Icon name="person" />
      <span class="row-text">
        <span>{t("Account")}</span>
        <span class="dim">{props.detail}</span>
      </span>
      <Icon name="chevron" />
    </A>
  );
}
