/** An account that is open here: its hosts, its devices, what happened to it, and what can be done about it. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import type { AccountState } from "@flybridge/client/relay/standing.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createSignal, onCleanup, onMount, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { BackHead } from "../design/back-head.tsx";
import { Fault } from "../design/fault.tsx";
import { Icon, type IconName } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Loading } from "../design/loading.tsx";
import { lasted, now } from "../design/time.ts";
import { ServedNote } from "../remote/served-note.tsx";
import { t } from "../words.ts";
import { AccountDevices } from "./account-devices.tsx";
import { AccountHosts } from "./account-hosts.tsx";
import { Notices } from "./notices.tsx";
import { placeOf } from "./place.ts";

const ChangePassphrase = lazySheet<SheetProps>(() => import("./change-passphrase.tsx"));
const NewCode = lazySheet<SheetProps & { made: (code: string) => void }>(() => import("./new-code.tsx"));
const DeleteAccount = lazySheet<SheetProps & { email: string }>(() => import("./delete-account.tsx"));

/** Milliseconds between two looks, while the page is seen. */
const LOOK_MS = 5_000;

type SheetProps = { here: AccountHere; onClose: () => void };

export function Overview(props: {
  here: AccountHere;
  state: Extract<AccountState, { kind: "in" }>;
  newCode: (code: string) => void;
}) {
  const deck = useDeck();
  const [open, setOpen] = createSignal<"passphrase" | "code" | "delete">();
  const [leaving, setLeaving] = createSignal<"asked" | "sent">();
  const look = (): void => {
    if (!document.hidden && props.state.line?.kind !== "away") void props.here.look();
  };
  onMount(() => {
    props.here.account.start();
    look();
    const timer = setInterval(look, LOOK_MS);
    document.addEventListener("visibilitychange", look);
    onCleanup(() => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    });
  });
  const signOut = (): void => {
    setLeaving("sent");
    props.here.account.signOut().then(
      ({ ended }) =>
        deck.toasts.say(
          ended
            ? t("Signed out.")
            : t("Signed out here. The relay did not hear of it: remove this device with another one of the account."),
        ),
      (error: unknown) => {
        setLeaving();
        deck.toasts.say(error instanceof Error ? error.message : String(error));
      },
    );
  };
  const paired = (): boolean => deck.bridge.hosts.value.list.length > 0;

  return (
    <div class="screen account-screen">
      <BackHead title={t("Account")} alone={!paired()} />
      <p class="account-whose">
        <strong dir="ltr">{visibleLine(props.state.email)}</strong>
        <span class="dim" dir="ltr">
          {visibleLine(placeOf(props.here.account.origin))}
        </span>
      </p>
      <Line state={props.state} here={props.here} />
      <Notices here={props.here} />
      <Show
        when={props.here.view.value.contents}
        fallback={
          <Show when={props.here.view.value.fault === undefined} fallback={<Fault why={props.here.view.value.fault} />}>
            <Loading />
          </Show>
        }
      >
        {(contents) => (
          <>
            <AccountHosts here={props.here} hosts={contents().hosts} />
            <AccountDevices here={props.here} devices={contents().devices} />
          </>
        )}
      </Show>
      <section>
        <h2 class="section-head">{t("This account")}</h2>
        <div class="card rows">
          <Act icon="key" title={t("Change the passphrase")} act={() => setOpen("passphrase")} />
          <Act icon="log" title={t("New recovery code")} act={() => setOpen("code")} />
          <A href="/pair" class="row row-link">
            <Icon name="link" />
            <span class="row-text">{t("Pair with a host by a code")}</span>
            <Icon name="chevron" />
          </A>
          <Show
            when={leaving() !== undefined}
            fallback={<Act icon="leave" title={t("Sign out here")} act={() => setLeaving("asked")} />}
          >
            <div class="device-warn account-sure" role="group" aria-label={t("Sign out here")}>
              <p>{t("This device finds no further hosts by the account. Hosts that know it go on to know it.")}</p>
              <div class="device-acts">
                <button type="button" class="button" disabled={leaving() === "sent"} onClick={() => setLeaving()}>
                  {t("Stay")}
                </button>
                <button type="button" class="button port" disabled={leaving() === "sent"} onClick={signOut}>
                  {leaving() === "sent" ? t("Signing out") : t("Sign out now")}
                </button>
              </div>
            </div>
          </Show>
          <Act icon="close" title={t("Delete the account")} act={() => setOpen("delete")} />
        </div>
      </section>
      <ServedNote />
      <Show when={open() === "passphrase"}>
        <ChangePassphrase here={props.here} onClose={() => setOpen()} />
      </Show>
      <Show when={open() === "code"}>
        <NewCode here={props.here} onClose={() => setOpen()} made={props.newCode} />
      </Show>
      <Show when={open() === "delete"}>
        <DeleteAccount here={props.here} email={props.state.email} onClose={() => setOpen()} />
      </Show>
    </div>
  );
}

function Act(props: { icon: IconName; title: string; act: () => void }) {
  return (
    <button type="button" class="row row-link" onClick={() => props.act()}>
      <Icon name={props.icon} />
      <span class="row-text">{props.title}</span>
      <Icon name="chevron" />
    </button>
  );
}

/** Says that what is shown is from before, and why. */
function Line(props: { state: Extract<AccountState, { kind: "in" }>; here: AccountHere }) {
  const away = () => {
    const { line } = props.state;
    return line?.kind === "away" ? line : undefined;
  };
  return (
    <Show when={away()}>
      {(line) => (
        <div class="account-away" role="status">
          <Icon name="offline" />
          <p>
            {visible(line().reason)}{" "}
            <Show when={line().retryAt}>
              {(at) => (
                <span class="dim num">
                  {at() <= now() ? t("Trying now.") : t("Tries again in {time}.", { time: lasted(at() - now() + 999) })}
                </span>
              )}
            </Show>
          </p>
          <button type="button" class="button plain" onClick={() => props.here.account.wake()}>
            {t("Try now")}
          </button>
        </div>
      )}
    </Show>
  );
}
