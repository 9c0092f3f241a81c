/** The ask card: who asks, what about, and the decision. The Inbox and the session show the same one. */
import type { Ask, Settlement } from "@flybridge/protocol/ask.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, For, type JSX, Match, Show, Switch } from "solid-js";
import { type HostHere, isGuest, sessionPath, useDeck } from "../deck.ts";
import { Icon, type IconName } from "../design/icon.tsx";
import { clock, since } from "../design/time.ts";
import { may } from "../grant/grant.ts";
import { agentTitle } from "../host/agents.ts";
import { Markdown } from "../session/markdown.tsx";
import { folderName } from "../sessions/grouping.ts";
import { t } from "../words.ts";
import { Approval } from "./approval.tsx";
import "./ask.css";
import { Evidence } from "./evidence.tsx";
import { Plan } from "./plan.tsx";
import { Questions } from "./question.tsx";
import { answerWords, askTitle } from "./summary.ts";
import type { Progress } from "./answering.ts";

const KIND_ICONS: Record<Ask["kind"], IconName> = { approval: "shield", question: "message", plan: "plan" };

export function AskCard(props: {
  host: HostHere;
  summary: Pick<Summary, "session" | "title" | "agent" | "workspace" | "terminal">;
  ask: Ask;
  at: number;
  /** In the Inbox a card names its session; inside the session it need not. */
  named: boolean;
  /** How it ended, when that was just now. */
  settled?: { settlement: Settlement; at: number | undefined } | undefined;
  /** An answer that the session's own view knows to be on its way (after a reload). */
  outgoing?: Progress | undefined;
}) {
  const deck = useDeck();
  const progress = createMemo(() => deck.answering.of(props.summary.session, props.ask.ask) ?? props.outgoing);
  const busy = (): boolean => progress()?.state === "sending" || progress()?.state === "taken";
  const asked = createMemo(() => (isGuest(props.host) ? onlyOnce(props.ask) : props.ask));
  const answers = (): boolean => may(props.host, "answer");
  const answer = (given: Parameters<typeof deck.answering.answer>[3]): void =>
    deck.answering.answer(props.host.replica, props.summary.session, props.ask, given);

  return (
    <article
      class="ask"
      classList={{ settled: props.settled !== undefined || !answers() }}
      aria-label={askTitle(props.ask)}
      data-ask={props.ask.ask}
    >
      <header class="ask-head">
        <span class="ask-kind">
          <Icon name={KIND_ICONS[props.ask.kind]} />
        </span>
        <div class="ask-who">
          <h2 dir="auto">{askTitle(props.ask)}</h2>
          <p class="ask-where">
            <Show when={props.named}>
              <A href={sessionPath(props.host.known.host, props.summary.session)} class="ask-session" dir="auto">
                {visibleLine(props.summary.title)}
              </A>
              <Dot />
            </Show>
            <span>
              {props.ask.from === undefined ? agentTitle(props.host, props.summary.agent) : visibleLine(props.ask.from)}
            </span>
            <Show when={props.named}>
              <Dot />
              <span dir="auto">{visibleLine(folderName(props.summary.workspace))}</span>
            </Show>
            <Dot />
            <time class="num">{t("waits {time}", { time: since(props.at) })}</time>
          </p>
          <Show when={props.settled === undefined && sourceWords(props.ask)}>
            {(words) => (
              <p class="ask-source">
                <Icon name="eye" small />
                {words()}
              </p>
            )}
          </Show>
        </div>
        <Show when={props.settled === undefined && answers()}>
          <button
            type="button"
            class="icon-button"
            aria-label={t("Put away")}
            title={t("Put away; the agent goes on waiting")}
            onClick={() => deck.answering.dismiss(props.host.replica, props.summary.session, props.ask)}
          >
            <Icon name="minus" />
          </button>
        </Show>
      </header>
      <Show
        when={props.settled}
        fallback={
          <Show
            when={answers() ? props.ask.elsewhere : t("You watch: somebody who may answer is asked.")}
            fallback={
              <Body
                ask={asked()}
                agent={agentTitle(props.host, props.summary.agent)}
                workspace={props.summary.workspace}
                busy={busy()}
                answer={answer}
              />
            }
          >
            {(where) => (
              <Elsewhere
                ask={props.ask}
                where={where()}
                workspace={props.summary.workspace}
                terminal={
                  props.summary.terminal && props.named
                    ? sessionPath(props.host.known.host, props.summary.session)
                    : undefined
                }
              />
            )}
          </Show>
        }
      >
        {(settled) => (
          <p class="ask-settled" role="status">
            <Icon name="checks" />
            {settledWords(props.host, settled())}
          </p>
        )}
      </Show>
      <Show when={props.settled === undefined && progress()}>
        {(given) => (
          <Show
            when={given().state === "refused"}
            fallback={
              <p class="ask-progress" role="status">
                {given().state === "sending"
                  ? props.host.view.connection.kind === "live"
                    ? t("Sending: {answer}", { answer: answerWords(given().answer, props.ask) })
                    : t("Saved here: {answer}. It is sent when {host} is back.", {
                        answer: answerWords(given().answer, props.ask),
                        host: visibleLine(props.host.known.name),
                      })
                  : t("The host has it: {answer}", { answer: answerWords(given().answer, props.ask) })}
              </p>
            }
          >
            <p class="fault" role="alert">
              <Icon name="alert" small />
              {given().refusal}
            </p>
          </Show>
        )}
      </Show>
    </article>
  );
}

/** It is seen here and answered there, on another device or in a terminal of its own: what it is about, where to go, and the way where there is one. */
function Elsewhere(props: { ask: Ask; where: string; workspace: string; terminal: string | undefined }) {
  return (
    <div class="ask-body">
      <Switch>
        <Match when={props.ask.kind === "approval" && props.ask}>
          {(ask) => <Evidence evidence={ask().evidence} workspace={props.workspace} />}
        </Match>
        <Match when={props.ask.kind === "question" && props.ask}>
          {(ask) => (
            <ul class="asked">
              <For each={ask().questions}>
                {(question) => (
                  <li dir="auto">
                    {visible(question.text || question.header)}
                    <Show when={question.options.length > 0}>
                      <small>{question.options.map(({ label }) => visibleLine(label)).join(" · ")}</small>
                    </Show>
                  </li>
                )}
              </For>
            </ul>
          )}
        </Match>
        <Match when={props.ask.kind === "plan" && props.ask}>
          {(ask) => (
            <div class="plan-text" tabindex="0" role="region" aria-label={t("Plan")}>
              <Markdown text={ask().plan} />
            </div>
          )}
        </Match>
      </Switch>
      <p class="ask-elsewhere">
        <Icon name={props.ask.elsewhere === undefined ? "eye" : "terminal"} />
        <span dir="auto">{visible(props.where)}</span>
      </p>
      <Show when={props.terminal}>
        {(path) => (
          <A href={path()} class="button signal wide">
            {t("Open the terminal")}
          </A>
        )}
      </Show>
    </div>
  );
}

function Body(props: {
  ask: Ask;
  agent: string;
  workspace: string;
  busy: boolean;
  answer: Parameters<typeof Plan>[0]["answer"];
}): JSX.Element {
  return (
    <div class="ask-body">
      <Switch>
        <Match when={props.ask.kind === "approval" && props.ask}>
          {(ask) => (
            <Approval
              ask={ask()}
              agent={props.agent}
              workspace={props.workspace}
              busy={props.busy}
              answer={props.answer}
            />
          )}
        </Match>
        <Match when={props.ask.kind === "question" && props.ask}>
          {(ask) => <Questions ask={ask()} busy={props.busy} answer={props.answer} />}
        </Match>
        <Match when={props.ask.kind === "plan" && props.ask}>
          {(ask) => <Plan ask={ask()} busy={props.busy} answer={props.answer} />}
        </Match>
      </Switch>
    </div>
  );
}

/** What is allowed for longer than once is the owner's to allow. */
function onlyOnce(ask: Ask): Ask {
  return ask.kind === "approval" ? { ...ask, choices: ask.choices.filter(({ scope }) => scope === "once") } : ask;
}

function Dot() {
  return <span aria-hidden="true"> · </span>;
}

/** Where it was not the agent's own protocol that raised it: then it is worth a second look. */
function sourceWords(ask: Ask): string | undefined {
  if (ask.source === "screen") return t("Read from the screen");
  return ask.source === "signal" ? t("From a signal of the program") : undefined;
}

function settledWords(host: HostHere, settled: { settlement: Settlement; at: number | undefined }): string {
  const { settlement } = settled;
  switch (settlement.kind) {
    case "answered": {
      const device = visibleLine(host.view.devices[settlement.by]?.name ?? t("another device"));
      const who = settlement.by === host.known.device ? t("this device") : device;
      return settled.at === undefined
        ? t("Answered by {who}", { who })
        : t("Answered by {who} at {time}", { who, time: clock(settled.at) });
    }
    case "ruled":
      return t("Allowed at once, by a rule");
    case "withdrawn":
      return t("The agent took it back");
    case "void":
      return t("The agent has ended; nobody waits for an answer");
  }
}
