/** The account at a relay: the way in, what belongs to it, and what happened to it. */
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import type { AccountState } from "@flybridge/client/relay/standing.ts";
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { A, useLocation } from "@solidjs/router";
import { createMemo, createResource, createSignal, Match, Show, Switch } from "solid-js";
import { useDeck } from "../deck.ts";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import "../device/devices.css";
import { t } from "../words.ts";
import "./account.css";
import { Ended } from "./ended.tsx";
import { Overview } from "./overview.tsx";
import { RecoveryCode } from "./recovery-code.tsx";
import { SignIn } from "./sign-in.tsx";

export default function AccountPage() {
  const deck = useDeck();
  const location_ = useLocation();
  /** Which relay's: the one that was asked for, or where this device is signed in, or the one that the page came from. */
  const origin = createMemo((): string | undefined => {
    const asked = location_.query["at"];
    return (
      (typeof asked === "string" ? originIn(asked) : undefined) ??
      deck.bridge.accounts.value.at[0] ??
      (deck.served() === "relay" ? location.origin : undefined)
    );
  });
  const known = (): boolean => deck.bridge.accounts.value.read && deck.served() !== undefined;
  return (
    <Show
      when={origin()}
      keyed
      fallback={
        <Show when={known()} fallback={<Waiting />}>
          {<NoRelay />}
        </Show>
      }
    >
      {(at) => <AccountAt origin={at} />}
    </Show>
  );
}

function AccountAt(props: { origin: string }) {
  const deck = useDeck();
  // The address of a page does not change which one it is of: it is made anew for another.
  const [here, { refetch }] = createResource(() =>
    deck.bridge
      .account(props.origin)
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error))),
  );
  return (
    <Show when={here()} fallback={<Waiting />} keyed>
      {(got) =>
        typeof got === "string" ? (
          <div class="empty" role="alert">
            <h1>{t("The account cannot be opened now")}</h1>
            <p>{got}</p>
            <button type="button" class="button" onClick={() => void refetch()}>
              {t("Try again")}
            </button>
          </div>
        ) : (
          <Here here={got} />
        )
      }
    </Show>
  );
}

/** A recovery code that has to be seen before anything else. */
interface Shown {
  readonly code: string;
  /** What it takes the place of, if of anything. */
  readonly after: "sign-up" | "recovery" | "change";
}

function Here(props: { here: AccountHere }) {
  const [shown, setShown] = createSignal<Shown>();
  /** The way in stays on the screen until it is through, although the account is open before. */
  const [entering, setEntering] = createSignal(false);
  /** It was ended, and the person goes on to the way in. */
  const [again, setAgain] = createSignal(false);
  const state = (): AccountState => props.here.account.view.value.state;
  const isIn = () => {
    const now = state();
    return now.kind === "in" ? now : undefined;
  };
  const isEnded = () => {
    const now = state();
    return now.kind === "ended" && !again() ? now : undefined;
  };
  return (
    <Switch
      fallback={
        <SignIn
          here={props.here}
          email={emailOf(state())}
          busy={setEntering}
          entered={(code) => {
            setAgain(false);
            if (code) setShown(code);
          }}
        />
      }
    >
      <Match when={shown()}>
        {(one) => (
          <RecoveryCode
            {...one()}
            email={emailOf(state())}
            origin={props.here.account.origin}
            kept={() => setShown()}
          />
        )}
      </Match>
      <Match when={!entering() && isEnded()}>
        {(now) => <Ended here={props.here} state={now()} again={() => setAgain(true)} />}
      </Match>
      <Match when={!entering() && isIn()}>
        {(now) => <Overview here={props.here} state={now()} newCode={(code) => setShown({ code, after: "change" })} />}
      </Match>
    </Switch>
  );
}

/** A page of a host that uses no relay, or none that anybody spoke of. */
function NoRelay() {
  return (
    <div class="screen">
      <div class="empty">
        <Icon name="person" />
        <h1>{t("An account is at a relay")}</h1>
        <p>
          {t(
            "Under Remote, add a relay to your host and sign in there. Your devices then find each other's hosts by themselves.",
          )}
        </p>
        <A href="/remote" class="button strong">
          {t("Remote")}
        </A>
      </div>
    </div>
  );
}

function Waiting() {
  return (
    <div class="screen">
      <Loading />
    </div>
  );
}

function emailOf(state: AccountState): string {
  return state.kind === "out" ? "" : state.email;
}

function originIn(text: string): string | undefined {
  try {
    return relayOriginFrom(text);
  } catch (error) {
    if (error instanceof OriginError) return undefined;
    throw error;
  }
}
