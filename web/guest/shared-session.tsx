/** What a guest's app is: the one session that was shared with this device, from whom, until when; and its end. */
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { useNavigate } from "@solidjs/router";
import { createMemo, createSignal, For, type JSX, Show } from "solid-js";
import { type HostHere, sessionPath, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Menu, MenuItem } from "../design/menu.tsx";
import { until } from "../design/time.ts";
import { verbsWords } from "../grant/grant.ts";
import { t } from "../words.ts";
import { endingOf } from "./ending.ts";
import "./guest.css";
import { Over } from "./over.tsx";
import { sharesOf } from "./shares.ts";

const LeaveSheet = lazySheet(() => import("./leave-sheet.tsx"));

export default function SharedSession(props: { host: HostHere; session: SessionId; children: JSX.Element }) {
  const [reading, setReading] = createSignal(false);
  const [leaving, setLeaving] = createSignal(false);
  const deck = useDeck();
  const navigate = useNavigate();
  const others = createMemo(() => sharesOf(deck).filter(({ known }) => known.host !== props.host.known.host));
  const ending = () => endingOf(props.host);
  const grant = () => {
    const { grant: given } = props.host.view;
    return given?.kind === "session" ? given : undefined;
  };
  const values = () => ({ host: visibleLine(props.host.known.name), time: until(grant()?.until ?? 0) });
  return (
    <Show
      when={!reading() && ending()}
      fallback={
        <div class="shared">
          <div class="shared-bar">
            <Show when={!ending()} fallback={<p>{t("As it was last seen. Nothing can be sent from here.")}</p>}>
              <p>
                <span>
                  {grant() === undefined
                    ? t("Shared by {host}", values())
                    : t("Shared by {host} until {time}", values())}
                </span>
                <Show when={grant()}>
                  {(given) => <span class="dim">{t("You may {verbs}", { verbs: verbsWords(given().verbs) })}</span>}
                </Show>
              </p>
            </Show>
            <Show when={others().length > 0}>
              <Menu label={t("Other sessions that are shared with you")} trigger={<Icon name="sessions" />}>
                <For each={others()}>
                  {(share) => (
                    <MenuItem onChoose={() => navigate(sessionPath(share.known.host, share.session))}>
                      <Icon name="share" />
                      {t("A session on {host}", { host: visibleLine(share.known.name) })}
                    </MenuItem>
                  )}
                </For>
              </Menu>
            </Show>
            <Show
              when={!ending()}
              fallback={
                <button type="button" class="button" onClick={() => setReading(false)}>
                  <Icon name="back" />
                  {t("Back")}
                </button>
              }
            >
              <button type="button" class="button" onClick={() => setLeaving(true)}>
                <Icon name="leave" />
                {t("Leave")}
              </button>
            </Show>
          </div>
          {props.children}
          <Show when={leaving() && !ending()}>
            <LeaveSheet host={props.host} session={props.session} onClose={() => setLeaving(false)} />
          </Show>
        </div>
      }
    >
      {(over) => <Over host={props.host} ending={over()} read={() => setReading(true)} />}
    </Show>
  );
}
