/** The end of every grant but this device's and the host's own shell's: for when a device was lost, or one is in doubt. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { counted, t } from "../words.ts";

export function RevokeAll(props: { host: HostHere }) {
  const deck = useDeck();
  const [sure, setSure] = createSignal(false);
  const live = (): boolean => props.host.view.connection.kind === "live";
  const others = (): boolean => Object.keys(props.host.view.devices).length > 1;
  const revoke = (): void => {
    setSure(false);
    props.host.replica.intend("device.revokeAll", {}).settled.then(
      ({ revoked }) => deck.toasts.say(counted(revoked, "{n} device is cut off", "{n} devices are cut off")),
      (fault: unknown) => deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
    );
  };
  return (
    <Show when={others()}>
      <Show
        when={sure()}
        fallback={
          <button type="button" class="button plain wide revoke-all" disabled={!live()} onClick={() => setSure(true)}>
            <Icon name="lock" />
            {t("Cut off all others")}
          </button>
        }
      >
        <div class="card device-warn revoke-all" role="group" aria-label={t("Cut off all others")}>
          <p>
            {t(
              "Every device but this one and the shell of {host} is cut off at once, with all that was shared and every open invitation. Each has to be paired again to come back. Agents and sessions go on.",
              { host: visibleLine(props.host.known.name) },
            )}
          </p>
          <div class="device-acts">
            <button type="button" class="button" onClick={() => setSure(false)}>
              {t("Back")}
            </button>
            <button type="button" class="button port" onClick={revoke}>
              {t("Cut all off now")}
            </button>
          </div>
        </div>
      </Show>
    </Show>
  );
}
