/** Devices: let a new one in, see who is in, name and cut off; and what concerns only this device. */
import type { Device } from "@flybridge/protocol/device.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, createSignal, createUniqueId, For, Show } from "solid-js";
import { type HostHere, hostsOf, useDeck } from "../deck.ts";
import { Icon, type IconName } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Loading } from "../design/loading.tsx";
import { chooseTheme, theme } from "../design/theme.ts";
import { ago } from "../design/time.ts";
import { t } from "../words.ts";
import { CertificateNote } from "./certificate-note.tsx";
import "./devices.css";

const HookOffer = lazySheet<{ host: HostHere }>(() => import("../conversations/hook-offer.tsx"));
const OfferSheet = lazySheet(() => import("./offer.tsx"));

export default function Devices() {
  const deck = useDeck();
  const hosts = createMemo(() => hostsOf(deck));
  return (
    <div class="screen devices-screen">
      <div class="screen-head">
        <h1>{t("Devices")}</h1>
      </div>
      <For each={hosts()}>{(host) => <HostDevices host={host} />}</For>
      <section>
        <h2 class="section-head">{t("On this device")}</h2>
        <CertificateNote />
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

function HostDevices(props: { host: HostHere }) {
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
      </Show>
      <A href="/rules" class="card row row-link rules-link">
        <Icon name="rule" />
        <span class="row-text">
          <span class="row-title">{t("Rules")}</span>
          <span class="dim cut">{t("What is allowed without asking")}</span>
        </span>
        <Icon name="chevron" />
      </A>
      <HookOffer host={props.host} />
      <Show when={offering()}>
        <OfferSheet host={props.host} onClose={() => setOffering(false)} />
      </Show>
    </section>
  );
}

function DeviceRow(props: { host: HostHere; device: Device }) {
  const deck = useDeck();
  const id = createUniqueId();
  const [mode, setMode] = createSignal<"shown" | "open" | "naming" | "revoking">("shown");
  const [name, setName] = createSignal(props.device.name);
  const self = (): boolean => props.device.device === props.host.known.device;
  const say = (settled: Promise<unknown>, done: string): void => {
    setMode("shown");
    settled.then(
      () => deck.toasts.say(done),
      (fault: unknown) => deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
    );
  };
  return (
    <li class="device">
      <button
        type="button"
        class="row row-link"
        aria-expanded={mode() !== "shown"}
        onClick={() => setMode(mode() === "shown" ? "open" : "shown")}
      >
        <Icon name={KIND_ICONS[props.device.kind]} />
        <span class="row-text">
          <span class="row-title cut" dir="auto">
            {visibleLine(props.device.name)}
          </span>
          <span class="dim cut">
            {kindWords(props.device.kind)} ·{" "}
            {props.device.connected
              ? t("connected")
              : props.device.seen === undefined
                ? t("never came back")
                : t("seen {when}", { when: ago(props.device.seen) })}
            <Show when={props.device.grant.kind === "session"}> · {t("one session only")}</Show>
          </span>
        </span>
        <Show when={self()}>
          <span class="tag">{t("this device")}</span>
        </Show>
        <span class="chevron" classList={{ open: mode() !== "shown" }}>
          <Icon name="chevron" />
        </span>
      </button>
      <Show when={mode() === "open"}>
        <div class="device-acts">
          <button type="button" class="button" onClick={() => setMode("naming")}>
            <Icon name="pencil" />
            {t("Rename")}
          </button>
          <button type="button" class="button" onClick={() => setMode("revoking")}>
            <Icon name="lock" />
            {t("Cut off")}
          </button>
        </div>
      </Show>
      <Show when={mode() === "naming"}>
        <form
          class="device-acts"
          onSubmit={(event) => {
            event.preventDefault();
            say(
              props.host.replica.intend("device.rename", { device: props.device.device, name: name().trim() }).settled,
              t("Renamed"),
            );
          }}
        >
          <label class="unseen" for={id}>
            {t("Name")}
          </label>
          <input
            id={id}
            ref={(field) => queueMicrotask(() => field.select())}
            class="field"
            dir="auto"
            maxlength="80"
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <button type="submit" class="button strong" disabled={name().trim() === ""}>
            {t("Save")}
          </button>
        </form>
      </Show>
      <Show when={mode() === "revoking"}>
        <div class="device-warn">
          <p>
            {self()
              ? t("This device is cut off from {host} at once and has to be paired again.", {
                  host: visibleLine(props.host.known.name),
                })
              : t("{device} is cut off at once. It has to be paired again to come back.", {
                  device: visibleLine(props.device.name),
                })}
          </p>
          <div class="device-acts">
            <button type="button" class="button" onClick={() => setMode("open")}>
              {t("Back")}
            </button>
            <button
              type="button"
              class="button port"
              onClick={() =>
                say(props.host.replica.intend("device.revoke", { device: props.device.device }).settled, t("Cut off"))
              }
            >
              {t("Cut off now")}
            </button>
          </div>
        </div>
      </Show>
    </li>
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

const KIND_ICONS: Record<Device["kind"], IconName> = {
  phone: "phone",
  tablet: "tablet",
  desktop: "desktop",
  cli: "terminal",
  host: "host",
};

function kindWords(kind: Device["kind"]): string {
  switch (kind) {
    case "phone":
      return t("Phone");
    case "tablet":
      return t("Tablet");
    case "desktop":
      return t("Desktop");
    case "cli":
      return t("Shell");
    case "host":
      return t("Host");
  }
}

function rank(device: Device, host: HostHere): number {
  return device.device === host.known.device ? 2 : device.connected ? 1 : 0;
}
