/** A part of a screen for each of the owner's own hosts; named where there are several. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, For, type JSX, Show } from "solid-js";
import { type HostHere, ownHostsOf, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import "../device/devices.css";

/** A part lives as long as its host is known, however often what is known of it changes. */
export function HostSections(props: { children: (host: () => HostHere) => JSX.Element }) {
  const deck = useDeck();
  const hosts = createMemo(() => ownHostsOf(deck));
  const named = (): boolean => hosts().length > 1;
  return (
    <For each={hosts().map(({ known }) => known.host)}>
      {(id) => (
        <Show when={hosts().find(({ known }) => known.host === id)}>
          {(host) => (
            <section aria-label={named() ? visibleLine(host().known.name) : undefined}>
              <Show when={named()}>
                <h2 class="section-head host-head">
                  <Icon name="host" />
                  <bdi class="cut">{visibleLine(host().known.name)}</bdi>
                </h2>
              </Show>
              {props.children(host)}
            </section>
          )}
        </Show>
      )}
    </For>
  );
}
