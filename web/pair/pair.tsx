/** Pairing: scan, paste, or a link that was opened. Whatever the way, a tap on the host's name comes before anything is sent. */
import { PairingError } from "@flybridge/client/bridge.ts";
import {
  ConnectionError,
  type Connection,
  formatAddress,
  parseConnection,
  toBase64Url,
} from "@flybridge/protocol/offer.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A, useLocation, useNavigate } from "@solidjs/router";
import { createEffect, createSignal, createUniqueId, lazy, Match, on, Show, Suspense, Switch } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Mark } from "../design/mark.tsx";
import { t } from "../words.ts";
import { takeLink } from "./link.ts";
import "./pair.css";

const Scanner = lazy(() => import("./scanner.tsx"));

type Stage =
  | { kind: "choosing"; fault?: string }
  | { kind: "scanning" }
  | { kind: "asking"; connection: Connection; fault?: string }
  | { kind: "pairing"; connection: Connection };

export default function Pair() {
  const deck = useDeck();
  const navigate = useNavigate();
  const location = useLocation();
  const id = createUniqueId();
  const [pasted, setPasted] = createSignal("");
  const [name, setName] = createSignal(deck.self.name);
  const [stage, setStage] = createSignal<Stage>({ kind: "choosing" });
  const paired = (): boolean => deck.bridge.hosts.value.list.length > 0;

  const read = (text: string): void => {
    try {
      setStage({ kind: "asking", connection: parseConnection(text) });
    } catch (fault) {
      if (!(fault instanceof ConnectionError)) throw fault;
      setStage({ kind: "choosing", fault: fault.message });
    }
  };
  createEffect(
    on(
      () => location.hash,
      () => {
        const link = takeLink();
        if (link !== undefined) read(link);
      },
    ),
  );
  const pair = async (connection: Connection): Promise<void> => {
    setStage({ kind: "pairing", connection });
    try {
      await deck.bridge.pair(connection, { name: name().trim() || deck.self.name, kind: deck.self.kind });
      navigate("/sessions", { replace: true });
    } catch (fault) {
      const message = fault instanceof PairingError || fault instanceof Error ? fault.message : String(fault);
      setStage({ kind: "asking", connection, fault: message });
    }
  };
  const asked = () => {
    const now = stage();
    return now.kind === "asking" || now.kind === "pairing" ? now : undefined;
  };

  return (
    <div class="pair">
      <div class="pair-card">
        <header class="pair-head">
          <Mark />
          <h1>{paired() ? t("Pair with another host") : "Flybridge"}</h1>
          <Show when={!paired() && stage().kind === "choosing"}>
            <p class="pair-claim">{t("The second set of controls for your coding agents.")}</p>
          </Show>
        </header>
        <Switch>
          <Match when={stage().kind === "choosing"}>
            <ol class="pair-steps">
              <li>
                {t("On the machine where your agents run, type")}
                <code class="pair-command">flybridge pair</code>
              </li>
              <li>{t("Scan the code it shows, or paste the line under it.")}</li>
            </ol>
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
                {t("Connection string")}
              </label>
              <textarea
                id={`${id}-string`}
                class="field mono"
                rows="3"
                dir="ltr"
                spellcheck={false}
                autocapitalize="off"
                autocomplete="off"
                placeholder="flybridge://…"
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
            <Show when={paired()}>
              <A href="/devices" class="button plain wide">
                {t("Back")}
              </A>
            </Show>
          </Match>
          <Match when={stage().kind === "scanning"}>
            <Suspense>
              <Scanner found={read} leave={() => setStage({ kind: "choosing" })} />
            </Suspense>
          </Match>
          <Match when={asked()}>
            {(now) => (
              <div class="pair-ask">
                <h2>{t("Pair with this host?")}</h2>
                <dl class="facts card">
                  <div>
                    <dt>{t("Name")}</dt>
                    <dd dir="auto">{visibleLine(now().connection.name ?? t("not told"))}</dd>
                  </div>
                  <div>
                    <dt>{t("Address")}</dt>
                    <dd class="mono" dir="ltr">
                      {visibleLine(formatAddress(now().connection.addresses[0]))}
                    </dd>
                  </div>
                  <Show when={now().connection.relay}>
                    {(relay) => (
                      <div>
                        <dt>{t("Relay")}</dt>
                        <dd class="mono" dir="ltr">
                          {visibleLine(relay())}
                        </dd>
                      </div>
                    )}
                  </Show>
                  <div>
                    <dt>{t("Key")}</dt>
                    <dd class="mono" dir="ltr">
                      {grouped(toBase64Url(now().connection.hostKey).slice(0, 16))}
                    </dd>
                  </div>
                </dl>
                <p class="dim pair-note">
                  {t("It is sealed end to end: only a host that holds this key can read what you send.")}
                </p>
                <div>
                  <label class="label" for={`${id}-name`}>
                    {t("Name of this device")}
                  </label>
                  <input
                    id={`${id}-name`}
                    class="field"
                    dir="auto"
                    maxlength="80"
                    value={name()}
                    onInput={(event) => setName(event.currentTarget.value)}
                  />
                </div>
                <Show when={faultOf(now())}>
                  {(fault) => (
                    <p class="fault" role="alert">
                      <Icon name="alert" small />
                      {fault()}
                    </p>
                  )}
                </Show>
                <div class="pair-acts">
                  <button
                    type="button"
                    class="button"
                    disabled={now().kind === "pairing"}
                    onClick={() => setStage({ kind: "choosing" })}
                  >
                    {t("Cancel")}
                  </button>
                  <button
                    type="button"
                    class="button strong"
                    disabled={now().kind === "pairing"}
                    onClick={() => void pair(now().connection)}
                  >
                    {now().kind === "pairing"
                      ? t("Pairing")
                      : faultOf(now()) === undefined
                        ? t("Pair")
                        : t("Try again")}
                  </button>
                </div>
              </div>
            )}
          </Match>
        </Switch>
      </div>
    </div>
  );
}

function faultOf(stage: Stage): string | undefined {
  return "fault" in stage ? stage.fault : undefined;
}

function grouped(key: string): string {
  return key.match(/.{1,4}/gu)?.join(" ") ?? key;
}
