/** The way into an account at a relay: with its passphrase, by making one, or with its recovery code. */
import type { AccountHere } from "@flybridge/client/bridge.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createSignal, createUniqueId, For, onCleanup, onMount, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { thisDevice } from "../device/self.ts";
import { ServedNote } from "../remote/served-note.tsx";
import { t } from "../words.ts";
import { loadAgain } from "./page.ts";
import { PassphraseField } from "./passphrase-field.tsx";
import { createAttempt, PassphraseForm } from "./passphrase-form.tsx";
import { placeOf } from "./place.ts";

type Way = "sign-in" | "sign-up" | "recovery";

export function SignIn(props: {
  here: AccountHere;
  email: string;
  busy: (busy: boolean) => void;
  entered: (shown: { code: string; after: "sign-up" | "recovery" } | undefined) => void;
}) {
  const deck = useDeck();
  const id = createUniqueId();
  const self = thisDevice();
  const [way, setWay] = createSignal<Way>("sign-in");
  const [email, setEmail] = createSignal(props.email);
  const [passphrase, setPassphrase] = createSignal("");
  const [code, setCode] = createSignal("");
  const [name, setName] = createSignal(self.name);
  const [invitation, setInvitation] = createSignal("");
  /** The relay has said that it wants one. */
  const [invited, setInvited] = createSignal(false);
  const attempt = createAttempt();
  const [blocked, setBlocked] = createSignal(false);
  let first: HTMLInputElement | undefined;

  // A page may connect only to relays that its host used when the page was loaded.
  const violated = (event: SecurityPolicyViolationEvent): void => {
    const socket = props.here.account.origin.replace(/^http/u, "ws");
    if (event.effectiveDirective === "connect-src" && event.blockedURI.startsWith(socket)) setBlocked(true);
  };
  document.addEventListener("securitypolicyviolation", violated);
  onCleanup(() => document.removeEventListener("securitypolicyviolation", violated));
  onMount(() => first?.focus());

  const turn = (next: Way): void => {
    setWay(next);
    attempt.clear();
  };
  const enter = async (): Promise<{ code: string; after: "sign-up" | "recovery" } | undefined> => {
    const { account } = props.here;
    const who = {
      email: email(),
      passphrase: passphrase(),
      self: { name: name().trim() || self.name, kind: self.kind },
    };
    switch (way()) {
      case "sign-in":
        return account.signIn(who).then(() => undefined);
      case "sign-up": {
        const word = invitation().trim();
        const made = await account.signUp({ ...who, ...(word === "" ? {} : { invitation: word }) });
        return { code: made.recoveryCode, after: "sign-up" };
      }
      case "recovery": {
        const next = await account.recover({ ...who, code: code() });
        return { code: next.recoveryCode, after: "recovery" };
      }
    }
  };
  const submit = async (): Promise<void> => {
    props.busy(true);
    try {
      props.entered(await enter());
    } catch (error) {
      if (isNotInvited(error)) setInvited(true);
      throw error;
    } finally {
      props.busy(false);
    }
  };
  const back = (): string => (deck.bridge.hosts.value.list.length > 0 ? "/devices" : "/pair");

  return (
    <div class="pair account-in">
      <div class="pair-card">
        <header class="account-head">
          <Icon name="person" />
          <h1>{TITLES[way()]()}</h1>
          <p class="dim" dir="ltr">
            {visibleLine(placeOf(props.here.account.origin))}
          </p>
        </header>
        <Show when={way() !== "recovery"}>
          <div class="segments account-ways" role="radiogroup" aria-label={t("Way in")}>
            <For
              each={
                [
                  ["sign-in", t("Sign in")],
                  ["sign-up", t("Create an account")],
                ] as const
              }
            >
              {([value, label]) => (
                <button
                  type="button"
                  role="radio"
                  aria-checked={way() === value}
                  disabled={attempt.busy()}
                  onClick={() => turn(value)}
                >
                  {label}
                </button>
              )}
            </For>
          </div>
        </Show>
        <PassphraseForm
          class="account-form"
          attempt={attempt}
          act={ACTS[way()]()}
          complete={complete()}
          submit={submit}
        >
          <div>
            <label class="label" for={`${id}-email`}>
              {t("E-mail")}
            </label>
            <input
              id={`${id}-email`}
              ref={(field) => {
                first = field;
              }}
              class="field"
              type="email"
              inputmode="email"
              dir="ltr"
              autocomplete="username"
              autocapitalize="off"
              spellcheck={false}
              value={email()}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          </div>
          <Show when={way() === "recovery"}>
            <div>
              <label class="label" for={`${id}-code`}>
                {t("Recovery code")}
              </label>
              <input
                id={`${id}-code`}
                class="field mono"
                dir="ltr"
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                placeholder="xxxxxxxxx-xxxxxxxxx-xxxxxxxxx-xxxxxxxxx"
                value={code()}
                onInput={(event) => setCode(event.currentTarget.value)}
              />
            </div>
          </Show>
          <PassphraseField
            label={way() === "recovery" ? t("New passphrase") : t("Passphrase")}
            value={passphrase()}
            onInput={setPassphrase}
            {...(way() === "sign-in" ? {} : { fresh: { email: email() } })}
          />
          <div>
            <label class="label" for={`${id}-name`}>
              {t("Name of this device")}
            </label>
            <input
              id={`${id}-name`}
              class="field"
              dir="auto"
              maxlength="80"
              autocomplete="off"
              value={name()}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <Show when={way() === "sign-up" && invited()}>
            <div>
              <label class="label" for={`${id}-invitation`}>
                {t("Invitation")}
              </label>
              <input
                id={`${id}-invitation`}
                ref={(field) => queueMicrotask(() => field.focus())}
                class="field mono"
                dir="ltr"
                maxlength="64"
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                value={invitation()}
                onInput={(event) => setInvitation(event.currentTarget.value)}
              />
            </div>
          </Show>
          <Show when={way() === "sign-up"}>
            <p class="dim account-note">
              {t(
                "The passphrase does not leave this device, and nobody can set it back for you. The recovery code that you get next is the only other way in.",
              )}
            </p>
          </Show>
          <Show
            when={!blocked()}
            fallback={
              <div class="fault" role="alert">
                <Icon name="alert" small />
                <span>
                  {t("This page was loaded before its host used that relay, and may not connect to it yet.")}{" "}
                  <button type="button" class="link-button" onClick={() => void loadAgain()}>
                    {t("Load it again")}
                  </button>
                </span>
              </div>
            }
          >
            <Fault why={attempt.fault()} />
          </Show>
        </PassphraseForm>
        <div class="account-else">
          <Show
            when={way() === "recovery"}
            fallback={
              <Show when={way() === "sign-in"}>
                <button type="button" class="button plain" disabled={attempt.busy()} onClick={() => turn("recovery")}>
                  {t("Use the recovery code")}
                </button>
              </Show>
            }
          >
            <button type="button" class="button plain" disabled={attempt.busy()} onClick={() => turn("sign-in")}>
              {t("Use the passphrase")}
            </button>
          </Show>
          <A href={back()} class="button plain">
            {t("Back")}
          </A>
        </div>
        <ServedNote />
      </div>
    </div>
  );

  function complete(): boolean {
    return email().trim() !== "" && passphrase() !== "" && (way() !== "recovery" || code().trim() !== "");
  }
}

const TITLES: Record<Way, () => string> = {
  "sign-in": () => t("Sign in"),
  "sign-up": () => t("Create an account"),
  recovery: () => t("Recover the account"),
};
const ACTS: Record<Way, () => string> = {
  "sign-in": () => t("Sign in"),
  "sign-up": () => t("Create the account"),
  recovery: () => t("Open it, with the new passphrase"),
};

function isNotInvited(error: unknown): boolean {
  return error instanceof Error && error.name === "AccountError" && "fault" in error && error.fault === "not_invited";
}
