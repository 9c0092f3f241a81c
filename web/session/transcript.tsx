/**
 * The transcript: only what is near the screen is drawn. It follows the end while the reader is there; otherwise what
 * is new waits behind a pill, and what is being read does not move, neither for new lines nor for older pages.
 */
import type { OpenSession } from "@flybridge/client/replica.ts";
import type { Row } from "@flybridge/client/view.ts";
import type { IntentId } from "@flybridge/protocol/ids.ts";
import {
  createEffect,
  createMemo,
  createSignal,
  For,
  Match,
  on,
  onCleanup,
  onMount,
  Show,
  Switch,
  untrack,
} from "solid-js";
import { unwrap } from "solid-js/store";
import { Virtualizer } from "virtua/solid";
import type { HostHere } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { counted, t } from "../words.ts";
import { Explored, ItemLine, type ItemRow } from "./item-line.tsx";
import { isFolded, type Line, linesOf } from "./lines.ts";
import { AskLine, MarkLine, NoticeLine, PromptBubble, TurnLine } from "./row-line.tsx";

/** How near the end counts as being there, and how near the beginning loads the page before, in pixels. */
const END_PX = 48;
const OLDER_PX = 800;

export function Transcript(props: {
  host: HostHere;
  open: OpenSession;
  withdraw: (prompt: Extract<Row, { kind: "prompt" }>) => void;
}) {
  const view = props.open.view.value;
  const unfolded = new Set<string>();
  let byKey = new Map<string, Line>();
  const lines = createMemo<readonly Line[]>(() => {
    void view.rows.length;
    const made = linesOf(unwrap(view.rows), byKey);
    byKey = made.byKey;
    return made.lines;
  });
  const drawn = createMemo<readonly (Line | "outgoing")[]>(() =>
    view.outgoing.length > 0 ? [...lines(), "outgoing"] : lines(),
  );

  let scroller!: HTMLDivElement;
  const [following, setFollowing] = createSignal(true);
  const [fresh, setFresh] = createSignal(0);
  const [shift, setShift] = createSignal(false);

  const toEnd = (): void => {
    scroller.scrollTop = scroller.scrollHeight;
  };
  /** Each resize of the content keeps a follower at the end: streamed text grows lines without adding any. */
  const grown = new ResizeObserver(() => {
    if (untrack(following)) toEnd();
  });
  let content!: HTMLDivElement;
  onMount(() => {
    grown.observe(content);
    grown.observe(scroller);
  });
  onCleanup(() => grown.disconnect());

  createEffect(
    on(
      () => [drawn().length, keyOf(drawn()[0]), keyOf(drawn().at(-1))] as const,
      ([length, , last], before) => {
        if (untrack(following)) queueMicrotask(toEnd);
        else if (before && last !== before[2]) setFresh(untrack(fresh) + Math.max(1, length - before[0]));
      },
    ),
  );

  let touched = -Infinity;
  let lastTop = 0;
  const scrolled = (): void => {
    const left = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
    const up = scroller.scrollTop < lastTop - 1;
    lastTop = scroller.scrollTop;
    if (left <= END_PX) {
      setFollowing(true);
      setFresh(0);
    } else if (up && performance.now() - touched < 1_000) setFollowing(false);
    if (scroller.scrollTop < OLDER_PX && !following()) void older();
  };
  const touch = (): void => {
    touched = performance.now();
  };
  /** A short transcript has nothing to scroll: the page before is asked for until the screen is full. */
  const fill = (): void => {
    if (view.from > 1 && scroller.scrollHeight <= scroller.clientHeight + OLDER_PX / 2) void older();
  };
  let loading = false;
  const older = async (): Promise<void> => {
    if (loading || view.from <= 1) return;
    loading = true;
    setShift(true);
    try {
      await props.open.older();
    } finally {
      // The list must have drawn the page with `shift` before it is taken away.
      requestAnimationFrame(() => {
        setShift(false);
        loading = false;
      });
    }
  };
  createEffect(on([() => lines().length, () => view.from], () => requestAnimationFrame(fill)));

  const rowAt = (at: number | undefined): Row | undefined => (at === undefined ? undefined : view.rows[at]);

  /** While a turn runs, a prompt that waits for its end stands above the composer. */
  const waits = (prompt: Extract<Row, { kind: "prompt" }>): boolean =>
    view.state?.running !== undefined && view.state.prompts.some((one) => one.prompt === prompt.prompt);

  const DrawnLine = (own: { line: Line }) => {
    const { line } = own;
    // The line list is made anew when rows come; what this line draws changes only with its own rows.
    const ats = createMemo(() => (lines(), [...line.at]), undefined, { equals: sameNumbers });
    const under = createMemo(() => (lines(), [...line.under]), undefined, { equals: sameLines });
    const row = (): Row | undefined => rowAt(ats()[0]);
    return (
      <Show
        when={!isFolded(line.kind, ats().length)}
        fallback={<Explored id={line.key} unfolded={unfolded} rows={ats().map((at) => rowAt(at) as ItemRow)} />}
      >
        <Switch>
          <Match when={row()?.kind === "item" && (row() as ItemRow)} keyed>
            {(item) => (
              <ItemLine
                row={item}
                unfolded={unfolded}
                underCount={under().length}
                under={<For each={under()}>{(child) => <DrawnLine line={child} />}</For>}
              />
            )}
          </Match>
          <Match when={row()?.kind === "prompt" && (row() as Extract<Row, { kind: "prompt" }>)} keyed>
            {(prompt) => (
              <Show when={!waits(prompt)}>
                <PromptBubble row={prompt} host={props.host} session={view.session} />
              </Show>
            )}
          </Match>
          <Match when={row()?.kind === "ask" && (row() as Extract<Row, { kind: "ask" }>)} keyed>
            {(ask) => <AskLine row={ask} host={props.host} />}
          </Match>
          <Match when={row()?.kind === "turn" && (row() as Extract<Row, { kind: "turn" }>)} keyed>
            {(turn) => <TurnLine row={turn} />}
          </Match>
          <Match when={row()?.kind === "notice" && (row() as Extract<Row, { kind: "notice" }>)} keyed>
            {(notice) => <NoticeLine row={notice} />}
          </Match>
          <Match when={row()?.kind === "mark" && (row() as Extract<Row, { kind: "mark" }>)} keyed>
            {(mark) => <MarkLine row={mark} />}
          </Match>
        </Switch>
      </Show>
    );
  };

  return (
    <div class="transcript-frame">
      <div
        class="transcript"
        ref={scroller}
        tabindex="0"
        role="log"
        aria-label={t("Transcript")}
        aria-live="off"
        onScroll={scrolled}
        on:wheel={{ handleEvent: touch, passive: true }}
        on:touchmove={{ handleEvent: touch, passive: true }}
        onPointerDown={touch}
        onKeyDown={touch}
      >
        <div ref={content} class="transcript-content">
          <div class="transcript-top">
            <Show when={view.loadingOlder}>
              <p class="dim" role="status">
                {t("Loading what came before")}
              </p>
            </Show>
          </div>
          <Virtualizer scrollRef={scroller} data={drawn()} shift={shift()} bufferSize={300}>
            {(line) => (
              <div class="transcript-line">
                {line === "outgoing" ? (
                  <For each={view.outgoing}>
                    {(prompt) => (
                      <PromptBubble
                        row={prompt}
                        host={props.host}
                        session={view.session}
                        withdraw={prompt.state === "refused" ? undefined : () => props.withdraw(prompt)}
                        dismiss={
                          prompt.state === "refused"
                            ? () => props.host.replica.dismiss(prompt.prompt as string as IntentId)
                            : undefined
                        }
                      />
                    )}
                  </For>
                ) : (
                  <DrawnLine line={line} />
                )}
              </div>
            )}
          </Virtualizer>
        </div>
      </div>
      <Show when={!following()}>
        <button
          type="button"
          class="pill"
          onClick={() => {
            setFollowing(true);
            setFresh(0);
            toEnd();
          }}
        >
          <Icon name="arrowDown" small />
          {fresh() > 0 ? counted(fresh(), "{n} new", "{n} new") : t("To the end")}
        </button>
      </Show>
    </div>
  );
}

function keyOf(line: Line | "outgoing" | undefined): string | undefined {
  return typeof line === "object" ? line.key : line;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

function sameLines(a: readonly Line[], b: readonly Line[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}
