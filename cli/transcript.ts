/**
 * A session's transcript as it goes by: each row is printed once, words as they stream, tools when they begin and when
 * they end. Nothing that was printed is printed over, so that it reads the same in a terminal, a pipe and a log.
 */
import type { SessionView, Row } from "@flybridge/client/view.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { Item, ToolItem } from "@flybridge/protocol/item.ts";
import { shortened, visible, visibleLine } from "@flybridge/protocol/text.ts";
import { askLines, indented, settlementText } from "./ask.ts";
import type { Style } from "./terminal.ts";
import { span } from "./time.ts";

/** Lines of a finished tool's output that are shown: its last ones. */
const OUTPUT_LINES = 5;
/** Characters of a line that sums something up. */
const LINE_CHARS = 200;
/** What a mark's visibility may depend on before it (`visible` looks back so far). */
const CONTEXT_CHARS = 4;
/** An end that is read differently by what comes after it: half a surrogate pair, a joiner inside an emoji. */
const UNDECIDED = /\u200d?[\ud800-\udbff]$|\u200d$/u;

export interface Transcript {
  /** Prints what is new in the view. */
  show(view: Pick<SessionView, "rows">): void;
  /** Ends a line that words are still being added to. */
  breakLine(): void;
}

export interface TranscriptOptions {
  readonly write: (text: string) => void;
  readonly style: Style;
  readonly nameOf: (device: DeviceId) => string;
}

/** How much of a row has been printed. */
interface Progress {
  begun: boolean;
  chars: number;
  ended: boolean;
}

export function makeTranscript({ write, style, nameOf }: TranscriptOptions): Transcript {
  const progress = new Map<string, Progress>();
  /** Rows before this one are printed whole; `settledKey` is the last of them, to notice that rows were replaced. */
  let settled = 0;
  let settledKey: string | undefined;
  /** The row whose words are being added to the last line or after it. */
  let streaming: string | undefined;
  let freed = false;
  let midLine = false;

  const put = (text: string): void => {
    if (text === "") return;
    write(text);
    midLine = !text.endsWith("\n");
  };
  const breakLine = (): void => {
    if (midLine) put("\n");
  };
  const lines = (all: readonly string[]): void => {
    breakLine();
    put(all.map((line) => `${line}\n`).join(""));
  };

  const words = (key: string, item: Item, open: boolean, done: Progress): void => {
    if (streaming !== undefined && streaming !== key) return;
    if (streaming === undefined) breakLine();
    streaming = key;
    const { body } = item;
    const upTo = open ? body.length - (UNDECIDED.exec(body)?.[0].length ?? 0) : body.length;
    if (upTo > done.chars) {
      const before = body.slice(Math.max(0, done.chars - CONTEXT_CHARS), done.chars);
      put(visible(before + body.slice(done.chars, upTo)).slice(visible(before).length));
      done.chars = upTo;
    }
    if (open) return;
    breakLine();
    streaming = undefined;
    freed = true;
    done.ended = true;
  };

  const item = (row: Extract<Row, { kind: "item" }>, done: Progress): void => {
    if (row.item.kind === "words") return words(row.key, row.item, row.open, done);
    if (!done.begun && row.item.kind === "tool") lines([toolLine(row.item, style)]);
    done.begun = true;
    if (row.open) return;
    done.ended = true;
    if (row.item.kind === "tool") lines(toolEndLines(row.item, row.took, style));
    else if (row.item.kind === "thought") lines(thoughtLines(row.item.body, row.took, style));
    else if (row.item.kind === "prompt") lines(promptLines(row.item.body, "", style));
    else
      lines(
        row.item.steps.map(
          ({ text, state }) =>
            `  ${STEP_MARKS[state]} ${state === "done" ? style.dim(visibleLine(text)) : visibleLine(text)}`,
        ),
      );
  };

  const ask = (row: Extract<Row, { kind: "ask" }>, done: Progress): void => {
    if (!done.begun) lines(askLines(row.ask, style));
    done.begun = true;
    if (!row.settlement) return;
    lines([style.dim(`  └ ${settlementText(row.settlement, nameOf)}`)]);
    done.ended = true;
  };

  const one = (row: Row): boolean => {
    const done = progress.get(row.key) ?? { begun: false, chars: 0, ended: false };
    progress.set(row.key, done);
    if (done.ended) return true;
    switch (row.kind) {
      case "item":
        item(row, done);
        break;
      case "ask":
        ask(row, done);
        break;
      case "prompt":
      case "turn":
      case "notice":
      case "mark":
        lines(plainLines(row, style, nameOf));
        done.ended = true;
    }
    return done.ended;
  };

  return {
    breakLine,
    show({ rows }) {
      if (settled > 0 && rows[settled - 1]?.key !== settledKey) settled = 0;
      if (streaming !== undefined && !rows.slice(settled).some(({ key }) => key === streaming)) streaming = undefined;
      do {
        freed = false;
        let isWhole = true;
        for (const row of rows.slice(settled)) {
          isWhole = one(row) && isWhole;
          if (!isWhole) continue;
          settled++;
          settledKey = row.key;
        }
        // Words that waited for their line have it now.
      } while (freed);
    },
  };
}

function promptLines(text: string, by: string, style: Style): string[] {
  const [first = "", ...more] = indented(text, "› ");
  return ["", `${style.bold(first)}${by}`, ...more.map((line) => style.bold(line))];
}

function plainLines(
  row: Extract<Row, { kind: "prompt" | "turn" | "notice" | "mark" }>,
  style: Style,
  nameOf: (device: DeviceId) => string,
): string[] {
  switch (row.kind) {
    case "prompt":
      return [
        ...promptLines(row.text, row.by === undefined ? "" : style.dim(`  ${nameOf(row.by)}`), style),
        ...(row.attachments ?? []).map(({ name, size }) =>
          style.dim(`  + ${visibleLine(name)} (${Math.ceil(size / 1_000)} kB)`),
        ),
      ];
    case "turn": {
      const took = row.took === undefined ? [] : [span(row.took)];
      const tokens = row.usage === undefined ? [] : [`${row.usage.input + row.usage.output + row.usage.cached} tokens`];
      const dollars = row.usage?.dollars === undefined ? [] : [`$${row.usage.dollars.toFixed(2)}`];
      const text = [row.outcome, ...took, ...tokens, ...dollars].join(" · ");
      const detail = row.detail === undefined ? [] : indented(row.detail);
      return [row.outcome === "failed" ? style.bad(`── ${text}`) : style.dim(`── ${text}`), ...detail];
    }
    case "notice": {
      const [first = "", ...more] = indented(row.text, "! ");
      return [
        row.level === "error" ? style.bad(first) : row.level === "warning" ? style.bold(first) : style.dim(first),
        ...more,
      ];
    }
    case "mark":
      return [style.dim(`— ${markText(row.fact, nameOf)}`)];
  }
}

function markText(fact: Extract<Row, { kind: "mark" }>["fact"], nameOf: (device: DeviceId) => string): string {
  switch (fact.kind) {
    case "agent.started":
      return `agent started, process ${fact.pid}`;
    case "agent.ended": {
      const how =
        fact.signal !== null
          ? `signal ${visibleLine(fact.signal)}`
          : fact.code === null
            ? "no exit code"
            : `exit ${fact.code}`;
      return `agent ${fact.cause} (${how})${fact.detail === undefined ? "" : `: ${shortened(visibleLine(fact.detail), LINE_CHARS)}`}`;
    }
    case "session.configured": {
      const changes = [
        fact.model && `model ${fact.model}`,
        fact.mode && `mode ${fact.mode}`,
        fact.title && `title ${fact.title}`,
      ];
      return `${visibleLine(changes.filter(Boolean).join(", "))} set by ${nameOf(fact.by)}`;
    }
    case "session.stopped":
      return `stopped by ${nameOf(fact.by)}`;
    case "session.resumed":
      return `resumed by ${nameOf(fact.by)}`;
    case "interrupt.asked":
      return `interrupted by ${nameOf(fact.by)}`;
  }
}

function toolLine({ tool, parent }: ToolItem, style: Style): string {
  return `${parent === undefined ? "" : "  "}● ${style.bold(visibleLine(tool.name))} ${shortened(visibleLine(tool.object), LINE_CHARS)}`;
}

function toolEndLines({ tool, body }: ToolItem, took: number | undefined, style: Style): string[] {
  const output = visible(body)
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "");
  const hidden = output.length - OUTPUT_LINES;
  const exit = tool.exit === undefined ? "" : `, exit ${tool.exit}`;
  const state = `  └ ${visibleLine(tool.name)} ${tool.state}${exit}${took === undefined ? "" : ` · ${span(took)}`}`;
  return [
    ...tool.edits.map(
      ({ path, added, removed }) => `  │ ${visibleLine(path)} ${style.good(`+${added}`)} ${style.bad(`−${removed}`)}`,
    ),
    ...(hidden > 0 ? [style.dim(`  │ … ${hidden} more lines`)] : []),
    ...output.slice(-OUTPUT_LINES).map((line) => style.dim(`  │ ${shortened(line, LINE_CHARS)}`)),
    tool.state === "failed" || tool.state === "refused" ? style.bad(state) : style.dim(state),
  ];
}

function thoughtLines(body: string, took: number | undefined, style: Style): string[] {
  const first = shortened(visibleLine(body.slice(0, LINE_CHARS * 2)), LINE_CHARS);
  return [style.dim(`∙ thought${took === undefined ? "" : ` ${span(took)}`}${first === "" ? "" : `: ${first}`}`)];
}

const STEP_MARKS = { open: "☐", doing: "◐", done: "☑" } as const;
