/** One word beside the tab: how the relays of one's hosts fare. Only where the tab is in sight. */
import type { RelayStatus } from "@flybridge/protocol/relays.ts";
import { createMemo, createSignal, For, onCleanup, Show } from "solid-js";
import { type HostHere, ownHostsOf, useDeck } from "../deck.ts";
import { type Relays, watchRelays } from "./relays.ts";
import { statusWord, worstOf } from "./status.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 10_000;
/** Where the sidebar is, as in app.css. */
const WIDE = matchMedia("(min-width: 48rem)");

export default function RemoteStatus() {
  const deck = useDeck();
  const [wide, setWide] = createSignal(WIDE.matches);
  const changed = (): void => void setWide(WIDE.matches);
  WIDE.addEventListener("change", changed);
  onCleanup(() => WIDE.removeEventListener("change", changed));
  const hosts = createMemo(() => ownHostsOf(deck).map(({ known }) => known.host));
  const [told, setTold] = createSignal<ReadonlyMap<string, Relays>>(new Map());
  const worst = createMemo(() =>
    worstOf(
      ownHostsOf(deck)
        .filter(({ view }) => view.connection.kind === "live")
        .flatMap(({ known }) => told().get(known.host)?.told?.relays ?? []),
    ),
  );
  return (
    <Show when={wide()}>
      <For each={hosts()}>
        {(id) => {
          const host = ownHostsOf(deck).find(({ known }) => known.host === id) as HostHere;
          const { relays } = watchRelays(host.replica, LOOK_MS);
          setTold((before) => new Map(before).set(id, relays));
          return null;
        }}
      </For>
      <Show when={worst()}>{(kind) => <Word kind={kind()} />}</Show>
    </Show>
  );
}

function Word(props: { kind: RelayStatus["kind"] }) {
  return (
    <span class="tab-status" classList={{ [props.kind]: true }}>
      {statusWord(props.kind)}
    </span>
  );
}
