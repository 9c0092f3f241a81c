/** The desktop that goes where the phone goes: the switch for it, and the going. Off until a person turns it on. */
import { useNavigate } from "@solidjs/router";
import { createEffect, createMemo, createSignal, on, Show } from "solid-js";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { type HostHere, sessionPath } from "../deck.ts";
import { thisDevice } from "../device/self.ts";
import "./shadow.css";
import { t } from "../words.ts";

const KEPT = "flybridge.follows-phone";

export default function Shadow(props: { hosts: readonly HostHere[] }) {
  const self = thisDevice();
  const navigate = useNavigate();
  const [follows, setFollows] = createSignal(localStorage.getItem(KEPT) === "yes");
  /** A phone or tablet that is here now, the one that opened a session if there is such a one. */
  const phone = createMemo(() => {
    const here = props.hosts.flatMap((host) =>
      Object.values(host.view.devices)
        .filter((one) => one.connected && one.device !== host.known.device && isHandheld(one.kind))
        .map((device) => ({ host, device })),
    );
    return here.find(({ device }) => device.viewing !== undefined) ?? here[0];
  });
  const place = (): string | undefined => {
    const found = phone();
    return found?.device.viewing && sessionPath(found.host.known.host, found.device.viewing);
  };
  createEffect(
    on([follows, place], ([following, path]) => {
      if (following && path !== undefined) navigate(path);
    }),
  );
  return (
    <Show when={self.kind === "desktop" && phone()}>
      {(found) => (
        <label class="shadow">
          <input
            type="checkbox"
            checked={follows()}
            onChange={(event) => {
              setFollows(event.currentTarget.checked);
              localStorage.setItem(KEPT, event.currentTarget.checked ? "yes" : "no");
            }}
          />
          <span class="cut">{t("Go where {device} goes", { device: visibleLine(found().device.name) })}</span>
        </label>
      )}
    </Show>
  );
}

function isHandheld(kind: string): boolean {
  return kind === "phone" || kind === "tablet";
}
