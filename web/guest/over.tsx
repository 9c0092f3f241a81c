/** The end of a share, on the whole screen: why, what to do, and what of it can still be read. */
import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import type { Ending } from "./ending.ts";
import "../design/over.css";

export function Over(props: { host: HostHere; ending: Ending; read: () => void }) {
  const deck = useDeck();
  return (
    <div class="over" role="alert" data-reason={props.ending.reason}>
      <span class="over-icon" classList={{ bad: props.ending.reason === "suspended" }}>
        <Icon
          name={props.ending.reason === "suspended" ? "alert" : props.ending.reason === "detached" ? "leave" : "lock"}
        />
      </span>
      <h1>{props.ending.title}</h1>
      <p>{props.ending.what}</p>
      <p class="dim">{props.ending.next}</p>
      <div class="over-acts">
        <Show when={props.ending.isReadable}>
          <button type="button" class="button strong wide" onClick={() => props.read()}>
            <Icon name="read" />
            {t("Read what was said")}
          </button>
        </Show>
        <A href="/join" class="button wide">
          <Icon name="link" />
          {t("I have a new link")}
        </A>
        <button type="button" class="button plain wide" onClick={() => void deck.bridge.forget(props.host.known.host)}>
          {t("Forget it on this device")}
        </button>
      </div>
    </div>
  );
}
