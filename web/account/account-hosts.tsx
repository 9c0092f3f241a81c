/** The hosts of the account, as this device stands to each. */
import type { AccountHere, FoundHost } from "@flybridge/client/bridge.ts";
import type { AccountHost } from "@flybridge/client/relay/contents.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, createSignal, For, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";

export function AccountHosts(props: { here: AccountHere; hosts: readonly AccountHost[] }) {
  const ids = createMemo(() => props.hosts.map(({ host }) => host));
  return (
    <section>
      <h2 class="section-head">{t("Hosts")}</h2>
      <Show
        when={ids().length > 0}
        fallback={
          <p class="card account-none dim">
            {t(
              "No host lets the devices of this account in yet. On a device that is paired with one, signed in here as well, open Remote and switch on “Let devices of my account in”.",
            )}
          </p>
        }
      >
        <ul class="card rows">
          <For each={ids()}>
            {(id) => (
              <Show when={props.hosts.find(({ host }) => host === id)}>
                {(host) => <HostRow here={props.here} host={host()} />}
              </Show>
            )}
          </For>
        </ul>
      </Show>
    </section>
  );
}

function HostRow(props: { here: AccountHere; host: AccountHost }) {
  const deck = useDeck();
  const [mode, setMode] = createSignal<"shown" | "open" | "removing">("shown");
  const name = (): string => visibleLine(props.host.name ?? t("A host without a name"));
  const found = (): FoundHost | undefined => props.here.view.value.found[props.host.host];
  const remove = (): void => {
    setMode("shown");
    props.here.account.removeHost(props.host.host).then(
      () => {
        deck.toasts.say(t("Taken off the account."));
        void props.here.look();
      },
      (error: unknown) => deck.toasts.say(error instanceof Error ? error.message : String(error)),
    );
  };
  const canPair = (): boolean => {
    const kind = found()?.kind;
    return kind === "refused" || kind === "failed" || kind === "forgotten";
  };
  return (
    <li class="device">
      <button
        type="button"
        class="row row-link"
        aria-expanded={mode() !== "shown"}
        onClick={() => setMode(mode() === "shown" ? "open" : "shown")}
      >
        <Icon name="host" />
        <span class="row-text">
          <span class="row-title cut" dir="auto">
            {name()}
          </span>
          <span
            class="host-found"
            classList={{ bad: found()?.kind === "refused" || found()?.kind === "failed" }}
            role="status"
          >
            {foundWords(found(), props.host.connected)}
          </span>
        </span>
        <span class="chevron" classList={{ open: mode() !== "shown" }}>
          <Icon name="chevron" />
        </span>
      </button>
      <Show when={mode() === "open"}>
        <div class="device-acts">
          <Show when={found()?.kind === "known"}>
            <A href="/sessions" class="button strong">
              {t("Sessions")}
            </A>
          </Show>
          <Show when={canPair()}>
            <button type="button" class="button" onClick={() => void props.here.pair(props.host.host)}>
              {found()?.kind === "forgotten" ? t("Pair again") : t("Try again")}
            </button>
          </Show>
          <button type="button" class="button" onClick={() => setMode("removing")}>
            {t("Take off the account")}
          </button>
        </div>
      </Show>
      <Show when={mode() === "removing"}>
        <div class="device-warn">
          <p>
            {t(
              "New devices of the account no longer find {host}. It goes on to let them in until that is switched off there, under Remote; those that it knows stay.",
              { host: name() },
            )}
          </p>
          <div class="device-acts">
            <button type="button" class="button" onClick={() => setMode("open")}>
              {t("Keep")}
            </button>
            <button type="button" class="button port" onClick={remove}>
              {t("Take off now")}
            </button>
          </div>
        </div>
      </Show>
    </li>
  );
}

function foundWords(found: FoundHost | undefined, connected: boolean): string {
  switch (found?.kind) {
    case undefined:
    case "pairing":
      return t("Pairing by itself");
    case "known":
      return connected
        ? t("On this device · connected to the relay")
        : t("On this device · not connected to the relay");
    case "away":
      return t("Not connected to the relay. Paired with by itself when it is.");
    case "refused":
      return t("Does not let this device in. Allow it on the host: Remote, and Devices if it was cut off there.");
    case "failed":
      return visible(found.message);
    case "forgotten":
      return t("You forgot it on this device.");
    case "unreadable":
      return t("None of your devices put it on the list. Take it off.");
  }
}
