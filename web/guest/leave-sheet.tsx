/** Leaving a session that was shared: it is given back, so it is asked once. */
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";

export default function LeaveSheet(props: { host: HostHere; session: SessionId; onClose: () => void }) {
  const [away, setAway] = createSignal(false);
  const live = (): boolean => props.host.view.connection.kind === "live";
  const leave = (): void => {
    if (!live()) return void setAway(true);
    // The host says goodbye instead of an answer.
    props.host.replica.intend("session.detach", { session: props.session }).settled.catch(() => undefined);
  };
  return (
    <Sheet title={t("Leave this session?")} onClose={props.onClose}>
      <div class="form">
        <p>
          {t("It goes on without you. To come back you need a new link from {host}.", {
            host: visibleLine(props.host.known.name),
          })}
        </p>
        <Show when={away()}>
          <p class="fault" role="alert">
            <Icon name="alert" small />
            {t("{host} cannot be reached now. Leave when it is back.", { host: visibleLine(props.host.known.name) })}
          </p>
        </Show>
        <div class="form-pair">
          <button type="button" class="button" onClick={() => props.onClose()}>
            {t("Stay")}
          </button>
          <button type="button" class="button port" onClick={leave}>
            {t("Leave it")}
          </button>
        </div>
      </div>
    </Sheet>
  );
}
