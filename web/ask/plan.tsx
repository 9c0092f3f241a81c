/** A plan to read, to change, to start, or to send back. */
import type { Answer, Choice, PlanAsk } from "@flybridge/protocol/ask.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { Menu } from "../design/menu.tsx";
import { Markdown } from "../session/markdown.tsx";
import { t } from "../words.ts";
import { ChoiceItems } from "./approval.tsx";
import { Refuse } from "./refuse.tsx";

export function Plan(props: { ask: PlanAsk; busy: boolean; answer: (answer: Answer) => void }) {
  const [editing, setEditing] = createSignal(false);
  const [text, setText] = createSignal(props.ask.plan);
  const id = createUniqueId();
  const changed = (): boolean => text() !== props.ask.plan;
  const approve = (choice: Choice): void =>
    props.answer({ kind: "approve", choice: choice.choice, ...(changed() ? { edited: text() } : {}) });

  return (
    <>
      <div class="plan">
        <Show
          when={editing()}
          fallback={
            <div class="plan-text" tabindex="0" role="region" aria-label={t("Plan")}>
              <Markdown text={text()} />
            </div>
          }
        >
          <label class="unseen" for={id}>
            {t("Plan")}
          </label>
          <textarea
            id={id}
            class="field plan-field"
            dir="auto"
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </Show>
        <div class="plan-tools">
          <button
            type="button"
            class="button plain"
            aria-pressed={editing()}
            disabled={props.busy}
            onClick={() => setEditing(!editing())}
          >
            <Icon name={editing() ? "eye" : "pencil"} />
            {editing() ? t("Read") : t("Edit")}
          </button>
          <Show when={changed()}>
            <span class="dim">{t("Changed by you")}</span>
            <button type="button" class="button plain" onClick={() => setText(props.ask.plan)}>
              <Icon name="undo" />
              {t("As it was")}
            </button>
          </Show>
        </div>
      </div>
      <Refuse
        label={t("Send back")}
        hint={t("What should be different? The agent plans on.")}
        required
        busy={props.busy}
        send={(feedback) => props.answer({ kind: "revise", feedback })}
      >
        <div class="split">
          <Show when={props.ask.choices[0]}>
            {(choice) => (
              <button
                type="button"
                class="button signal"
                data-decide
                disabled={props.busy}
                onClick={() => approve(choice())}
              >
                {visible(choice().label)}
              </button>
            )}
          </Show>
          <Show when={props.ask.choices.length > 1}>
            <Menu
              label={t("Other ways to approve")}
              class="button signal split-more"
              disabled={props.busy}
              trigger={<Icon name="down" />}
            >
              <ChoiceItems choices={props.ask.choices.slice(1)} choose={approve} />
            </Menu>
          </Show>
        </div>
      </Refuse>
    </>
  );
}
