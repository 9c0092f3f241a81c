/** Devices: let a new one in, see who is in, name and cut off; and what concerns only this device. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, createSignal, For, Show } from "solid-js";
import { type HostHere, hostsOf, ownHostsOf, useDeck } from "../deck.ts";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { chooseTheme, theme } from "../design/theme.ts";
import SharedRows from "../guest/shared-rows.tsx";
import { ServedNote } from "../remote/served-note.tsx";
import { t } from "../words.ts";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { CertificateNote } from "./certificate-note.tsx";
import "./devices.css";
import { HostDevices } from "./host-devices.tsx";

const AccountRows = lazySheet(() => import("../account/account-rows.tsx"));

export default function Devices() {
  const deck = useDeck();
  const hosts = createMemo(() => hostsOf(deck));
  return (
    <div class="screen devices-screen">
      <div class="screen-head">
        <h1>{t("Devices")}</h1>
      </div>
      <For each={ownHostsOf(deck)}>{(host) => <HostDevices host={host} />}</For>
      <SharedRows />
      <section>
        <h2 class="section-head">{t("On this device")}</h2>
        <CertificateNote />
        <ServedNote />
        <div class="card rows">
          <div class="row" role="radiogroup" aria-label={t("Appearance")}>
            <Icon name="sun" />
            <span class="row-text">{t("Appearance")}</span>
            <span class="segments">
              <For
                each={
                  [
                    ["auto", t("Auto")],
                    ["light", t("Light")],
                    ["dark", t("Dark")],
                  ] as const
                }
              >
                {([value, label]) => (
                  <button
                    type="button"
                    role="radio"
                    aria-checked={theme() === value}
                    onClick={() => chooseTheme(value)}
                  >
                    {label}
                  </button>
                )}
              </For>
            </span>
          </div>
          <AccountRows />
          <A href="/pair" class="row row-link">
            <Icon name="link" />
            <span class="row-text">{t("Pair with another host")}</span>
            <Icon name="chevron" />
          </A>
          <For each={hosts()}>{(host) => <Forget host={host} />}</For>
        </div>
      </section>
    </div>
  );
}

function Forget(props: { host: HostHere }) {
  const deck = useDeck();
  const [sure, setSure] = createSignal(false);
  const name = (): string => visibleLine(props.host.known.name);
  return (
    <div class="device">
      <button type="button" class="row row-link" aria-expanded={sure()} onClick={() => setSure(!sure())}>
        <Icon name="close" />
        <span class="row-text">{t("Forget {host}", { host: name() })}</span>
      </button>
      <Show when={sure()}>
        <div class="device-warn">
          <p>
            {t("Its keys, what was kept for reading offline and what was not sent yet are deleted on this device.")}
          </p>
          <div class="device-acts">
            <button type="button" class="button" onClick={() => setSure(false)}>
              {t("Keep")}
            </button>
            <button type="button" class="button port" onClick={() => void deck.bridge.forget(props.host.known.host)}>
              {t("Forget now")}
            </button>
          </div>
        </div>
      </Show>
    </div>
  );
}
