/** Says that what is shown is not live, since when, and what that means for you. Silent for the first moments. */
import type { Connection } from "@flybridge/client/replica.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { clock, lasted, now } from "../design/time.ts";
import { t } from "../words.ts";
import { changedPath, isChanged } from "./changed.ts";

/** A connection that is being made is not worth a word before this, in milliseconds. */
const QUIET_MS = 2_000;

export function ConnectionBanner(props: { host: HostHere; terminal?: boolean }) {
  const connection = (): Connection => props.host.view.connection;
  const name = (): string => visibleLine(props.host.known.name);
  const words = (): string | undefined => {
    const state = connection();
    switch (state.kind) {
      case "live":
        return undefined;
      case "connecting":
        return now() - state.since < QUIET_MS
          ? undefined
          : t("Connecting to {host}. You see what was last known.", { host: name() });
      case "offline":
        if (props.terminal)
          return t(
            "{host} has not answered since {time}. What you see is from then; nothing is typed until it is back.",
            {
              host: name(),
              time: clock(state.since),
            },
          );
        return t("{host} has not answered since {time}. What you send is saved here and goes out when it is back.", {
          host: name(),
          time: clock(state.since),
        });
      case "refused":
        return REFUSED[state.reason]({ host: name() });
    }
  };
  const retry = (): string | undefined => {
    const state = connection();
    if (state.kind !== "offline" || state.retryAt === undefined) return undefined;
    return state.retryAt <= now()
      ? t("trying now")
      : t("tries again in {time}", { time: lasted(state.retryAt - now() + 999) });
  };
  return (
    <Show when={words()}>
      {(text) => (
        <div class="banner" classList={{ refused: connection().kind === "refused" }} role="status">
          <Icon name={connection().kind === "refused" ? "lock" : "offline"} />
          <p>
            {text()} <Show when={retry()}>{(when) => <span class="banner-retry num">{when()}</span>}</Show>
            <Show when={connection().kind === "offline" && (connection() as { reason?: string }).reason}>
              {(reason) => <span class="unseen">{visible(reason())}</span>}
            </Show>
          </p>
          <Show
            when={connection().kind === "refused"}
            fallback={
              <button type="button" class="button plain" onClick={() => props.host.replica.notice({ kind: "awake" })}>
                {t("Try now")}
              </button>
            }
          >
            <A href={isChanged(props.host) ? changedPath(props.host.known.host) : "/devices"} class="button plain">
              {isChanged(props.host) ? t("See both") : t("Mend")}
            </A>
          </Show>
        </div>
      )}
    </Show>
  );
}

const REFUSED: Record<Extract<Connection, { kind: "refused" }>["reason"], (values: { host: string }) => string> = {
  revoked: (values) => t("{host} no longer lets this device in. Pair it again to go on.", values),
  expired: (values) => t("The time for which {host} let this device in is over. Ask there for a new link.", values),
  session_ended: (values) => t("The session that was shared with this device on {host} has ended.", values),
  suspended: (values) =>
    t(
      "{host} saw two copies of this device and lets neither in. Revoke it there; then pair again the one that is yours.",
      values,
    ),
  detached: (values) => t("You left the session on {host}. Ask there for a new link to come back.", values),
  wrong_host: (values) =>
    t(
      "Whoever answers at the address of {host} does not hold its key. Nothing was sent. Pair again at the host itself if it was set up anew.",
      values,
    ),
  // A browser looks at certificates itself, and tells a page nothing.
  wrong_certificate: (values) => t("The certificate of {host} has another key than before.", values),
  too_new: (values) => t("This app is newer than {host} understands. Update Flybridge there.", values),
  too_old: (values) => t("This app is older than {host} accepts. Reload the page to get the new one.", values),
};
