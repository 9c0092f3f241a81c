/** A sign-in that is over, and why, over the whole screen: what it may mean, and what to do about it. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import type { AccountState } from "@flybridge/client/relay/standing.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createSignal, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import "../design/over.css";
import { t } from "../words.ts";
import { placeOf } from "./place.ts";

export function Ended(props: {
  here: AccountHere;
  state: Extract<AccountState, { kind: "ended" }>;
  again: () => void;
}) {
  const deck = useDeck();
  const [busy, setBusy] = createSignal(false);
  const reused = (): boolean => props.state.reason === "session_reused";
  const forget = (): void => {
    setBusy(true);
    props.here.account.signOut().catch((error: unknown) => {
      setBusy(false);
      deck.toasts.say(error instanceof Error ? error.message : String(error));
    });
  };
  return (
    <div class="over" role="alert">
      <span class="over-icon" classList={{ bad: reused() }}>
        <Icon name={reused() ? "shield" : "leave"} />
      </span>
      <h1>
        {reused() ? t("This sign-in was used from somewhere else; it was ended.") : t("This device is signed out")}
      </h1>
      <p class="dim" dir="ltr">
        {visibleLine(props.state.email)} · {visibleLine(placeOf(props.here.account.origin))}
      </p>
      <Show
        when={reused()}
        fallback={
          <p>
            {t(
              "It was signed out from another device, with the account, or because it was away for months. Its hosts still know it.",
            )}
          </p>
        }
      >
        <p>
          {t(
            "Two held what only this device should have. If you restored it from a copy, or copied its profile, that was you. If not, somebody has its keys.",
          )}
        </p>
        <ol class="ended-steps">
          <li>{t("Sign in again here.")}</li>
          <li>{t("Look which devices the account has, and remove those you do not know.")}</li>
          <li>
            {t("If somebody may have the keys: cut this device off on your hosts, under Devices, and pair it anew.")}
          </li>
        </ol>
      </Show>
      <div class="over-acts">
        <button type="button" class="button strong wide" disabled={busy()} onClick={() => props.again()}>
          {t("Sign in again")}
        </button>
        <Show when={reused() && deck.bridge.hosts.value.list.length > 0}>
          <A href="/devices" class="button wide">
            {t("Devices of my hosts")}
          </A>
        </Show>
        <button type="button" class="button plain wide" disabled={busy()} onClick={forget}>
          {t("Forget the account here")}
        </button>
      </div>
    </div>
  );
}
