/** Pairing: scan, paste, or a link that was opened. Whatever the way, a tap on the host's name comes before anything is sent. */
import type { Replica } from "@flybridge/client/replica.ts";
import { type Connection, ConnectionError, parseConnection, purposeOf } from "@flybridge/protocol/offer.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A, useLocation, useNavigate } from "@solidjs/router";
import { createEffect, createSignal, createUniqueId, lazy, Match, on, Show, Suspense, Switch } from "solid-js";
import { sessionPath, useDeck } from "../deck.ts";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { Mark } from "../design/mark.tsx";
import { thisDevice } from "../device/self.ts";
import { t } from "../words.ts";
import { Digits } from "./digits.tsx";
import { takeLink } from "./link.ts";
import { type Link, PairAsk } from "./pair-ask.tsx";
import "./pair.css";

const Scanner = lazy(() => import("./scanner.tsx"));

type Stage =
  | { kind: "choosing"; fault?: string }
  | { kind: "scanning" }
  | { kind: "asking"; link: Link; fault?: string }
  | { kind: "pairing"; link: Link }
  | { kind: "confirming"; link: Link; digits: string; since: number };

export default function Pair() {
  const deck = useDeck();
  const navigate = useNavigate();
  const location = useLocation();
  const id = createUniqueId();
  const [pasted, setPasted] = createSignal("");
  const [stage, setStage] = createSignal<Stage>({ kind: "choosing" });
  const [joined, setJoined] = createSignal<Replica>();
  const joins = (): boolean => location.pathname === "/join";
  const paired = (): boolean => deck.bridge.hosts.value.list.length > 0;

  const read = (text: string): void => {
    try {
      const connection = parseConnection(text);
      setStage({ kind: "asking", link: { connection, purpose: purposeOf(text) } });
    } catch (fault) {
      if (!(fault instanceof ConnectionError)) throw fault;
      setStage({ kind: "choosing", fault: fault.message });
    }
  };
  // Who served this page may be known only after a link was read.
  createEffect(() => {
    const now = stage();
    const fault = now.kind === "asking" && deck.served() === "relay" ? elsewhereOf(now.link.connection) : undefined;
    if (fault !== undefined) setStage({ kind: "choosing", fault });
  });
  createEffect(
    on(
      () => location.hash,
      () => {
        const link = takeLink();
        if (link !== undefined) read(link);
      },
    ),
  );
  const pair = async (link: Link, name: string): Promise<void> => {
    setStage({ kind: "pairing", link });
    const confirming = (digits: string): void => void setStage({ kind: "confirming", link, digits, since: Date.now() });
    try {
      const replica = await deck.bridge.pair(link.connection, { ...thisDevice(), name, confirming });
      setJoined(replica);
    } catch (fault) {
      // What somebody there said no to is used up: there is nothing to try again.
      if (stage().kind === "confirming") setStage({ kind: "choosing", fault: notLetIn() });
      else setStage({ kind: "asking", link, fault: visible(fault instanceof Error ? fault.message : String(fault)) });
    }
  };
  // Only the host's first word says whether it is all of it that opens, or one session.
  createEffect(() => {
    const view = joined()?.view.value;
    if (!view?.grant) return;
    const path = view.grant.kind === "session" ? sessionPath(view.known.host, view.grant.session) : "/sessions";
    navigate(path, { replace: true });
  });
  const asked = () => {
    const now = stage();
    return now.kind === "asking" || now.kind === "pairing" ? now : undefined;
  };

  return (
    <div class="pair">
      <div class="pair-card">
        <header class="pair-head">
          <Mark />
          <h1>
            {joins() && stage().kind === "choosing"
              ? t("Join a session")
              : paired() && !joins()
                ? t("Pair with another host")
                : "Flybridge"}
          </h1>
          <Show when={!paired() && !joins() && stage().kind === "choosing"}>
            <p class="pair-claim">{t("The second set of controls for your coding agents.")}</p>
          </Show>
        </header>
        <Switch>
          <Match when={stage().kind === "choosing"}>
            <Show
              when={!joins()}
              fallback={<p>{t("Ask whoever runs the session for a link, or for its code, and open it here.")}</p>}
            >
              <ol class="pair-steps">
                <li>
                  {t("On the machine where your agents run, type")}
                  <code class="pair-command">flybridge pair</code>
                </li>
                <li>{t("Scan the code it shows, or paste the line under it.")}</li>
              </ol>
            </Show>
            <button type="button" class="button strong wide pair-scan" onClick={() => setStage({ kind: "scanning" })}>
              <Icon name="camera" />
              {t("Scan the code")}
            </button>
            <p class="pair-or">{t("or")}</p>
            <form
              class="pair-paste"
              onSubmit={(event) => {
                event.preventDefault();
                read(pasted());
              }}
            >
              <label class="label" for={`${id}-string`}>
                {joins() ? t("Link") : t("Connection string")}
              </label>
              <textarea
                id={`${id}-string`}
                class="field mono"
                rows="3"
                dir="ltr"
                spellcheck={false}
                autocapitalize="off"
                autocomplete="off"
                placeholder={joins() ? "https://…/join#flybridge://…" : "flybridge://…"}
                value={pasted()}
                aria-describedby={faultOf(stage()) === undefined ? undefined : `${id}-fault`}
                aria-invalid={faultOf(stage()) !== undefined}
                onInput={(event) => setPasted(event.currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key !== "Enter") return;
                  event.preventDefault();
                  read(pasted());
                }}
              />
              <Show when={faultOf(stage())}>
                {(fault) => (
                  <p class="fault" role="alert" id={`${id}-fault`}>
                    <Icon name="alert" small />
                    {fault()}
                  </p>
                )}
              </Show>
              <button type="submit" class="button wide">
                {t("Continue")}
              </button>
            </form>
            <Show when={!joins() && (deck.served() === "relay" || deck.bridge.accounts.value.at.length > 0)}>
              <p class="dim pair-account">
                {t("Your hosts are in an account?")} <A href="/account">{t("Sign in")}</A>
              </p>
            </Show>
            <Show when={paired()}>
              <A href={joins() ? "/" : "/devices"} class="button plain wide">
                {t("Back")}
              </A>
            </Show>
          </Match>
          <Match when={stage().kind === "scanning"}>
            <Suspense>
              <Scanner found={read} leave={() => setStage({ kind: "choosing" })} />
            </Suspense>
          </Match>
          <Match when={stage().kind === "confirming" && (stage() as Extract<Stage, { kind: "confirming" }>)}>
            {(now) => <Digits digits={now().digits} host={now().link.connection.name} since={now().since} />}
          </Match>
          <Match when={asked()}>
            {(now) => (
              <PairAsk
                link={now().link}
                fault={faultOf(now())}
                busy={now().kind === "pairing"}
                pair={(name) => void pair(now().link, name)}
                cancel={() => setStage({ kind: "choosing" })}
              />
            )}
          </Match>
        </Switch>
      </div>
    </div>
  );
}

/** A relay's page may connect to that relay alone. Why that leads nowhere, where it does not lead to this host. */
function elsewhereOf({ relay }: Connection): string | undefined {
  if (relay === location.origin) return undefined;
  return relay === undefined
    ? t(
        "The host of this code is at no relay, and this page can reach hosts through {here} only. Open the link at the host's own address, or let the host use this relay first: flybridge remote add {here}",
        { here: location.origin },
      )
    : t("The host of this code is at another relay. Open its link there: {relay}/pair", { relay: visibleLine(relay) });
}

function notLetIn(): string {
  return t(
    "This device was not let in: its code was used before or withdrawn, other digits were typed there, somebody refused it, or nobody answered in two minutes. Show a new code on the host.",
  );
}

function faultOf(stage: Stage): string | undefined {
  return "fault" in stage ? stage.fault : undefined;
}
