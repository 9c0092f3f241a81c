/** Questions as steps: options as large rows, own words beside them, a note, and what was chosen before sending. */
import type { Answer, Question, QuestionAsk, Reply } from "@flybridge/protocol/ask.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, For, Index, Show } from "solid-js";
import { createStore, produce } from "solid-js/store";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { counted, t } from "../words.ts";

interface Draft {
  picks: string[];
  text: string;
  note: string;
}

export function Questions(props: { ask: QuestionAsk; busy: boolean; answer: (answer: Answer) => void }) {
  const [step, setStep] = createSignal(0);
  const [drafts, setDrafts] = createStore<Draft[]>(props.ask.questions.map(() => ({ picks: [], text: "", note: "" })));
  const last = (): boolean => step() === props.ask.questions.length - 1;
  const answered = (at: number): boolean =>
    (drafts[at]?.picks.length ?? 0) > 0 ||
    (props.ask.questions[at]?.secret ? (drafts[at]?.text ?? "") : (drafts[at]?.text.trim() ?? "")) !== "";
  const any = (): boolean => drafts.some((_, at) => answered(at));
  const send = (): void => {
    const replies = props.ask.questions.flatMap((question, at) => replyOf(question, drafts[at]));
    props.answer({ kind: "replies", replies });
  };

  return (
    <div class="questions">
      <Show when={props.ask.questions.length > 1}>
        <div class="steps">
          <ol aria-hidden="true">
            <Index each={props.ask.questions}>
              {(_, at) => <li classList={{ here: at === step(), done: at !== step() && answered(at) }} />}
            </Index>
          </ol>
          <span class="num">{t("{n} of {all}", { n: step() + 1, all: props.ask.questions.length })}</span>
        </div>
      </Show>
      <For each={props.ask.questions}>
        {(question, at) => (
          <Show when={at() === step()}>
            <Step
              question={question}
              draft={drafts[at()]}
              change={(change) => setDrafts(at(), produce(change))}
              busy={props.busy}
            />
          </Show>
        )}
      </For>
      <div class="decide">
        <Show
          when={step() > 0}
          fallback={
            <button type="button" class="button" disabled={props.busy} onClick={() => props.answer({ kind: "deny" })}>
              {t("Skip")}
            </button>
          }
        >
          <button type="button" class="button" disabled={props.busy} onClick={() => setStep(step() - 1)}>
            {t("Back")}
          </button>
        </Show>
        <Show
          when={last()}
          fallback={
            <button type="button" class="button signal" disabled={props.busy} onClick={() => setStep(step() + 1)}>
              {t("Next")}
            </button>
          }
        >
          <button type="button" class="button signal" data-decide disabled={props.busy || !any()} onClick={send}>
            {t("Answer")}
          </button>
        </Show>
      </div>
    </div>
  );
}

function Step(props: {
  question: Question;
  draft: Draft | undefined;
  busy: boolean;
  change: (change: (draft: Draft) => void) => void;
}) {
  const id = createUniqueId();
  const [noting, setNoting] = createSignal(false);
  const picks = (): readonly string[] => props.draft?.picks ?? [];
  const pick = (label: string): void =>
    props.change((draft) => {
      const had = draft.picks.includes(label);
      if (props.question.many) draft.picks = had ? draft.picks.filter((one) => one !== label) : [...draft.picks, label];
      else {
        draft.picks = had ? [] : [label];
        draft.text = "";
      }
    });

  return (
    <fieldset disabled={props.busy}>
      <legend dir="auto">
        <span class="question-header">{visible(props.question.header)}</span>
        {visible(props.question.text)}
        <Show when={props.question.many}>
          <span class="question-count num" aria-live="polite">
            {picks().length === 0 ? t("Choose any") : counted(picks().length, "{n} chosen", "{n} chosen")}
          </span>
        </Show>
      </legend>
      <For each={props.question.options}>
        {(option) => (
          <label class="option" classList={{ chosen: picks().includes(option.label) }}>
            <input
              type={props.question.many ? "checkbox" : "radio"}
              name={id}
              checked={picks().includes(option.label)}
              onChange={() => pick(option.label)}
            />
            <span dir="auto">
              <span class="option-label">{visible(option.label)}</span>
              <Show when={option.detail}>{(detail) => <small>{visible(detail())}</small>}</Show>
            </span>
          </label>
        )}
      </For>
      <label class="unseen" for={`${id}-own`}>
        {t("In your own words")}
      </label>
      <Show
        when={props.question.secret}
        fallback={
          <textarea
            id={`${id}-own`}
            class="field"
            rows="1"
            dir="auto"
            placeholder={props.question.options.length > 0 ? t("Or in your own words") : t("Your answer")}
            value={props.draft?.text ?? ""}
            onInput={(event) =>
              props.change((draft) => {
                draft.text = event.currentTarget.value;
                if (!props.question.many && draft.text !== "") draft.picks = [];
              })
            }
          />
        }
      >
        <Secret
          id={`${id}-own`}
          value={props.draft?.text ?? ""}
          set={(text) => props.change((draft) => (draft.text = text))}
        />
      </Show>
      <Show
        when={!props.question.secret && (noting() || (props.draft?.note ?? "") !== "")}
        fallback={
          <Show when={!props.question.secret}>
            <button type="button" class="button plain note-open" onClick={() => setNoting(true)}>
              <Icon name="plus" />
              {t("Add a note")}
            </button>
          </Show>
        }
      >
        <label class="unseen" for={`${id}-note`}>
          {t("Note")}
        </label>
        <textarea
          id={`${id}-note`}
          ref={(field) => queueMicrotask(() => field.focus())}
          class="field"
          rows="1"
          dir="auto"
          placeholder={t("Note beside the answer")}
          value={props.draft?.note ?? ""}
          onInput={(event) => props.change((draft) => (draft.note = event.currentTarget.value))}
        />
      </Show>
    </fieldset>
  );
}

/** Nothing of it is shown unless asked for, and no keeper of passwords or words is to take it for one of its own. */
function Secret(props: { id: string; value: string; set: (text: string) => void }) {
  const [isShown, setShown] = createSignal(false);
  return (
    <>
      <div class="secret">
        <input
          id={props.id}
          class="field mono"
          type={isShown() ? "text" : "password"}
          autocomplete="off"
          autocorrect="off"
          autocapitalize="off"
          spellcheck={false}
          data-1p-ignore=""
          data-lpignore="true"
          placeholder={t("Your answer, not shown")}
          value={props.value}
          onInput={(event) => props.set(event.currentTarget.value)}
        />
        <button
          type="button"
          class="icon-button"
          aria-label={isShown() ? t("Hide what is typed") : t("Show what is typed")}
          title={isShown() ? t("Hide what is typed") : t("Show what is typed")}
          aria-pressed={isShown()}
          onClick={() => setShown(!isShown())}
        >
          <Icon name={isShown() ? "eyeOff" : "eye"} />
        </button>
      </div>
      <p class="secret-words dim">
        <Icon name="lock" small />
        {t("Goes to the program and is kept nowhere.")}
      </p>
    </>
  );
}

function replyOf(question: Question, draft: Draft | undefined): Reply[] {
  const [own, note] = [draft?.text ?? "", draft?.note.trim() ?? ""];
  // A space may be part of a password.
  const text = question.secret ? own : own.trim();
  const picks = draft ? [...draft.picks] : [];
  if (picks.length === 0 && text === "" && note === "") return [];
  return [{ question: question.question, picks, ...(text === "" ? {} : { text }), ...(note === "" ? {} : { note }) }];
}
