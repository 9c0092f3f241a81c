/** Who has a session now: which device, what it may do, until when, whether it looks; and the way to end it. */
import type { Device } from "@flybridge/protocol/device.ts";
import type { SessionGrant } from "@flybridge/protocol/grant.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, createSignal, For, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { until } from "../design/time.ts";
import { KIND_ICONS } from "../device/kind.ts";
import { t } from "../words.ts";
import { deviceName, isOf, verbsWords } from "./grant.ts";

export function SharedWith(props: { host: HostHere; session: SessionGrant["session"] }) {
  const guests = createMemo(() =>
    Object.values(props.host.view.devices).filter(({ grant }) => isOf(grant, props.session)),
  );
  return (
    <Show when={guests().length > 0}>
      <section>
        <h3 class="label">{t("Who has it now")}</h3>
        <ul class="card rows">
          <For each={guests().map(({ device }) => device)}>
            {(id) => (
              <Show when={props.host.view.devices[id]}>
                {(device) => <Guest host={props.host} device={device()} session={props.session} />}
              </Show>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}

function Guest(props: { host: HostHere; device: Device; session: SessionGrant["session"] }) {
  const deck = useDeck();
  const [sure, setSure] = createSignal(false);
  const grant = () => props.device.grant as SessionGrant;
  const looks = (): string => {
    if (props.device.suspended !== undefined) return t("suspended: two copies of it were seen");
    if (props.device.viewing === props.session) return t("watching now");
    return props.device.connected ? t("connected") : t("away");
  };
  const revoke = (): void => {
    setSure(false);
    props.host.replica.intend("device.revoke", { device: props.device.device }).settled.then(
      () => deck.toasts.say(t("Cut off")),
      (fault: unknown) => deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
    );
  };
  return (
    <li class="device">
      <div class="row">
        <Icon name={KIND_ICONS[props.device.kind]} />
        <span class="row-text">
          <span class="row-title cut" dir="auto">
            {visibleLine(props.device.name)}
          </span>
          <span
            class="grant-looks"
            classList={{ on: props.device.viewing === props.session, off: props.device.suspended !== undefined }}
          >
            {looks()}
          </span>
          <span class="dim">
            {t("may {verbs}, until {time}", { verbs: verbsWords(grant().verbs), time: until(grant().until) })}
            <Show when={grant().by !== props.host.known.device}>
              {" · "}
              {t("from {device}", { device: deviceName(props.host, grant().by) })}
            </Show>
          </span>
        </span>
        <Show when={!sure()}>
          <button type="button" class="button" onClick={() => setSure(true)}>
            {t("Cut off")}
          </button>
        </Show>
      </div>
      <Show when={sure()}>
        <div class="device-warn">
          <p>{t("It sees nothing more from this moment on, nor does whoever it passed the session on to.")}</p>
          <div class="device-acts">
            <button type="button" class="button" onClick={() => setSure(false)}>
              {t("Back")}
            </button>
            <button type="button" class="button port" onClick={revoke}>
              {t("Cut off now")}
            </button>
          </div>
        </div>
      </Show>
    </li>
  );
}
