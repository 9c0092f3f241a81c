/** One item of the agent: words on the page, a thought that unfolds, a tool as a single line, a todo list. */
import type { Row } from "@flybridge/client/view.ts";
import type { Item, ToolItem } from "@flybridge/protocol/item.ts";
import { shortened, visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, For, type JSX, Match, Show, Switch } from "solid-js";
import { CopyButton } from "../design/copy.tsx";
import { Icon, type IconName } from "../design/icon.tsx";
import { clock, now, took } from "../design/time.ts";
import { counted, t } from "../words.ts";
import { Counts, Edits } from "./diff.tsx";
import { Markdown } from "./markdown.tsx";

export type ItemRow = Extract<Row, { kind: "item" }>;

/** Lines of a running command that show without unfolding, and of its output once unfolded. */
const LIVE_LINES = 4;
const OUTPUT_LINES = 400;
/** Characters of a thought's beginning. */
const THOUGHT_CHARS = 90;

export function ItemLine(props: { row: ItemRow; unfolded: Set<string>; under: JSX.Element; underCount: number }) {
  return (
    <Switch>
      <Match when={props.row.item.kind === "words"}>
        <Words row={props.row} />
      </Match>
      <Match when={props.row.item.kind === "thought"}>
        <Thought row={props.row} unfolded={props.unfolded} />
      </Match>
      <Match when={props.row.item.kind === "todo" && (props.row.item as TodoOf)}>
        {(item) => <Todo item={item()} />}
      </Match>
      <Match when={props.row.item.kind === "prompt"}>
        <div class="prompt">
          <div class="prompt-bubble" dir="auto">
            {visible(props.row.item.body)}
          </div>
        </div>
      </Match>
      <Match when={props.row.item.kind === "tool"}>
        <Tool row={props.row} unfolded={props.unfolded} under={props.under} underCount={props.underCount} />
      </Match>
    </Switch>
  );
}

function Words(props: { row: ItemRow }) {
  const [timed, setTimed] = createSignal(false);
  return (
    <div
      class="words"
      classList={{ open: props.row.open }}
      onClick={(event) => {
        if (!(event.target as Element).closest("a, button, pre") && getSelection()?.isCollapsed) setTimed(!timed());
      }}
    >
      <Markdown text={props.row.item.body} open={props.row.open} />
      <div class="words-tools" classList={{ shown: timed() }}>
        <time class="num dim">{clock(props.row.at)}</time>
        <CopyButton text={() => props.row.item.body} label={t("Copy these words")} />
      </div>
    </div>
  );
}

function Thought(props: { row: ItemRow; unfolded: Set<string> }) {
  const [open, toggle] = makeUnfold(props.unfolded, () => props.row.key);
  const first = (): string =>
    shortened(visibleLine(props.row.item.body.slice(-2 * THOUGHT_CHARS).replaceAll(/[*_#`]/gu, "")), THOUGHT_CHARS);
  return (
    <div class="thought">
      <button type="button" class="line" aria-expanded={open()} onClick={toggle}>
        <Icon name="think" />
        <span class="line-verb">
          {props.row.open
            ? t("Thinking")
            : props.row.took === undefined
              ? t("Thought")
              : t("Thought for {time}", { time: took(props.row.took) })}
        </span>
        <Show when={props.row.open && !open()}>
          <span class="line-object cut" dir="auto">
            {first()}
          </span>
        </Show>
        <Chevron open={open()} />
      </button>
      <Show when={open()}>
        <Markdown class="thought-text" text={props.row.item.body} open={props.row.open} />
      </Show>
    </div>
  );
}

type TodoOf = Extract<Item, { kind: "todo" }>;

export function Todo(props: { item: TodoOf; bare?: boolean }) {
  const done = (): number => props.item.steps.filter((step) => step.state === "done").length;
  return (
    <div class="todo" role="group" classList={{ bare: props.bare === true }} aria-label={t("Todo list")}>
      <Show when={!props.bare}>
        <p class="todo-head">
          <Icon name="list" />
          <span>{t("To do")}</span>
          <span class="num dim">{t("{done} of {all}", { done: done(), all: props.item.steps.length })}</span>
        </p>
      </Show>
      <ol>
        <For each={props.item.steps}>
          {(step) => (
            <li class={step.state}>
              <span class="todo-mark">
                <Show when={step.state === "done"}>
                  <Icon name="check" small />
                </Show>
              </span>
              <span dir="auto">
                {visible(step.text)}
                <span class="unseen">
                  , {step.state === "done" ? t("done") : step.state === "doing" ? t("doing now") : t("open")}
                </span>
              </span>
            </li>
          )}
        </For>
      </ol>
    </div>
  );
}

function Tool(props: { row: ItemRow; unfolded: Set<string>; under: JSX.Element; underCount: number }) {
  const item = (): ToolItem => props.row.item as ToolItem;
  const tool = (): ToolItem["tool"] => item().tool;
  const [open, toggle] = makeUnfold(props.unfolded, () => props.row.key);
  const running = (): boolean => tool().state === "running";
  const live = (): string => lastLines(item().body, LIVE_LINES);
  return (
    <div class="tool" classList={{ failed: tool().state === "failed" || tool().state === "refused" }}>
      <button type="button" class="line" aria-expanded={open()} onClick={toggle}>
        <Icon name={TOOL_ICONS[tool().kind]} />
        <span class="line-verb">{verbOf(tool())}</span>
        <bdi class="line-object mono cut" dir="ltr" title={visibleLine(tool().object)}>
          {visibleLine(tool().object)}
        </bdi>
        <Show when={tool().edits.length > 0}>
          <Counts edits={tool().edits} />
        </Show>
        <Show when={props.underCount > 0}>
          <span class="line-count num">{counted(props.underCount, "{n} step", "{n} steps")}</span>
        </Show>
        <ToolState row={props.row} />
        <Chevron open={open()} />
      </button>
      <Show when={!open() && running() && tool().kind === "command" && live() !== ""}>
        <pre class="tool-live" dir="ltr">
          {visible(live())}
        </pre>
      </Show>
      <Show when={open()}>
        <div class="tool-inside">
          <Show when={tool().kind === "command" || tool().edits.length === 0}>
            <div class="tool-block">
              <pre class="tool-input" tabindex="0" role="region" aria-label={t("Input")} dir="ltr">
                {visible(inputOf(tool()))}
              </pre>
              <CopyButton text={() => inputOf(tool())} label={t("Copy the input")} />
            </div>
          </Show>
          <Edits edits={tool().edits} />
          <Show when={props.underCount > 0}>
            <div class="tool-under">{props.under}</div>
          </Show>
          <Show when={item().body !== ""}>
            <div class="tool-block">
              <pre class="tool-output" tabindex="0" role="region" aria-label={t("Output")} dir="ltr">
                {visible(lastLines(item().body, OUTPUT_LINES))}
              </pre>
              <CopyButton text={() => item().body} label={t("Copy the output")} />
            </div>
          </Show>
          <p class="tool-facts dim num">
            {visibleLine(tool().name)} · {clock(props.row.at)}
            <Show when={tool().exit !== undefined}> · {t("exit {code}", { code: tool().exit ?? 0 })}</Show>
          </p>
        </div>
      </Show>
    </div>
  );
}

function ToolState(props: { row: ItemRow }) {
  const tool = (): ToolItem["tool"] => (props.row.item as ToolItem).tool;
  return (
    <span class="line-state num">
      <Switch>
        <Match when={tool().state === "running"}>
          <span class="live-dot" aria-hidden="true" />
          {took(Math.max(0, now() - props.row.at))}
          <span class="unseen">, {t("running")}</span>
        </Match>
        <Match when={tool().state === "refused"}>{t("denied")}</Match>
        <Match when={tool().state === "failed"}>
          <Icon name="fail" small />
          {tool().exit === undefined ? t("failed") : t("exit {code}", { code: tool().exit ?? 1 })}
        </Match>
        <Match when={props.row.took !== undefined && (props.row.took ?? 0) >= 100}>{took(props.row.took ?? 0)}</Match>
      </Switch>
    </span>
  );
}

/** Consecutive reads and searches, folded into one line. */
export function Explored(props: { rows: readonly ItemRow[]; id: string; unfolded: Set<string> }) {
  const [open, toggle] = makeUnfold(props.unfolded, () => props.id);
  const of = (kind: string): number => props.rows.filter((row) => (row.item as ToolItem).tool.kind === kind).length;
  const sum = (): string => {
    const parts = [
      of("read") > 0 ? counted(of("read"), "{n} file", "{n} files") : "",
      of("search") > 0 ? counted(of("search"), "{n} search", "{n} searches") : "",
      of("list") > 0 ? counted(of("list"), "{n} folder", "{n} folders") : "",
    ];
    return parts.filter(Boolean).join(", ");
  };
  const running = (): boolean => props.rows.some((row) => row.open);
  return (
    <div class="tool explored">
      <button type="button" class="line" aria-expanded={open()} onClick={toggle}>
        <Icon name="search" />
        <span class="line-verb">{running() ? t("Exploring") : t("Explored")}</span>
        <span class="line-object">{sum()}</span>
        <Show when={running()}>
          <span class="line-state">
            <span class="live-dot" aria-hidden="true" />
          </span>
        </Show>
        <Chevron open={open()} />
      </button>
      <Show when={open()}>
        <div class="tool-under">
          <For each={props.rows}>
            {(row) => <Tool row={row} unfolded={props.unfolded} under={null} underCount={0} />}
          </For>
        </div>
      </Show>
    </div>
  );
}

function Chevron(props: { open: boolean }) {
  return (
    <span class="chevron" classList={{ open: props.open }}>
      <Icon name="chevron" small />
    </span>
  );
}

/** What a person unfolded stays so when the line leaves the screen and comes back. */
function makeUnfold(unfolded: Set<string>, key: () => string): [() => boolean, () => void] {
  const [open, setOpen] = createSignal(unfolded.has(key()));
  const toggle = (): void => {
    setOpen(!open());
    if (open()) unfolded.add(key());
    else unfolded.delete(key());
  };
  return [open, toggle];
}

const TOOL_ICONS: Record<ToolItem["tool"]["kind"], IconName> = {
  command: "terminal",
  read: "read",
  search: "search",
  edit: "edit",
  fetch: "fetch",
  agent: "bot",
  list: "folder",
  other: "tool",
};

function verbOf(tool: ToolItem["tool"]): string {
  const running = tool.state === "running";
  switch (tool.kind) {
    case "command":
      return running ? t("Runs") : t("Ran");
    case "read":
      return running ? t("Reads") : t("Read");
    case "search":
      return running ? t("Searches") : t("Searched");
    case "edit":
      return running ? t("Edits") : t("Edited");
    case "fetch":
      return running ? t("Opens") : t("Opened");
    case "agent":
      return running ? t("Delegates") : t("Delegated");
    case "list":
      return running ? t("Lists") : t("Listed");
    case "other":
      return shortened(visibleLine(tool.name), 40);
  }
}

function inputOf(tool: ToolItem["tool"]): string {
  try {
    const input: unknown = JSON.parse(tool.input);
    if (tool.kind === "command" && typeof input === "object" && input !== null && "command" in input)
      return String(input.command);
    return JSON.stringify(input, null, 2);
  } catch {
    return tool.input;
  }
}

function lastLines(text: string, count: number): string {
  const lines = text.trimEnd().split("\n");
  return lines.length <= count ? lines.join("\n") : `⋯\n${lines.slice(-count).join("\n")}`;
}
