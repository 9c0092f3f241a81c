/** The first screen: what needs you, answerable in place; then what failed; then what is done. */
import type { Settlement } from "@flybridge/protocol/ask.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createEffect, createMemo, createSignal, For, lazy, on, onCleanup, Show, Suspense } from "solid-js";
import { hostsOf, sessionPath, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { ago } from "../design/time.ts";
import { agentTitle } from "../host/agents.ts";
import { folderName } from "../sessions/grouping.ts";
import { statusWords } from "../sessions/status.tsx";
import { counted, t } from "../words.ts";
import { digestOf, type Told, type Waiting } from "./digest.ts";
import "./inbox.css";
import { lazySheet } from "../design/lazy-sheet.tsx";

const AskCard = lazy(() => import("../ask/ask-card.tsx").then((card) => ({ default: card.AskCard })));
const NewSession = lazySheet(() => import("../sessions/new-session.tsx"));

/** How long a card stays that was answered elsewhere, in milliseconds. */
export const LINGER_MS = 4_000;

interface Leaving extends Waiting {
  readonly settlement: Settlement;
  readonly at: number | undefined;
}

export default function Inbox() {
  const deck = useDeck();
  const [starting, setStarting] = createSignal(false);
  const hosts = createMemo(() => hostsOf(deck));
  const digest = createMemo(() => digestOf(hosts(), deck.answering.isPutAway));
  const read = (): boolean => hosts().some((host) => host.view.read);
  const leaving = makeLeaving(() => digest().waiting);
  const cards = createMemo(() => {
    const open = new Set(digest().waiting.map((one) => one.key));
    return [
      ...leaving()
        .filter((one) => !open.has(one.key))
        .map((one) => one.key),
      ...open,
    ];
  });
  const waiting = (key: string): Waiting | undefined =>
    digest().waiting.find((one) => one.key === key) ?? leaving().find((one) => one.key === key);
  const quiet = (): boolean => cards().length === 0 && digest().failed.length === 0 && digest().finished.length === 0;

  return (
    <div class="screen inbox">
      <div class="screen-head">
        <h1>{t("Inbox")}</h1>
      </div>
      <Show when={read()} fallback={<Loading />}>
        <p class="unseen" role="status">
          {counted(digest().waiting.length, "{n} thing needs you", "{n} things need you")}
        </p>
        <Suspense fallback={<Loading />}>
          <div class="inbox-asks">
            <For each={cards()}>
              {(key) => (
                <Show when={waiting(key)}>
                  {(one) => (
                    <AskCard
                      named
                      host={one().host}
                      summary={one().summary}
                      ask={one().open.ask}
                      at={one().open.at}
                      settled={settledOf(leaving(), key)}
                    />
                  )}
                </Show>
              )}
            </For>
          </div>
        </Suspense>
        <PutAway list={digest().putAway} />
        <News title={t("Failed")} list={digest().failed} failed />
        <News title={t("Done since you last looked")} list={digest().finished} />
        <Show when={quiet()}>
          <div class="empty inbox-calm">
            <svg viewBox="0 0 160 44" class="horizon" aria-hidden="true">
              <path d="M0 30h160" />
              <path d="M68 20h22M73 20v-6h13v6M76 14v-4h9" />
              <path d="M56 22h48l-5 8H61z" />
              <path d="M44 37h30M90 37h18M66 42h16" />
            </svg>
            <h2>{t("Nothing needs you")}</h2>
            <p>
              {digest().running === 0
                ? t("No agent is at work. What needs a decision will be here.")
                : counted(
                    digest().running,
                    "{n} session is at work. What needs a decision will be here.",
                    "{n} sessions are at work. What needs a decision will be here.",
                  )}
            </p>
            <button type="button" class="button" onClick={() => setStarting(true)}>
              <Icon name="plus" />
              {t("New session")}
            </button>
          </div>
        </Show>
      </Show>
      <Show when={starting()}>
        <NewSession onClose={() => setStarting(false)} />
      </Show>
    </div>
  );
}

function PutAway(props: { list: readonly Waiting[] }) {
  const [open, setOpen] = createSignal(false);
  return (
    <Show when={props.list.length > 0}>
      <section class="put-away">
        <button type="button" class="button plain" aria-expanded={open()} onClick={() => setOpen(!open())}>
          <Icon name="archive" />
          {counted(props.list.length, "{n} ask put away, still waiting", "{n} asks put away, still waiting")}
        </button>
        <Show when={open()}>
          <Suspense>
            <div class="inbox-asks">
              <For each={props.list}>
                {(one) => <AskCard named host={one.host} summary={one.summary} ask={one.open.ask} at={one.open.at} />}
              </For>
            </div>
          </Suspense>
        </Show>
      </section>
    </Show>
  );
}

function News(props: { title: string; list: readonly Told[]; failed?: boolean }) {
  const deck = useDeck();
  const clear = (): void => {
    for (const { host, summary } of props.list)
      host.replica.notice({ kind: "looked", session: summary.session, seq: summary.last });
    deck.toasts.say(t("Marked as seen"));
  };
  return (
    <Show when={props.list.length > 0}>
      <section>
        <div class="section-head">
          <h2>{props.title}</h2>
          <span class="num">{props.list.length}</span>
          <button type="button" class="button plain section-act" onClick={clear}>
            {t("Mark as seen")}
          </button>
        </div>
        <ul class="card news">
          <For each={props.list}>
            {({ host, summary }) => (
              <li>
                <A href={sessionPath(host.known.host, summary.session)} class="news-row">
                  <span class="news-glyph" classList={{ failed: props.failed === true }}>
                    <Icon name={props.failed ? "fail" : "check"} />
                  </span>
                  <span class="news-text">
                    <span class="news-title cut" dir="auto">
                      {visibleLine(summary.title)}
                    </span>
                    <span class="news-preview cut2" dir="auto">
                      {visibleLine(
                        props.failed ? (summary.turn?.detail ?? statusWords(summary.status)) : (summary.preview ?? ""),
                      )}
                    </span>
                    <span class="news-where cut">
                      {agentTitle(host, summary.agent)} · {visibleLine(folderName(summary.workspace))}
                    </span>
                  </span>
                  <time class="num news-time">{ago(summary.turn?.at ?? summary.updated)}</time>
                </A>
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}

/** Asks that were there a moment ago and were settled by somebody else: the session says by whom. */
function makeLeaving(waiting: () => readonly Waiting[]): () => readonly Leaving[] {
  const deck = useDeck();
  const [leaving, setLeaving] = createSignal<readonly Leaving[]>([]);
  const looking = new Set<() => void>();
  onCleanup(() => looking.forEach((stop) => stop()));

  const look = (one: Waiting): void => {
    const session = one.host.replica.open(one.summary.session);
    const stop = (): void => {
      clearTimeout(timer);
      session.close();
      looking.delete(stop);
      setLeaving((before) => before.filter((other) => other.key !== one.key));
    };
    const timer = setTimeout(stop, LINGER_MS);
    looking.add(stop);
    createEffect(() => {
      const row = session.view.value.rows.findLast(
        (candidate) => candidate.kind === "ask" && candidate.ask.ask === one.open.ask.ask,
      );
      if (row?.kind !== "ask" || !row.settlement) return;
      const settled: Leaving = { ...one, settlement: row.settlement, at: row.settledAt };
      setLeaving((before) => [...before.filter((other) => other.key !== one.key), settled]);
    });
  };
  createEffect(
    on(waiting, (now, before) => {
      const open = new Set(now.map((one) => one.key));
      for (const one of before ?? []) {
        const mine = deck.answering.of(one.summary.session, one.open.ask.ask)?.state;
        const away = deck.answering.isPutAway(one.summary.session, one.open.ask.ask);
        const still = one.host.view.sessions[one.summary.session]?.asks.some(
          (other) => other.ask.ask === one.open.ask.ask,
        );
        if (!open.has(one.key) && !away && !still && mine !== "taken" && mine !== "sending") look(one);
      }
    }),
  );
  return leaving;
}

function settledOf(
  leaving: readonly Leaving[],
  key: string,
): { settlement: Settlement; at: number | undefined } | undefined {
  const one = leaving.find((other) => other.key === key);
  return one && { settlement: one.settlement, at: one.at };
}
