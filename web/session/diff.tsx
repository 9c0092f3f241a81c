/** Edits as diffs: one block per file, with counts, lines that scroll sideways in their own box, and a cap on lines. */
import type { Edit } from "@flybridge/protocol/item.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, createSignal, For, Show } from "solid-js";
import { counted, t } from "../words.ts";
import { CopyButton } from "../design/copy.tsx";
import { Icon } from "../design/icon.tsx";
import "./diff.css";

/** Lines of one diff that are shown before a person asks for the rest, and that are ever shown at once. */
const FIRST_LINES = 60;
const MAX_LINES = 4_000;

interface Line {
  kind: "hunk" | "added" | "removed" | "same";
  text: string;
  number: string;
}

export function Edits(props: { edits: readonly Edit[]; open?: boolean }) {
  return <For each={props.edits}>{(edit) => <Diff edit={edit} />}</For>;
}

export function Counts(props: { edits: readonly Edit[] }) {
  const sum = (side: "added" | "removed"): number => props.edits.reduce((total, edit) => total + edit[side], 0);
  return (
    <span class="counts num">
      <span class="counts-added" aria-label={counted(sum("added"), "{n} line added", "{n} lines added")}>
        +{sum("added")}
      </span>
      <span class="counts-removed" aria-label={counted(sum("removed"), "{n} line removed", "{n} lines removed")}>
        −{sum("removed")}
      </span>
    </span>
  );
}

export function Diff(props: { edit: Edit }) {
  const lines = createMemo(() => linesOf(props.edit.diff));
  const [limit, setLimit] = createSignal(FIRST_LINES);
  return (
    <figure class="diff">
      <figcaption>
        <Icon name="edit" small />
        <bdi class="diff-path mono" dir="ltr">
          {visibleLine(props.edit.path)}
        </bdi>
        <Counts edits={[props.edit]} />
        <CopyButton text={() => props.edit.diff} label={t("Copy the diff")} />
      </figcaption>
      <div
        class="diff-lines"
        tabindex="0"
        role="region"
        aria-label={t("Changes to {path}", { path: visibleLine(props.edit.path) })}
      >
        <div class="diff-sheet" dir="ltr">
          <For each={lines().slice(0, limit())}>
            {(line) => (
              <div class={`diff-line ${line.kind}`}>
                <span class="diff-number" aria-hidden="true">
                  {line.number}
                </span>
                <span class="diff-sign">{SIGNS[line.kind]}</span>
                <span>{visible(line.text)}</span>
              </div>
            )}
          </For>
        </div>
      </div>
      <Show when={lines().length > limit()}>
        <button type="button" class="button plain wide" onClick={() => setLimit(MAX_LINES)}>
          {counted(lines().length - limit(), "Show {n} more line", "Show {n} more lines")}
        </button>
      </Show>
    </figure>
  );
}

const SIGNS = { hunk: "", added: "+", removed: "−", same: "" } as const;

function linesOf(diff: string): Line[] {
  let before = 0;
  let after = 0;
  const lines: Line[] = [];
  for (const raw of diff.split("\n").slice(0, MAX_LINES)) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/u.exec(raw);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      lines.push({ kind: "hunk", text: (hunk[3] ?? "").trim() || "⋯", number: "" });
    } else if (raw.startsWith("+")) lines.push({ kind: "added", text: raw.slice(1), number: String(after++) });
    else if (raw.startsWith("-")) lines.push({ kind: "removed", text: raw.slice(1), number: String(before++) });
    else if (raw !== "" && !raw.startsWith("\\")) {
      before++;
      lines.push({ kind: "same", text: raw.slice(1), number: String(after++) });
    }
  }
  return lines;
}
