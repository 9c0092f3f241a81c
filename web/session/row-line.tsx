/** Rows that are not items: prompts, settled asks, ends of turns, notices, marks. */
import type { PromptState, Row } from "@flybridge/client/view.ts";
import type { Usage } from "@flybridge/protocol/entry.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { shortened, visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, Match, Show, Switch } from "solid-js";
import { answerWords, askTitle } from "../ask/summary.ts";
import type { HostHere } from "../deck.ts";
import { CopyButton } from "../design/copy.tsx";
import { Icon, type IconName } from "../design/icon.tsx";
import { amount, clock, money, took } from "../design/time.ts";
import { t } from "../words.ts";
import { AttachedList } from "./attached.tsx";

type RowOf<Kind extends Row["kind"]> = Extract<Row, { kind: Kind }>;

/** Characters of a prompt that show before it is unfolded. */
const PROMPT_CHARS = 1_200;
/** Characters of a request that a rule allowed. */
const OBJECT_CHARS = 80;

export function PromptBubble(props: {
  row: RowOf<"prompt">;
  host: HostHere;
  session: SessionId;
  withdraw?: (() => void) | undefined;
  dismiss?: (() => void) | undefined;
}) {
  const [whole, setWhole] = createSignal(false);
  const [timed, setTimed] = createSignal(false);
  const long = (): boolean => props.row.text.length > PROMPT_CHARS;
  const from = (): string | undefined =>
    props.row.by === undefined || props.row.by === props.host.known.device
      ? undefined
      : props.host.view.devices[props.row.by]?.name;
  return (
    <div class="prompt" data-state={props.row.state}>
      <Show when={props.row.attachments ?? props.row.uploads}>
        <AttachedList
          host={props.host}
          session={props.session}
          attachments={props.row.attachments ?? []}
          uploads={props.row.attachments ? [] : (props.row.uploads ?? [])}
        />
      </Show>
      <div class="prompt-bubble" dir="auto" onClick={() => setTimed(!timed())}>
        {visible(long() && !whole() ? `${props.row.text.slice(0, PROMPT_CHARS)}…` : props.row.text)}
        <Show when={long()}>
          <button
            type="button"
            class="button plain prompt-more"
            onClick={(event) => {
              event.stopPropagation();
              setWhole(!whole());
            }}
          >
            {whole() ? t("Show less") : t("Show all")}
          </button>
        </Show>
      </div>
      <p class="prompt-state">
        <Show when={timed()}>
          <CopyButton text={() => props.row.text} label={t("Copy this prompt")} />
          <time class="num">{clock(props.row.at)}</time>
        </Show>
        <Show when={from()}>{(name) => <span>{t("from {device}", { device: visibleLine(name()) })}</span>}</Show>
        <Show when={props.row.delivery === "steer" && props.row.state !== "done"}>
          <span>{t("into the running turn")}</span>
        </Show>
        <span class="prompt-where">
          <Icon name={STATE_ICONS[props.row.state]} small />
          {stateWords(props.row.state)}
        </span>
        <Show when={props.dismiss}>
          {(dismiss) => (
            <button type="button" class="button plain prompt-withdraw" onClick={() => dismiss()()}>
              {t("Put away")}
            </button>
          )}
        </Show>
        <Show when={props.withdraw}>
          {(withdraw) => (
            <button type="button" class="button plain prompt-withdraw" onClick={() => withdraw()()}>
              {t("Withdraw")}
            </button>
          )}
        </Show>
      </p>
      <Show when={props.row.refusal}>
        {(refusal) => (
          <p class="fault">
            <Icon name="alert" small />
            {visible(refusal())}
          </p>
        )}
      </Show>
    </div>
  );
}

export function AskLine(props: { row: RowOf<"ask">; host: HostHere }) {
  const words = (): string => {
    const { settlement, ask } = props.row;
    if (!settlement) return t("waits for you, below");
    if (settlement.kind === "withdrawn") return t("taken back by the agent");
    if (settlement.kind === "void") return t("void: the agent ended");
    if (settlement.kind === "ruled") return t("allowed by a rule, without asking");
    const who = settlement.by === props.host.known.device ? undefined : props.host.view.devices[settlement.by]?.name;
    const more = {
      session: t("and again in this session without asking"),
      always: t("and from now on without asking"),
    };
    return [
      answerWords(settlement.answer, ask),
      settlement.rule && more[settlement.rule],
      who === undefined ? undefined : visibleLine(who),
    ]
      .filter(Boolean)
      .join(" · ");
  };
  const rule = (): boolean => props.row.settlement?.kind === "ruled";
  /** What was asked, where nobody saw the card. */
  const object = (): string | undefined => {
    const { ask } = props.row;
    if (!rule() || ask.kind !== "approval") return undefined;
    const { command, path, url, input } = ask.evidence;
    return shortened(visibleLine((command ?? path ?? url ?? input).slice(0, 2 * OBJECT_CHARS)), OBJECT_CHARS);
  };
  const no = (): boolean => props.row.settlement?.kind === "answered" && props.row.settlement.answer.kind === "deny";
  return (
    <p class="line still" classList={{ "ask-open": props.row.settlement === undefined }}>
      <Icon name={props.row.settlement === undefined ? "message" : no() ? "close" : rule() ? "rule" : "check"} />
      <span class="line-verb">{askTitle(props.row.ask)}</span>
      <span class="line-object" dir="auto">
        <Show when={object()}>{(shown) => <span class="mono">{shown()} · </span>}</Show>
        {words()}
      </span>
      <Show when={props.row.settledAt}>{(at) => <time class="line-state num">{clock(at())}</time>}</Show>
    </p>
  );
}

export function TurnLine(props: { row: RowOf<"turn"> }) {
  return (
    <div class="turn" classList={{ failed: props.row.outcome === "failed" }}>
      <p class="turn-line">
        <span>
          <Switch>
            <Match when={props.row.outcome === "completed"}>{t("Done")}</Match>
            <Match when={props.row.outcome === "interrupted"}>{t("Stopped")}</Match>
            <Match when={props.row.outcome === "failed"}>{t("The turn failed")}</Match>
          </Switch>
          <Show when={props.row.took}>{(ms) => <span class="num"> · {took(ms())}</span>}</Show>
          <Show when={props.row.usage}>{(usage) => <span class="num"> · {usageWords(usage())}</span>}</Show>
          <span class="num"> · {clock(props.row.at)}</span>
        </span>
      </p>
      <Show when={props.row.detail}>
        {(detail) => (
          <p class="fault">
            <Icon name="alert" small />
            <span dir="auto">{visible(detail())}</span>
          </p>
        )}
      </Show>
    </div>
  );
}

export function NoticeLine(props: { row: RowOf<"notice"> }) {
  return (
    <div class={`notice ${props.row.level}`}>
      <Icon name={props.row.level === "info" ? "info" : "alert"} small />
      <div>
        <p dir="auto">{visible(props.row.text)}</p>
        <Show when={props.row.raw}>
          {(raw) => (
            <details>
              <summary>{t("What the agent wrote")}</summary>
              <pre tabindex="0" dir="ltr">
                {visible(raw())}
              </pre>
            </details>
          )}
        </Show>
      </div>
    </div>
  );
}

export function MarkLine(props: { row: RowOf<"mark"> }) {
  const words = (): string => {
    const { fact } = props.row;
    switch (fact.kind) {
      case "agent.started":
        return t("The agent started");
      case "agent.ended":
        return fact.cause === "failed"
          ? fact.code === null
            ? t("The agent's process failed")
            : t("The agent's process ended, exit {code}", { code: fact.code })
          : fact.cause === "stopped"
            ? t("Session stopped")
            : t("The agent ended by itself");
      case "session.configured":
        return [
          fact.title === undefined ? "" : t("Named {title}", { title: visibleLine(fact.title) }),
          fact.model === undefined ? "" : t("Model {model}", { model: visibleLine(fact.model) }),
          fact.mode === undefined ? "" : t("Mode {mode}", { mode: visibleLine(fact.mode) }),
        ]
          .filter(Boolean)
          .join(" · ");
      case "session.stopped":
        return t("Asked to stop");
      case "session.resumed":
        return t("Session resumed");
      case "interrupt.asked":
        return t("Stop asked");
    }
  };
  const detail = (): string | undefined => (props.row.fact.kind === "agent.ended" ? props.row.fact.detail : undefined);
  return (
    <div class="turn">
      <p class="turn-line">
        <span dir="auto">
          {words()}
          <span class="num"> · {clock(props.row.at)}</span>
        </span>
      </p>
      <Show when={detail()}>
        {(why) => (
          <p class="fault">
            <Icon name="alert" small />
            <span dir="auto">{visible(why())}</span>
          </p>
        )}
      </Show>
    </div>
  );
}

export function usageWords(usage: Usage): string {
  const tokens = t("{n} tokens", { n: amount(usage.input + usage.output) });
  return usage.dollars === undefined ? tokens : `${tokens} · ${money(usage.dollars)}`;
}

const STATE_ICONS: Record<PromptState, IconName> = {
  saved: "clock",
  sent: "arrowUp",
  accepted: "check",
  done: "checks",
  withdrawn: "undo",
  refused: "alert",
};

function stateWords(state: PromptState): string {
  switch (state) {
    case "saved":
      return t("saved here");
    case "sent":
      return t("sent");
    case "accepted":
      return t("accepted, waits");
    case "done":
      return t("done");
    case "withdrawn":
      return t("withdrawn");
    case "refused":
      return t("refused");
  }
}
