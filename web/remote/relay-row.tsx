/** One relay of a host: how it fares, what it wants, whom it may bring, and the end of it. */
import type { HostRelay } from "@flybridge/protocol/relays.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, onMount, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import { mendOf, retryLine, statusLine } from "./status.ts";
import { TrustAccount } from "./trust-account.tsx";

export function RelayRow(props: {
  host: HostHere;
  relay: HostRelay;
  /** HI of the host, base64url. */
  identity: string;
  /** It was just added on this page. */
  added: boolean;
  look: () => void;
}) {
  const deck = useDeck();
  const [removing, setRemoving] = createSignal<"asked" | "sent">();
  /** Since when it refused, when an invitation was sent: one that it refuses since later did not help. */
  const [tried, setTried] = createSignal<number>();
  const status = (): HostRelay["status"] => props.relay.status;
  const refused = () => {
    const now = status();
    return now.kind === "refused" ? now : undefined;
  };
  const away = () => {
    const now = status();
    return now.kind === "away" ? now : undefined;
  };
  /** This very page comes by it. */
  const carries = (): boolean => {
    const { connection } = props.host.view;
    return connection.kind === "live" && connection.relay === props.relay.origin;
  };
  const say = (fault: unknown): void =>
    deck.toasts.say(fault instanceof Error ? visible(fault.message) : t("The host refused it."));
  const again = (invitation?: string): Promise<unknown> =>
    props.host.replica
      .intend(
        "relay.add",
        { origin: props.relay.origin, ...(invitation === undefined ? {} : { invitation }) },
        "memory",
      )
      .settled.catch(say)
      .finally(() => props.look());
  const remove = (): void => {
    setRemoving("sent");
    props.host.replica
      .intend("relay.remove", { origin: props.relay.origin })
      .settled.then(
        () =>
          deck.toasts.say(
            t("Removed. {host} is no longer reached by it.", { host: visibleLine(props.host.known.name) }),
          ),
        (fault: unknown) => {
          setRemoving();
          say(fault);
        },
      )
      .finally(() => props.look());
  };
  return (
    <li class="relay" aria-label={nameOf(props.relay.origin)}>
      <div class="relay-head">
        <span class="relay-dot" classList={{ [status().kind]: true }} aria-hidden="true" />
        <div class="relay-what">
          <p class="row-title" dir="ltr">
            {nameOf(props.relay.origin)}
          </p>
          <p class="relay-status num" role="status" classList={{ bad: refused() !== undefined }}>
            {statusLine(status())}
            <Show when={retryLine(status())}>
              {(when) => (
                <>
                  {" · "}
                  <span class="relay-retry">{when()}</span>
                </>
              )}
            </Show>
          </p>
          <Show when={away()}>{(now) => <p class="relay-why dim">{visible(now().reason)}</p>}</Show>
        </div>
        <Show when={removing() === undefined}>
          <div class="relay-acts">
            <Show when={away()}>
              <button type="button" class="button" onClick={() => void again()}>
                {t("Try now")}
              </button>
            </Show>
            <button type="button" class="button plain" onClick={() => setRemoving("asked")}>
              {t("Remove")}
            </button>
          </div>
        </Show>
      </div>
      <Show when={removing() !== undefined}>
        <div class="relay-sure" role="group" aria-label={t("Remove {relay}", { relay: nameOf(props.relay.origin) })}>
          <p>
            {t("Devices that come to {host} by it lose that way at once. Those that reach it otherwise go on.", {
              host: visibleLine(props.host.known.name),
            })}
            <Show when={carries()}>
              {" "}
              <strong>{t("This page comes by it, too, and will be cut off.")}</strong>
            </Show>
          </p>
          <div class="relay-acts">
            <button type="button" class="button" disabled={removing() === "sent"} onClick={() => setRemoving()}>
              {t("Keep")}
            </button>
            <button type="button" class="button port" disabled={removing() === "sent"} onClick={remove}>
              {removing() === "sent" ? t("Removing") : t("Remove now")}
            </button>
          </div>
        </div>
      </Show>
      <Show when={removing() === undefined && (status().kind === "live" || props.relay.account !== undefined)}>
        <TrustAccount host={props.host} relay={props.relay} identity={props.identity} look={props.look} />
      </Show>
      <Show when={removing() === undefined && refused()}>
        {(now) => (
          <Mend
            code={now().code}
            words={mendOf(now().code, props.relay.origin) ?? visible(now().reason)}
            focus={props.added || tried() !== undefined}
            isWrong={now().code === "not_registered" && tried() !== undefined && tried() !== now().since}
            again={(invitation) => {
              if (invitation !== undefined) setTried(now().since);
              return again(invitation);
            }}
          />
        )}
      </Show>
    </li>
  );
}

/** What a person does about a relay that refuses: an invitation, or the decision to sign in again. */
function Mend(props: {
  code: Extract<HostRelay["status"], { kind: "refused" }>["code"];
  words: string;
  focus: boolean;
  /** The invitation that was sent did not help. */
  isWrong: boolean;
  again: (invitation?: string) => Promise<unknown>;
}) {
  const id = createUniqueId();
  const [invitation, setInvitation] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const wants = (): "invitation" | "maybe" | "nothing" =>
    props.code === "not_registered" ? "invitation" : props.code === "session_reused" ? "maybe" : "nothing";
  const submit = (): void => {
    const typed = invitation().trim();
    setBusy(true);
    void props.again(typed === "" ? undefined : typed).finally(() => setBusy(false));
  };
  let field: HTMLInputElement | undefined;
  onMount(() => props.focus && field?.focus());
  return (
    <form
      class="relay-mend"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <p class="relay-refused">
        <Icon name="alert" small />
        <span>{props.words}</span>
      </p>
      <Show when={wants() !== "nothing"}>
        <label class="label" for={id}>
          {wants() === "maybe" ? t("Invitation, if the relay asks for one") : t("Invitation")}
        </label>
      </Show>
      <div class="form-row">
        <Show when={wants() !== "nothing"}>
          <input
            id={id}
            ref={field}
            class="field mono"
            dir="ltr"
            maxlength="64"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            value={invitation()}
            aria-invalid={props.isWrong}
            aria-describedby={props.isWrong ? `${id}-fault` : undefined}
            onInput={(event) => setInvitation(event.currentTarget.value)}
          />
        </Show>
        <button
          type="submit"
          class="button strong"
          disabled={busy() || (wants() === "invitation" && invitation().trim() === "")}
        >
          {wants() === "invitation"
            ? t("Use it")
            : props.code === "session_reused"
              ? t("Sign in again")
              : t("Try again")}
        </button>
      </div>
      <Show when={props.isWrong}>
        <p class="fault" role="alert" id={`${id}-fault`}>
          <Icon name="alert" small />
          {t("The relay did not take it: it is mistyped, was used before, or is too old. Ask for a new one.")}
        </p>
      </Show>
    </form>
  );
}

/** Without what everybody's has. */
function nameOf(origin: string): string {
  return visibleLine(origin.replace(/^https:\/\//u, ""));
}
