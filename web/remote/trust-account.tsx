/** Whether devices of an account at this relay come in by themselves: the owner's word to the host, and the host's place on the account's list. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostRelay } from "@flybridge/protocol/relays.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createEffect, createResource, createSignal, createUniqueId, Match, onCleanup, Show, Switch } from "solid-js";
import { accountPath, goToAccount } from "../account/page.ts";
import { placeOf } from "../account/place.ts";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import "./switch.css";

const KEY_BYTES = 32;
/** The host tells its relay whose it is after it has told us: how often the list is tried, and milliseconds between. */
const PUT_TRIES = 20;
const PUT_MS = 500;

export function TrustAccount(props: {
  host: HostHere;
  relay: HostRelay;
  /** HI of the host, base64url. */
  identity: string;
  look: () => void;
}) {
  const deck = useDeck();
  const [here] = createResource(
    () => deck.bridge.accounts.value.at.includes(props.relay.origin),
    (isAt) => (isAt ? deck.bridge.account(props.relay.origin).catch(() => undefined) : undefined),
  );
  const state = () => here.latest?.account.view.value.state;
  /** Signed in, and what the account has is known. */
  const mine = () => {
    const now = state();
    const contents = here.latest?.view.value.contents;
    return here.latest && now?.kind === "in" && contents
      ? { here: here.latest, email: now.email, contents }
      : undefined;
  };
  return (
    <Switch
      fallback={
        <Show when={state()?.kind !== "in"}>
          <SignInHere origin={props.relay.origin} />
        </Show>
      }
    >
      <Match when={mine()}>
        {(own) => (
          <Show
            when={props.relay.account === undefined || props.relay.account === own().contents.account}
            fallback={<Another host={props.host} relay={props.relay} look={props.look} />}
          >
            <Own {...props} here={own().here} email={own().email} listed={isListed(own().contents.hosts, props.host)} />
          </Show>
        )}
      </Match>
      <Match when={props.relay.account !== undefined && state()?.kind !== "in"}>
        <Another host={props.host} relay={props.relay} look={props.look} />
      </Match>
    </Switch>
  );
}

function isListed(hosts: readonly { readonly host: string }[], host: HostHere): boolean {
  return hosts.some((one) => one.host === host.known.host);
}

function Own(props: {
  host: HostHere;
  relay: HostRelay;
  identity: string;
  look: () => void;
  here: AccountHere;
  email: string;
  listed: boolean;
}) {
  const deck = useDeck();
  const id = createUniqueId();
  const [busy, setBusy] = createSignal(false);
  const [putting, setPutting] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  let alive = true;
  onCleanup(() => {
    alive = false;
  });
  /** The host was told, and its list does not say so yet. */
  const [isOff, setOff] = createSignal(false);
  const on = (): boolean => props.relay.account !== undefined && !isOff();
  createEffect(() => {
    if (props.relay.account === undefined) setOff(false);
  });
  const name = (): string => visibleLine(props.host.known.name);
  const failed = (error: unknown): void =>
    void setFault(visible(error instanceof Error ? error.message : String(error)));

  /** Onto the account's list. The relay takes it once the host has told it whose it is. */
  const put = async (): Promise<void> => {
    if (putting()) return;
    setPutting(true);
    setFault();
    const { host, name: called, hostKey } = props.host.known;
    const { rendezvous } = props.relay;
    for (let left = PUT_TRIES; alive && on(); left -= 1)
      try {
        await props.here.account.putHost({ host, rendezvous, name: called, hostKey });
        await props.here.look();
        break;
      } catch (error) {
        if (left <= 1 || !isNotThere(error)) {
          if (on()) failed(error);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, PUT_MS));
      }
    setPutting(false);
  };
  createEffect(() => {
    if (on() && !props.listed && props.relay.status.kind === "live" && fault() === undefined) void put();
  });
  const turn = async (): Promise<void> => {
    setBusy(true);
    setFault();
    const { origin } = props.relay;
    try {
      if (on()) {
        await props.host.replica.intend("account.distrust", { origin }).settled;
        setOff(true);
        await props.here.account.removeHost(props.host.known.host).catch(() => undefined);
        await props.here.look();
        deck.toasts.say(t("No further device of the account is let in. Those that are in stay, under Devices."));
      } else {
        const identity = fromBase64Url(props.identity, KEY_BYTES);
        if (!identity) throw new Error(t("The host did not say its key. Update it."));
        const given = await props.here.account.trust(props.host.known.host, identity, props.relay.rendezvous);
        await props.host.replica.intend("account.trust", given, "memory").settled;
        setOff(false);
      }
    } catch (error) {
      failed(error);
    }
    props.look();
    setBusy(false);
  };
  return (
    <div class="trust">
      <div class="switch-row">
        <span class="switch-text">
          <span id={id} class="switch-label">
            {t("Let devices of my account in")}
          </span>
          <span id={`${id}-about`} class="dim">
            {t(
              "Whoever is signed in as {email} at {relay} then pairs with {host} as its owner, without a code. The relay cannot: only those devices hold what it takes.",
              { email: visibleLine(props.email), relay: visibleLine(placeOf(props.relay.origin)), host: name() },
            )}
          </span>
        </span>
        <button
          type="button"
          role="switch"
          class="switch"
          aria-checked={on()}
          aria-labelledby={id}
          aria-describedby={`${id}-about`}
          disabled={busy()}
          onClick={() => void turn()}
        />
      </div>
      <p class="trust-state dim" role="status">
        <Show when={on() && fault() === undefined}>
          <Show when={props.listed} fallback={t("Being put on the account's list …")}>
            {t("On. The account's other devices find {host} by themselves.", { host: name() })}
          </Show>{" "}
          <A href={accountPath(props.relay.origin)}>{t("Account")}</A>
        </Show>
      </p>
      <Show when={fault()}>
        {(why) => (
          <p class="fault" role="alert">
            <Icon name="alert" small />
            <span class="trust-fault">{why()}</span>
            <Show when={on() && !props.listed}>
              <button type="button" class="button" disabled={putting()} onClick={() => void put()}>
                {t("Try again")}
              </button>
            </Show>
          </p>
        )}
      </Show>
    </div>
  );
}

/** An account that this device is not signed in to. */
function Another(props: { host: HostHere; relay: HostRelay; look: () => void }) {
  const deck = useDeck();
  const [sure, setSure] = createSignal<"asked" | "sent">();
  const end = (): void => {
    setSure("sent");
    props.host.replica
      .intend("account.distrust", { origin: props.relay.origin })
      .settled.catch((error: unknown) =>
        deck.toasts.say(error instanceof Error ? visible(error.message) : String(error)),
      )
      .finally(() => {
        setSure();
        props.look();
      });
  };
  return (
    <div class="trust trust-other">
      <p>
        <Icon name="person" small />
        <span>
          {t("Devices of an account at this relay pair with {host} as its owner, without a code. Its key: {key}", {
            host: visibleLine(props.host.known.name),
            key: grouped((props.relay.account ?? "").slice(0, 16)),
          })}
        </span>
      </p>
      <div class="relay-acts">
        <Show
          when={sure() !== undefined}
          fallback={
            <>
              <button type="button" class="button plain" onClick={() => void goToAccount(props.relay.origin)}>
                {t("Sign in")}
              </button>
              <button type="button" class="button" onClick={() => setSure("asked")}>
                {t("Let no more in")}
              </button>
            </>
          }
        >
          <button type="button" class="button" disabled={sure() === "sent"} onClick={() => setSure()}>
            {t("Keep")}
          </button>
          <button type="button" class="button port" disabled={sure() === "sent"} onClick={end}>
            {t("Let no more in now")}
          </button>
        </Show>
      </div>
    </div>
  );
}

function SignInHere(props: { origin: string }) {
  return (
    <div class="trust trust-other">
      <p class="dim">
        <Icon name="person" small />
        <span>
          {t("With an account at this relay, your devices find this host by themselves. It is used for nothing else.")}
        </span>
      </p>
      <div class="relay-acts">
        <button type="button" class="button" onClick={() => void goToAccount(props.origin)}>
          {t("Sign in")}
        </button>
      </div>
    </div>
  );
}

function grouped(key: string): string {
  return key.match(/.{1,4}/gu)?.join(" ") ?? key;
}

function isNotThere(error: unknown): boolean {
  return error instanceof Error && error.name === "AccountError" && "fault" in error && error.fault === "not_found";
}
