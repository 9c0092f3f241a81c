/** What the agent wants to do, whole and exactly, with what should not be overlooked marked. */
import type { Evidence as Shown } from "@flybridge/protocol/ask.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createMemo, For, Show } from "solid-js";
import { Icon, type IconName } from "../design/icon.tsx";
import { Edits } from "../session/diff.tsx";
import { t } from "../words.ts";
import { dangersIn, dangerWords, isOutside, type Piece, piecesOf } from "./danger.ts";

export function Evidence(props: { evidence: Shown; workspace: string }) {
  const base = (): string => props.evidence.directory ?? props.workspace;
  const command = createMemo(() =>
    props.evidence.command === undefined ? [] : piecesOf(props.evidence.command, props.workspace),
  );
  const url = createMemo<Piece[]>(() =>
    props.evidence.url === undefined ? [] : [{ text: props.evidence.url, danger: "network" }],
  );
  const dangers = createMemo(() => dangersIn([...command(), ...url()]));
  const strays = (): boolean => props.evidence.path !== undefined && isOutside(props.evidence.path, props.workspace);
  const bare = (): boolean =>
    props.evidence.command === undefined && props.evidence.edits.length === 0 && props.evidence.url === undefined;

  return (
    <div class="evidence">
      <Show when={props.evidence.purpose}>
        {(purpose) => (
          <p class="evidence-purpose" dir="auto">
            {visible(purpose())}
          </p>
        )}
      </Show>
      <Show when={props.evidence.command !== undefined}>
        <Marked label={t("Command")} pieces={command()} />
      </Show>
      <Show when={props.evidence.url !== undefined}>
        <Marked label={t("Address")} pieces={url()} />
      </Show>
      <Show when={dangers().length > 0}>
        <p class="evidence-dangers">
          <Icon name="shield" small />
          <span>
            <span class="unseen">{t("Look at:")} </span>
            {dangers().map(dangerWords).join(" · ")}
          </span>
        </p>
      </Show>
      <Edits edits={props.evidence.edits} />
      <Show when={bare()}>
        <Marked label={t("Input")} pieces={[{ text: pretty(props.evidence.input) }]} />
      </Show>
      <dl class="evidence-facts">
        <Show
          when={
            props.evidence.path !== undefined && props.evidence.edits.every((edit) => edit.path !== props.evidence.path)
          }
        >
          <Fact icon="read" label={t("File")} value={props.evidence.path ?? ""} stray={strays()} />
        </Show>
        <Show when={props.evidence.command !== undefined || props.evidence.directory !== undefined}>
          <Fact icon="folder" label={t("In")} value={base()} stray={isOutside(base(), props.workspace)} />
        </Show>
        <Show when={props.evidence.server}>
          {(server) => <Fact icon="host" label={t("Server")} value={server()} />}
        </Show>
        <Show when={props.evidence.reason}>
          {(reason) => <Fact icon="info" label={t("Why it asks")} value={reason()} words />}
        </Show>
      </dl>
      <Show when={!bare()}>
        <details class="evidence-input">
          <summary>{t("Exact input")}</summary>
          <pre class="evidence-box" tabindex="0" dir="ltr">
            {visible(pretty(props.evidence.input))}
          </pre>
        </details>
      </Show>
    </div>
  );
}

function Marked(props: { label: string; pieces: readonly Piece[] }) {
  return (
    <pre class="evidence-box" tabindex="0" role="region" aria-label={props.label} dir="ltr">
      <For each={props.pieces}>
        {(piece) => (
          <Show when={piece.danger} fallback={visible(piece.text)}>
            {(danger) => <mark title={dangerWords(danger())}>{visible(piece.text)}</mark>}
          </Show>
        )}
      </For>
    </pre>
  );
}

function Fact(props: { icon: IconName; label: string; value: string; stray?: boolean; words?: boolean }) {
  return (
    <div>
      <dt>
        <Icon name={props.icon} small />
        <span class="unseen">{props.label}</span>
      </dt>
      <dd classList={{ mono: props.words !== true }} dir={props.words ? "auto" : "ltr"}>
        <Show when={props.stray} fallback={visibleLine(props.value)}>
          <mark>{visibleLine(props.value)}</mark> <span class="evidence-stray">{t("outside the workspace")}</span>
        </Show>
      </dd>
    </div>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
