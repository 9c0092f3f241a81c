/** The devices that are signed in to the account: to be removed one by one, or all but this one. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import type { AccountDevice } from "@flybridge/client/relay/contents.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, createSignal, For, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { ago } from "../design/time.ts";
import { KIND_ICONS, kindWords } from "../device/kind.ts";
import { counted, t } from "../words.ts";

/** Milliseconds in which a device counts as here: the relay notes no more often that it was seen. */
const HERE_MS = 15 * 60_000;

export function AccountDevices(props: { here: AccountHere; devices: readonly AccountDevice[] }) {
  const deck = useDeck();
  const [sure, setSure] = createSignal<"asked" | "sent">();
  const sorted = createMemo(() =>
    [...props.devices]
      .sort((a, b) => Number(b.self) - Number(a.self) || b.seen - a.seen || a.key.localeCompare(b.key))
      .map(({ key }) => key),
  );
  const others = (): number => props.devices.filter(({ self }) => !self).length;
  const signOut = (): void => {
    setSure("sent");
    props.here.account
      .signOutOthers()
      .then(
        (ended) => deck.toasts.say(counted(ended, "{n} device is signed out", "{n} devices are signed out")),
        (error: unknown) => deck.toasts.say(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => {
        setSure();
        void props.here.look();
      });
  };
  return (
    <section>
      <h2 class="section-head">{t("Signed-in devices")}</h2>
      <ul class="card rows">
        <For each={sorted()}>
          {(key) => (
            <Show when={props.devices.find((one) => one.key === key)}>
              {(device) => <DeviceRow here={props.here} device={device()} />}
            </Show>
          )}
        </For>
      </ul>
      <Show when={others() > 0}>
        <Show
          when={sure() !== undefined}
          fallback={
            <button type="button" class="button plain wide account-others" onClick={() => setSure("asked")}>
              <Icon name="leave" />
              {t("Sign out all others")}
            </button>
          }
        >
          <div class="card device-warn account-sure account-others" role="group" aria-label={t("Sign out all others")}>
            <p>
              {t(
                "Every device but this one has to sign in again. Hosts that know them go on to know them: to cut one off there, go to Devices.",
              )}
            </p>
            <div class="device-acts">
              <button type="button" class="button" disabled={sure() === "sent"} onClick={() => setSure()}>
                {t("Keep")}
              </button>
              <button type="button" class="button port" disabled={sure() === "sent"} onClick={signOut}>
                {t("Sign them out now")}
              </button>
            </div>
          </div>
        </Show>
      </Show>
    </section>
  );
}

function DeviceRow(props: { here: AccountHere; device: AccountDevice }) {
  const deck = useDeck();
  const [mode, setMode] = createSignal<"shown" | "removing">("shown");
  const name = (): string => visibleLine(props.device.name ?? t("A device without a name"));
  const remove = (): void => {
    setMode("shown");
    props.here.account.removeDevice(props.device.key).then(
      () => {
        deck.toasts.say(t("Signed out, and removed from the account."));
        void props.here.look();
      },
      (error: unknown) => deck.toasts.say(error instanceof Error ? error.message : String(error)),
    );
  };
  const words = (): string => {
    const kind =
      props.device.kind === undefined ? t("Not signed in by any device of yours") : kindWords(props.device.kind);
    const seen =
      Date.now() - props.device.seen < HERE_MS ? t("seen lately") : t("seen {when}", { when: ago(props.device.seen) });
    return `${kind} · ${seen} · ${t("signed in {when}", { when: ago(props.device.created) })}`;
  };
  return (
    <Show
      when={!props.device.self}
      fallback={
        <li class="row">
          <Icon name={KIND_ICONS[props.device.kind ?? "desktop"]} />
          <span class="row-text">
            <span class="row-title cut" dir="auto">
              {name()}
            </span>
            <span class="dim">{words()}</span>
          </span>
          <span class="tag">{t("this device")}</span>
        </li>
      }
    >
      <li class="device">
        <button
          type="button"
          class="row row-link"
          aria-expanded={mode() !== "shown"}
          onClick={() => setMode(mode() === "shown" ? "removing" : "shown")}
        >
          <Icon name={KIND_ICONS[props.device.kind ?? "desktop"]} />
          <span class="row-text">
            <span class="row-title cut" dir="auto">
              {name()}
            </span>
            <span class="dim">{words()}</span>
          </span>
          <span class="chevron" classList={{ open: mode() !== "shown" }}>
            <Icon name="chevron" />
          </span>
        </button>
        <Show when={mode() === "removing"}>
          <div class="device-warn">
            <p>
              {t(
                "{device} is signed out at once. If it was lost, cut it off at your hosts as well, under Devices: they know it by its own key.",
                { device: name() },
              )}
            </p>
            <div class="device-acts">
              <button type="button" class="button" onClick={() => setMode("shown")}>
                {t("Keep")}
              </button>
              <button type="button" class="button port" onClick={remove}>
                {t("Remove now")}
              </button>
            </div>
          </div>
        </Show>
      </li>
    </Show>
  );
}
