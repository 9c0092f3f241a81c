/** One device: what it is, how it came, what it may do; to be named, and to be cut off with what ends with it. */
import type { Device } from "@flybridge/protocol/device.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { ago, clock, until } from "../design/time.ts";
import { deviceName, sessionTitle, verbsWords } from "../grant/grant.ts";
import { counted, t } from "../words.ts";
import { KIND_ICONS, kindWords, wayWords } from "./kind.ts";

export function DeviceRow(props: { host: HostHere; device: Device }) {
  const deck = useDeck();
  const id = createUniqueId();
  const [mode, setMode] = createSignal<"shown" | "open" | "naming" | "revoking">("shown");
  const [name, setName] = createSignal(props.device.name);
  const grant = () => (props.device.grant.kind === "session" ? props.device.grant : undefined);
  /** What was shared by it, which ends with it. */
  const gave = (): number =>
    Object.values(props.host.view.devices).filter(
      (other) => other.grant.kind === "session" && other.grant.by === props.device.device,
    ).length;
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
          <span class="dim">
            {kindWords(props.device.kind)} ·{" "}
            {props.device.connected
              ? t("connected")
              : props.device.seen === undefined
                ? t("never came back")
                : t("seen {when}", { when: ago(props.device.seen) })}
            <Show when={props.device.way}>{(way) => <> · {wayWords(way())}</>}</Show>
          </span>
          <Show when={grant()}>
            {(given) => (
              <span class="dim device-grant" dir="auto">
                {t("Only {title}: may {verbs}, until {time}. From {device}.", {
                  title: sessionTitle(props.host, given().session),
                  verbs: verbsWords(given().verbs),
                  time: until(given().until),
                  device: deviceName(props.host, given().by),
                })}
              </span>
            )}
          </Show>
        </span>
        <Show when={self()}>
          <span class="tag">{t("this device")}</span>
        </Show>
        <span class="chevron" classList={{ open: mode() !== "shown" }}>
          <Icon name="chevron" />
        </span>
      </button>
      <Show when={props.device.suspended}>
        {(at) => (
          <div class="device-suspended" role="alert">
            <Icon name="alert" />
            <p>
              <strong>{t("Suspended: two copies of it were seen at {time}.", { time: clock(at()) })}</strong>{" "}
              {t(
                "Somebody else may have its keys, so neither copy comes in. Cut it off; then pair the one that is yours again, with a new code.",
              )}
            </p>
          </div>
        )}
      </Show>
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
            <Show when={gave() > 0}>
              {" "}
              {counted(
                gave(),
                "With it ends what it shared: {n} device loses its session.",
                "With it ends what it shared: {n} devices lose their session.",
              )}
            </Show>
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
