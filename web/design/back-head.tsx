/** The head of a screen that lies behind Devices. */
import { A } from "@solidjs/router";
import { Show } from "solid-js";
import { t } from "../words.ts";
import "./back-head.css";
import { Icon } from "./icon.tsx";

/** With `alone`, there is nothing to go back to yet. */
export function BackHead(props: { title: string; alone?: boolean }) {
  return (
    <div class="screen-head back-head">
      <Show when={!props.alone}>
        <A href="/devices" class="icon-button" aria-label={t("Back to devices")}>
          <Icon name="back" />
        </A>
      </Show>
      <h1>{props.title}</h1>
    </div>
  );
}
