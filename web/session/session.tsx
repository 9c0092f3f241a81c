/** One session: its transcript, what it asks, and the composer. */
import type { OpenSession } from "@flybridge/client/replica.ts";
import type { Row } from "@flybridge/client/view.ts";
import type { Upload } from "@flybridge/protocol/attachment.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Item } from "@flybridge/protocol/item.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A, useParams } from "@solidjs/router";
import { createEffect, createMemo, createSignal, For, lazy, on, onCleanup, Show } from "solid-js";
import type { Progress } from "../ask/answering.ts";
import { AskCard } from "../ask/ask-card.tsx";
import { type HostHere, hostOf, isGuest, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Loading } from "../design/loading.tsx";
import { clock } from "../design/time.ts";
import OutsideNote from "../conversations/outside-note.tsx";
import { may } from "../grant/grant.ts";
import { endingOf } from "../guest/ending.ts";
import { ConnectionBanner } from "../host/banner.tsx";
import { agentTitle } from "../host/agents.ts";
import { LINGER_MS } from "../inbox/inbox.tsx";
import { folderName } from "../sessions/grouping.ts";
import { StatusGlyph, staleSince, statusWords } from "../sessions/status.tsx";
import { counted, t } from "../words.ts";
import { Composer } from "./composer.tsx";
import { Todo } from "./item-line.tsx";
import { SessionFacts } from "./session-facts.tsx";
import "./session.css";
import { Transcript } from "./transcript.tsx";

const TerminalPage = lazy(() => import("../terminal/terminal-page.tsx"));
const SessionSheet = lazySheet(() => import("./session-sheet.tsx"));
const ShareSheet = lazySheet(() => import("../grant/share-sheet.tsx"));
const SharedSession = lazy(() => import("../guest/shared-session.tsx"));

type AskRow = Extract<Row, { kind: "ask" }>;

export default function Session() {
  const deck = useDeck();
  const params = useParams<{ host: string; session: string }>();
  const here = createMemo(() => hostOf(deck, params.host));
  return (
    <Show
      when={here()}
      fallback={
        <Show when={deck.bridge.hosts.value.read} fallback={<Loading />}>
          <Missing why={t("This device is not paired with the host of this session.")} />
        </Show>
      }
    >
      {(host) => (
        <Show when={params.session} keyed>
          {(session) => (
            <Show when={isGuest(host())} fallback={<OneSession host={host()} session={session as SessionId} />}>
              <SharedSession host={host()} session={session as SessionId}>
                <OneSession host={host()} session={session as SessionId} />
              </SharedSession>
            </Show>
          )}
        </Show>
      )}
    </Show>
  );
}

function OneSession(props: { host: HostHere; session: SessionId }) {
  const deck = useDeck();
  const open: OpenSession = props.host.replica.open(props.session);
  onCleanup(() => open.close());
  const view = open.view.value;
  const summary = createMemo<Summary | undefined>(() => view.state ?? props.host.view.sessions[props.session]);
  const running = (): boolean => view.state?.running !== undefined || summary()?.status.kind === "running";
  const offline = (): boolean => props.host.view.connection.kind !== "live";
  const [sheet, setSheet] = createSignal(false);
  const [sharing, setSharing] = createSignal(false);
  const guest = (): boolean => isGuest(props.host);
  /** What runs in a terminal of its own is continued here by its owner only. */
  const prompts = (): boolean => may(props.host, "prompt") && !(guest() && summary()?.outside === true);
  const terminal = createMemo(() => summary()?.terminal === true);
  const title = (): string => visibleLine(summary()?.title ?? t("Session"));
  const [head, setHead] = createSignal<HTMLElement>();

  createEffect(
    on(
      () => view.state?.last,
      (seq) => {
        if (seq !== undefined && !document.hidden)
          props.host.replica.notice({ kind: "looked", session: props.session, seq });
      },
    ),
  );

  const send = (text: string, delivery: "queue" | "steer", attachments: Upload[]): void => {
    props.host.replica
      .intend("session.prompt", {
        session: props.session,
        text,
        delivery,
        ...(attachments.length === 0 ? {} : { attachments }),
      })
      // A refusal is shown on the prompt itself, where the view has it.
      .settled.catch(() => undefined);
  };
  const resume = (): void => {
    props.host.replica
      .intend("session.resume", { session: props.session })
      .settled.catch((fault: unknown) =>
        deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
      );
  };
  const withdraw = (prompt: Extract<Row, { kind: "prompt" }>["prompt"]): void => {
    props.host.replica
      .intend("session.withdraw", { session: props.session, prompt })
      .settled.catch((fault: unknown) =>
        deck.toasts.say(fault instanceof Error ? fault.message : t("It is too late to withdraw it.")),
      );
  };

  return (
    <Show when={view.gone === undefined || guest()} fallback={<Missing why={view.gone ?? ""} />}>
      <div class="session" classList={{ "is-terminal": terminal() }}>
        <div class="session-main">
          <header class="session-head">
            <Show when={!guest()} fallback={<span class="session-start" />}>
              <A href="/sessions" class="icon-button session-back" aria-label={t("Back to sessions")}>
                <Icon name="back" />
              </A>
            </Show>
            <div class="session-title">
              <h1 class="cut" dir="auto" title={title()}>
                {title()}
              </h1>
              <p class="session-state">
                <Show when={summary()}>
                  {(now) => (
                    <>
                      <StatusGlyph status={now().status} stale={staleSince(props.host) !== undefined} />
                      <span
                        class="cut"
                        classList={{ waiting: now().status.kind === "waiting" && may(props.host, "answer") }}
                      >
                        {statusWords(now().status, staleSince(props.host), may(props.host, "answer"))}
                      </span>
                      <span class="session-where cut">
                        {agentTitle(props.host, now().agent)} · {visibleLine(folderName(now().workspace))}
                      </span>
                      <Show when={now().outside}>
                        <span class="session-where cut">· {t("in another terminal")}</span>
                      </Show>
                    </>
                  )}
                </Show>
              </p>
            </div>
            <Show when={may(props.host, "share") && summary()?.status.kind !== "ended" && summary()}>
              <button
                type="button"
                class="icon-button"
                aria-label={t("Share this session")}
                title={t("Share this session")}
                onClick={() => setSharing(true)}
              >
                <Icon name="share" />
              </button>
            </Show>
            <Show when={terminal()}>
              <div ref={setHead} class="session-more" />
            </Show>
            <Show when={!terminal() && !guest()}>
              <button
                type="button"
                class="icon-button"
                aria-label={t("Model, mode, usage")}
                title={t("Model, mode, usage")}
                onClick={() => setSheet(true)}
              >
                <Icon name="settings" />
              </button>
            </Show>
          </header>
          <div class="session-banner">
            <Show when={!endingOf(props.host)}>
              <ConnectionBanner host={props.host} terminal={terminal()} />
            </Show>
          </div>
          <Show
            when={!terminal()}
            fallback={
              <Show when={head()}>
                {(slot) => (
                  <TerminalPage
                    host={props.host}
                    session={props.session}
                    open={open}
                    asks={<PinnedAsks host={props.host} open={open} summary={summary()} />}
                    head={slot()}
                    settings={() => setSheet(true)}
                  />
                )}
              </Show>
            }
          >
            <Show when={!view.live && !offline() && view.staleSince}>
              {(at) => (
                <p class="banner stale" role="status">
                  {t("As of {time}; catching up", { time: clock(at()) })}
                </p>
              )}
            </Show>
            <Show
              when={view.state}
              fallback={
                <div class="screen">
                  <Loading />
                </div>
              }
            >
              <Show when={view.rows.length > 0 || view.outgoing.length > 0} fallback={<Fresh prompts={prompts()} />}>
                <Transcript host={props.host} open={open} withdraw={(prompt) => withdraw(prompt.prompt)} />
              </Show>
            </Show>
            <div class="session-dock">
              <PinnedAsks host={props.host} open={open} summary={summary()} />
              <WaitingPrompts host={props.host} open={open} withdraw={withdraw} />
              <Show when={prompts()} fallback={<Watching host={props.host} />}>
                <Show
                  when={summary()?.outside === true ? summary() : undefined}
                  fallback={
                    <Composer
                      session={props.session}
                      running={running()}
                      ended={summary()?.status.kind === "ended"}
                      offline={offline()}
                      hostName={visibleLine(props.host.known.name)}
                      takes={props.host.view.agents.find((one) => one.agent === summary()?.agent)?.attaches}
                      commands={view.state?.commands}
                      find={(text) =>
                        may(props.host, "files")
                          ? props.host.replica
                              .call("session.find", { session: props.session, text })
                              .then(({ paths }) => paths)
                          : Promise.resolve([])
                      }
                      send={send}
                      stop={() => {
                        props.host.replica
                          .intend("session.interrupt", { session: props.session })
                          .settled.catch(() => undefined);
                        deck.toasts.say(t("Stop asked"));
                      }}
                      resume={resume}
                    />
                  }
                >
                  {(outside) => <OutsideNote host={props.host} summary={outside()} resume={resume} />}
                </Show>
              </Show>
            </div>
          </Show>
        </div>
        <Show when={!terminal() && view.state}>
          {(state) => (
            <aside class="session-side" aria-label={t("About this session")}>
              <SideTodo open={open} />
              <section>
                <h2 class="section-head">{t("Usage")}</h2>
                <SessionFacts host={props.host} state={state()} />
              </section>
            </aside>
          )}
        </Show>
        <Show when={sharing() && summary()}>
          {(now) => <ShareSheet host={props.host} summary={now()} onClose={() => setSharing(false)} />}
        </Show>
        <Show when={sheet() && view.state}>
          {(state) => <SessionSheet host={props.host} state={state()} onClose={() => setSheet(false)} />}
        </Show>
      </div>
    </Show>
  );
}

/** Open asks above the composer, one at a time; one that was settled elsewhere says so and leaves. */
function PinnedAsks(props: { host: HostHere; open: OpenSession; summary: Summary | undefined }) {
  const deck = useDeck();
  const view = props.open.view.value;
  const [lingering, setLingering] = createSignal<readonly AskRow[]>([]);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  onCleanup(() => timers.forEach(clearTimeout));
  const asks = createMemo(() => view.state?.asks ?? []);
  const away = (ask: (typeof view.state & object)["asks"][number]): boolean =>
    ask.dismissed || deck.answering.isPutAway(view.session, ask.ask.ask);
  const shown = createMemo(() => asks().filter((one) => !away(one)));
  const hidden = createMemo(() => asks().filter(away));
  const [broughtBack, setBroughtBack] = createSignal(false);
  /** The one that was turned to stays, whatever else comes or goes. */
  const [turnedTo, setTurnedTo] = createSignal<string>();
  const place = createMemo(() =>
    Math.max(
      0,
      shown().findIndex((one) => one.ask.ask === turnedTo()),
    ),
  );
  const first = createMemo(() => shown()[place()] ?? (broughtBack() ? hidden()[0] : undefined));
  const turn = (by: number): void => {
    const count = shown().length;
    setTurnedTo(shown()[(place() + by + count) % count]?.ask.ask);
  };

  createEffect(
    on(asks, (now, before) => {
      for (const one of before ?? []) {
        if (now.some((other) => other.ask.ask === one.ask.ask) || away(one)) continue;
        const row = view.rows.findLast(
          (candidate): candidate is AskRow => candidate.kind === "ask" && candidate.ask.ask === one.ask.ask,
        );
        const mine = row?.settlement?.kind === "answered" && row.settlement.by === props.host.known.device;
        if (!row || mine) continue;
        setLingering((list) => [...list, row]);
        const timer = setTimeout(() => {
          timers.delete(timer);
          setLingering((list) => list.filter((other) => other !== row));
        }, LINGER_MS);
        timers.add(timer);
      }
    }),
  );
  const outgoing = (ask: string): Progress | undefined => {
    const answering = view.answering[ask];
    if (!answering) return undefined;
    return answering.refusal === undefined
      ? { answer: answering.answer, state: "sending" }
      : { answer: answering.answer, state: "refused", refusal: answering.refusal };
  };

  return (
    <div class="pinned" role="region" aria-label={t("What needs you")}>
      <Show when={props.summary}>
        {(summary) => (
          <>
            <For each={lingering()}>
              {(row) => (
                <AskCard
                  named={false}
                  host={props.host}
                  summary={summary()}
                  ask={row.ask}
                  at={row.at}
                  settled={row.settlement && { settlement: row.settlement, at: row.settledAt }}
                />
              )}
            </For>
            <Show when={first()?.ask.ask} keyed>
              {(id) => (
                <Show when={asks().find((one) => one.ask.ask === id)}>
                  {(one) => (
                    <AskCard
                      named={false}
                      host={props.host}
                      summary={summary()}
                      ask={one().ask}
                      at={one().at}
                      outgoing={outgoing(id)}
                    />
                  )}
                </Show>
              )}
            </Show>
          </>
        )}
      </Show>
      <Show when={shown().length > 1}>
        <div class="pinned-more" role="group" aria-label={t("What else waits")}>
          <button type="button" class="icon-button" aria-label={t("The one before")} onClick={() => turn(-1)}>
            <Icon name="back" />
          </button>
          <span class="num" aria-live="polite">
            {t("{n} of {all} that wait for you", { n: place() + 1, all: shown().length })}
          </span>
          <button type="button" class="icon-button" aria-label={t("The next one")} onClick={() => turn(1)}>
            <Icon name="chevron" />
          </button>
        </div>
      </Show>
      <Show when={hidden().length > 0 && shown().length === 0}>
        <button
          type="button"
          class="button plain pinned-away"
          aria-expanded={broughtBack()}
          onClick={() => setBroughtBack(!broughtBack())}
        >
          <Icon name="archive" />
          {counted(hidden().length, "{n} ask put away, still waiting", "{n} asks put away, still waiting")}
        </button>
      </Show>
    </div>
  );
}

/** Prompts that the host has and the agent has not yet, with a way to take them back. */
function WaitingPrompts(props: {
  host: HostHere;
  open: OpenSession;
  withdraw: (prompt: Extract<Row, { kind: "prompt" }>["prompt"]) => void;
}) {
  const view = props.open.view.value;
  return (
    <Show when={(view.state?.prompts.length ?? 0) > 0}>
      <ul class="waiting-prompts" aria-label={t("Waiting prompts")}>
        <For each={view.state?.prompts ?? []}>
          {(prompt) => (
            <li data-state="accepted">
              <Icon name={prompt.delivery === "steer" ? "steer" : "clock"} small />
              <span class="cut" dir="auto">
                {visibleLine(prompt.preview)}
              </span>
              <span class="waiting-state">
                {prompt.delivery === "steer" ? t("accepted, into this turn") : t("accepted, next")}
              </span>
              <Show when={may(props.host, "prompt")}>
                <button type="button" class="button plain" onClick={() => props.withdraw(prompt.prompt)}>
                  {t("Withdraw")}
                </button>
              </Show>
            </li>
          )}
        </For>
      </ul>
    </Show>
  );
}

function SideTodo(props: { open: OpenSession }) {
  const todo = createMemo(() => {
    const rows = props.open.view.value.rows;
    const row = rows.length === 0 ? undefined : rows.findLast((one) => one.kind === "item" && one.item.kind === "todo");
    return row?.kind === "item" && row.item.kind === "todo" ? row : undefined;
  });
  return (
    <Show when={todo()}>
      {(row) => (
        <section>
          <h2 class="section-head">{t("To do")}</h2>
          <Todo bare item={row().item as Extract<Item, { kind: "todo" }>} />
        </section>
      )}
    </Show>
  );
}

/** Where a guest would write, if it might. */
function Watching(props: { host: HostHere }) {
  return (
    <Show when={props.host.view.connection.kind !== "refused"}>
      <p class="watching">
        <Icon name="eye" small />
        {may(props.host, "answer")
          ? t("You watch, and answer what is asked. Prompts were not shared with you.")
          : t("You watch. Nothing can be sent from here.")}
      </p>
    </Show>
  );
}

function Fresh(props: { prompts: boolean }) {
  return (
    <div class="empty session-fresh">
      <h2>{t("Ready")}</h2>
      <p>
        {props.prompts
          ? t("Say what the agent should do. It goes on when you close this page.")
          : t("Nothing was said yet. You see it here when it is.")}
      </p>
    </div>
  );
}

function Missing(props: { why: string }) {
  return (
    <div class="screen">
      <div class="empty">
        <h1>{t("This session cannot be shown")}</h1>
        <p>{props.why}</p>
        <A href="/sessions" class="button">
          {t("To the sessions")}
        </A>
      </div>
    </div>
  );
}
