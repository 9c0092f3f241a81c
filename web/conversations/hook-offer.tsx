/** Whether agents in other terminals may ask here, per agent of a host: put in, taken out, and what that does. */
import type { AgentName } from "@flybridge/protocol/ids.ts";
import type { Hook } from "@flybridge/protocol/methods.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createResource, createSignal, For, Show, Suspense } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { agentTitle } from "../host/agents.ts";
import { t } from "../words.ts";
import "./conversations.css";

/** `only`: the offer for one agent, and only while its hook is not there. */
export default function HookOffer(props: { host: HostHere; only?: AgentName }) {
  const live = (): boolean => props.host.view.connection.kind === "live";
  const [listed, { mutate }] = createResource(live, async (isLive) =>
    isLive
      ? await props.host.replica.call("hook.list", {}).then(
          ({ hooks }) => hooks,
          () => undefined,
        )
      : undefined,
  );
  const shown = (): readonly Hook[] =>
    (listed.latest ?? []).filter(
      (hook) => props.only === undefined || (hook.agent === props.only && hook.state !== "installed"),
    );
  const changed = (hook: Hook): void => {
    mutate((before) => before?.map((one) => (one.agent === hook.agent ? hook : one)));
  };
  return (
    // A session stays on the page while its host is asked.
    <Suspense>
      <For each={shown()}>
        {(hook) => <OneHook host={props.host} hook={hook} changed={changed} isRow={props.only === undefined} />}
      </For>
    </Suspense>
  );
}

function OneHook(props: { host: HostHere; hook: Hook; changed: (hook: Hook) => void; isRow: boolean }) {
  const deck = useDeck();
  const [busy, setBusy] = createSignal(false);
  const agent = (): string => agentTitle(props.host, props.hook.agent);
  const isIn = (): boolean => props.hook.state === "installed";
  const change = async (): Promise<void> => {
    setBusy(true);
    try {
      const method = isIn() ? ("hook.remove" as const) : ("hook.install" as const);
      const hook = await props.host.replica.intend(method, { agent: props.hook.agent }).settled;
      props.changed(hook);
      if (hook.problem === undefined)
        deck.toasts.say(
          hook.state === "installed" ? t("Installed. What it asks from now on is asked here too.") : t("Removed"),
        );
    } catch (fault) {
      deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it."));
    }
    setBusy(false);
  };
  return (
    <div class="hook-row" classList={{ "card row": props.isRow }}>
      <span class="row-text">
        <Show when={props.isRow}>
          <span class="row-title">{t("{agent} in other terminals", { agent: agent() })}</span>
        </Show>
        <span class="dim">
          {isIn()
            ? t("Asks here too, through a hook in {path}.", { path: visibleLine(props.hook.path) })
            : t("A hook in {path} lets it ask here too. The file is kept as it was, and its own dialogs stay.", {
                path: visibleLine(props.hook.path),
              })}
        </span>
        <Show when={props.hook.problem}>
          {(problem) => (
            <span class="fault" role="alert">
              <Icon name="alert" small />
              {visible(problem())}
            </span>
          )}
        </Show>
      </span>
      <button
        type="button"
        class="button"
        disabled={busy() || props.hook.state === "unreadable"}
        onClick={() => void change()}
      >
        {isIn() ? t("Remove the hook") : t("Install the hook")}
      </button>
    </div>
  );
}
