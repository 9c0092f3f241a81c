/** Remote: the relays by which each host is reached from anywhere, how they fare, and whom they may bring. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, createSignal, For, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { BackHead } from "../design/back-head.tsx";
import "../design/form.css";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { HostSections } from "../host/host-sections.tsx";
import { t } from "../words.ts";
import { AddRelay } from "./add-relay.tsx";
import { RelayRow } from "./relay-row.tsx";
import { watchRelays } from "./relays.ts";
import "./remote.css";
import { ServedNote } from "./served-note.tsx";
import { WayHere } from "./way-here.tsx";

/** Milliseconds between two looks, while the page is seen. */
const LOOK_MS = 3_000;

export default function Remote() {
  return (
    <div class="screen">
      <BackHead title={t("Remote")} />
      <HostSections>{(host) => <HostRemote host={host()} />}</HostSections>
    </div>
  );
}

function HostRemote(props: { host: HostHere }) {
  const { relays, look } = watchRelays(props.host.replica, LOOK_MS);
  /** The one that was added here last: what it wants is asked for at once. */
  const [added, setAdded] = createSignal<string>();
  const live = (): boolean => props.host.view.connection.kind === "live";
  const name = (): string => visibleLine(props.host.known.name);
  const origins = createMemo(() => (relays.told?.relays ?? []).map(({ origin }) => origin));
  return (
    <Show
      when={live()}
      fallback={
        <p class="dim remote-about">
          {t("What relays {host} uses, only it can say, and it is not connected.", { host: name() })}
        </p>
      }
    >
      <Fault why={relays.fault} />
      <Show when={relays.told} fallback={<Show when={!relays.fault}>{<Loading />}</Show>}>
        {(told) => (
          <>
            <Show
              when={origins().length > 0}
              fallback={
                <div class="empty remote-empty">
                  <Icon name="relay" />
                  <h2>{t("No relay yet")}</h2>
                  <p>
                    {t(
                      "A relay is a meeting point on the internet: {host} and your devices each connect out to it, and find each other there from anywhere. It passes on sealed frames and can read nothing of them.",
                      { host: name() },
                    )}
                  </p>
                </div>
              }
            >
              <WayHere host={props.host} />
              <ul class="card rows relays">
                <For each={origins()}>
                  {(origin) => (
                    <Show when={told().relays.find((one) => one.origin === origin)}>
                      {(relay) => (
                        <RelayRow
                          host={props.host}
                          relay={relay()}
                          identity={told().identity}
                          added={added() === origin}
                          look={look}
                        />
                      )}
                    </Show>
                  )}
                </For>
              </ul>
            </Show>
            <AddRelay
              host={props.host}
              known={origins()}
              added={(origin) => {
                setAdded(origin);
                look();
              }}
            />
            <ServedNote app={told().app} />
          </>
        )}
      </Show>
    </Show>
  );
}
