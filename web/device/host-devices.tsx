/** One host's devices: letting one in, who waits, who is in, what is open, and the end of it all. */
import type { Device } from "@flybridge/protocol/device.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, createSignal, For, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Icon, type IconName } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Loading } from "../design/loading.tsx";
import { WaitingList } from "../pairing/waiting-list.tsx";
import { t } from "../words.ts";
import { DeviceRow } from "./device-row.tsx";
import { OpenOffers } from "./open-offers.tsx";
import { RevokeAll } from "./revoke-all.tsx";

const HookOffer = lazySheet<{ host: HostHere }>(() => import("../conversations/hook-offer.tsx"));
const OfferSheet = lazySheet(() => import("./offer.tsx"));

export function HostDevices(props: { host: HostHere }) {
  const [offering, setOffering] = createSignal(false);
  const devices = createMemo(() =>
    Object.values(props.host.view.devices).sort(
      (a, b) => rank(b, props.host) - rank(a, props.host) || (b.seen ?? 0) - (a.seen ?? 0),
    ),
  );
  const live = (): boolean => props.host.view.connection.kind === "live";
  return (
    <section>
      <h2 class="section-head host-head">
        <Icon name="host" />
        <bdi class="cut">{visibleLine(props.host.known.name)}</bdi>
        <Show when={props.host.view.version}>
          {(version) => <span class="num host-version">{visibleLine(version())}</span>}
        </Show>
      </h2>
      <WaitingList host={props.host} />
      <div class="card offer-card">
        <span class="offer-icon">
          <Icon name="qr" />
        </span>
        <div class="offer-text">
          <p class="row-title">{t("Let a new device in")}</p>
          <p class="dim">{t("A code that works once, for five minutes. Show it only to a device of yours.")}</p>
        </div>
        <button type="button" class="button strong" disabled={!live()} onClick={() => setOffering(true)}>
          {t("Show code")}
        </button>
      </div>
      <Show when={props.host.view.read} fallback={<Loading />}>
        <ul class="card rows">
          <For each={devices().map((device) => device.device)}>
            {(id) => (
              <Show when={props.host.view.devices[id]}>
                {(device) => <DeviceRow host={props.host} device={device()} />}
              </Show>
            )}
          </For>
        </ul>
        <RevokeAll host={props.host} />
        <OpenOffers host={props.host} again={offering()} />
      </Show>
      <Further
        href="/remote"
        icon="relay"
        title={t("Remote")}
        detail={t("Relays, by which it is reached from anywhere")}
      />
      <Further href="/rules" icon="rule" title={t("Rules")} detail={t("What is allowed without asking")} />
      <Further
        href="/audit"
        icon="log"
        title={t("Log")}
        detail={t("Who came in, was let in to what, or turned away")}
      />
      <HookOffer host={props.host} />
      <Show when={offering()}>
        <OfferSheet host={props.host} onClose={() => setOffering(false)} />
      </Show>
    </section>
  );
}

function Further(props: { href: string; icon: IconName; title: string; detail: string }) {
  return (
    <A href={props.href} class="card row row-link rules-link">
      <Icon name={props.icon} />
      <span class="row-text">
        <span class="row-title">{props.title}</span>
        <span class="dim cut">{props.detail}</span>
      </span>
      <Icon name="chevron" />
    </A>
  );
}

/** First what needs a look, then this device, then those that are here. */
function rank(device: Device, host: HostHere): number {
  if (device.suspended !== undefined) return 3;
  return device.device === host.known.device ? 2 : device.connected ? 1 : 0;
}
