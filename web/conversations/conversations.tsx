/** Conversations that agents keep on a host, begun anywhere: found, looked at, gone on with, or forked. */
import { Offline } from "@flybridge/client/replica.ts";
import type { Conversation } from "@flybridge/protocol/conversation.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, createResource, createSignal, For, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { Sheet } from "../design/sheet.tsx";
import { ago } from "../design/time.ts";
import { agentTitle } from "../host/agents.ts";
import { folderName } from "../sessions/grouping.ts";
import { counted, t } from "../words.ts";
import "./conversations.css";

/** Rows that are drawn before a search narrows them. */
const FIRST_ROWS = 60;

export default function Conversations(props: {
  host: HostHere;
  /** A session goes on with it: a new one, or the one that holds it. */
  opened: (session: SessionId) => void;
  onClose: () => void;
}) {
  const [search, setSearch] = createSignal("");
  const [chosen, setChosen] = createSignal<Conversation>();
  const [answer] = createResource(async () => {
    try {
      return { list: (await props.host.replica.call("conversation.list", {})).conversations };
    } catch (fault) {
      return { fault: faultWords(fault, props.host) };
    }
  });
  const found = createMemo(() => {
    const sought = search().trim().toLowerCase();
    const list = answer.latest?.list ?? [];
    return sought === ""
      ? list
      : list.filter((one) => `${one.title}\n${one.workspace}\n${one.agent}`.toLowerCase().includes(sought));
  });
  return (
    <Sheet
      title={chosen() ? visibleLine(chosen()?.title ?? "") : t("Continue an earlier one")}
      onClose={() => (chosen() ? setChosen() : props.onClose())}
    >
      <Show
        when={chosen()}
        fallback={
          <>
            <label class="search">
              <Icon name="search" />
              <span class="unseen">{t("Search conversations")}</span>
              <input
                type="search"
                placeholder={t("Search conversations")}
                value={search()}
                onInput={(event) => setSearch(event.currentTarget.value)}
              />
            </label>
            <Show when={answer.latest} fallback={<Loading />}>
              {(told) => (
                <Show when={told().fault === undefined} fallback={<Fault words={told().fault ?? ""} />}>
                  <ul class="conversations">
                    <For
                      each={found().slice(0, FIRST_ROWS)}
                      fallback={
                        <li class="dim conversations-none">
                          {search() === ""
                            ? t("The agents on this host keep no conversations yet.")
                            : t("No conversation has these words in its title or folder.")}
                        </li>
                      }
                    >
                      {(one) => (
                        <li>
                          <button type="button" class="conversation" onClick={() => setChosen(one)}>
                            <span class="conversation-title cut" dir="auto">
                              {visibleLine(one.title)}
                            </span>
                            <span class="conversation-facts dim cut">
                              <Mark one={one} />
                              {agentTitle(props.host, one.agent)} · {visibleLine(folderName(one.workspace))} ·{" "}
                              {ago(one.updated)}
                            </span>
                          </button>
                        </li>
                      )}
                    </For>
                  </ul>
                  <Show when={found().length > FIRST_ROWS}>
                    <p class="dim conversations-none">
                      {counted(
                        found().length - FIRST_ROWS,
                        "{n} more; search to find it",
                        "{n} more; search to find them",
                      )}
                    </p>
                  </Show>
                </Show>
              )}
            </Show>
          </>
        }
      >
        {(one) => <Preview host={props.host} one={one()} opened={props.opened} />}
      </Show>
    </Sheet>
  );
}

function Mark(props: { one: Conversation }) {
  return (
    <Show when={props.one.open === true || props.one.session !== undefined}>
      <span class="conversation-mark">{props.one.open === true ? t("open in a terminal") : t("a session here")}</span>
      {" · "}
    </Show>
  );
}

function Preview(props: { host: HostHere; one: Conversation; opened: (session: SessionId) => void }) {
  const [answer] = createResource(async () => {
    try {
      const { agent, conversation } = props.one;
      return { said: (await props.host.replica.call("conversation.read", { agent, conversation })).said };
    } catch (fault) {
      return { fault: faultWords(fault, props.host) };
    }
  });
  const [state, setState] = createSignal<"looking" | "starting" | { refused: string }>("looking");
  const go = async (fork: boolean): Promise<void> => {
    const { agent, workspace, conversation } = props.one;
    setState("starting");
    try {
      const { settled } = props.host.replica.intend("session.create", {
        agent,
        workspace,
        from: { conversation, fork },
      });
      props.opened((await settled).session);
    } catch (fault) {
      setState({ refused: faultWords(fault, props.host) });
    }
  };
  const refused = (): string | undefined => {
    const now = state();
    return typeof now === "object" ? now.refused : undefined;
  };
  return (
    <div class="form">
      <p class="dim conversation-facts">
        {agentTitle(props.host, props.one.agent)} · <bdi class="mono">{visibleLine(props.one.workspace)}</bdi> ·{" "}
        {ago(props.one.updated)}
      </p>
      <Show when={answer.latest} fallback={<Loading />}>
        {(told) => (
          <Show when={told().fault === undefined} fallback={<Fault words={told().fault ?? ""} />}>
            <div class="said-list" role="log" aria-label={t("What was last said")} tabindex="0">
              <For each={told().said ?? []} fallback={<p class="dim">{t("Nothing was said in it yet.")}</p>}>
                {(said) => (
                  <p class="said" data-who={said.who} dir="auto">
                    <span class="unseen">{said.who === "person" ? t("You:") : t("The agent:")}</span>
                    {visible(said.text)}
                  </p>
                )}
              </For>
            </div>
          </Show>
        )}
      </Show>
      <Show when={refused()}>{(words) => <Fault words={words()} />}</Show>
      <div class="form-end">
        <Show
          when={props.one.session}
          fallback={
            <button
              type="button"
              class="button strong wide"
              disabled={state() === "starting" || props.one.open === true}
              onClick={() => void go(false)}
            >
              <Icon name="play" />
              {state() === "starting" ? t("Starting") : t("Continue here")}
            </button>
          }
        >
          {(session) => (
            <button type="button" class="button strong wide" onClick={() => props.opened(session())}>
              <Icon name="chevron" />
              {t("Show its session")}
            </button>
          )}
        </Show>
        <Show when={props.one.open === true && props.one.session === undefined}>
          <p class="dim">{t("It is open in a terminal now. End it there to continue here, or go on with a copy.")}</p>
        </Show>
        <button type="button" class="button wide" disabled={state() === "starting"} onClick={() => void go(true)}>
          <Icon name="git" />
          {t("Go on with a copy")}
        </button>
      </div>
    </div>
  );
}

function Fault(props: { words: string }) {
  return (
    <p class="fault" role="alert">
      <Icon name="alert" small />
      {visible(props.words)}
    </p>
  );
}

function faultWords(fault: unknown, host: HostHere): string {
  if (fault instanceof Offline) return t("{host} does not answer now.", { host: visibleLine(host.known.name) });
  return fault instanceof Error ? fault.message : t("The host refused it.");
}
