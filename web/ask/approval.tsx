/** The decision on an approval: once, one of the wider choices spelled out, or no, with a reason in place. */
import type { Answer, ApprovalAsk, Choice } from "@flybridge/protocol/ask.ts";
import { RULE_CHOICES } from "@flybridge/protocol/rule.ts";
import { createMemo, For, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { Menu, MenuItem } from "../design/menu.tsx";
import { t } from "../words.ts";
import { shortened, visible, visibleLine } from "@flybridge/protocol/text.ts";
import { Evidence } from "./evidence.tsx";
import { Refuse } from "./refuse.tsx";

/** Characters of a request in the menu. */
const REQUEST_CHARS = 160;

export function Approval(props: {
  ask: ApprovalAsk;
  workspace: string;
  /** The name of the agent, whose own ways to allow are its own. */
  agent: string;
  busy: boolean;
  answer: (answer: Answer) => void;
}) {
  const first = createMemo(() => props.ask.choices.find((one) => one.scope === "once") ?? props.ask.choices[0]);
  const others = createMemo(() => props.ask.choices.filter((one) => one !== first() && !isRule(one)));
  const rules = createMemo(() => props.ask.choices.filter(isRule));
  /** A dialog on a screen takes a no, and no words with it. */
  const isTyped = (): boolean => props.ask.source === "screen";
  const allow = (choice: Choice): void => props.answer({ kind: "allow", choice: choice.choice });
  return (
    <>
      <Evidence evidence={props.ask.evidence} workspace={props.workspace} />
      <Refuse
        label={t("Deny")}
        hint={isTyped() ? undefined : t("Reason (optional): the agent reads it and goes on")}
        busy={props.busy}
        send={(reason) => props.answer(reason === "" ? { kind: "deny" } : { kind: "deny", reason })}
      >
        <div class="split">
          <Show when={first()}>
            {(choice) => (
              <button
                type="button"
                class="button signal"
                data-decide
                disabled={props.busy}
                onClick={() => allow(choice())}
              >
                {visible(choice().label)}
              </button>
            )}
          </Show>
          <Show when={others().length + rules().length > 0}>
            <Menu
              label={t("Other ways to allow")}
              class="button signal split-more"
              disabled={props.busy}
              trigger={<Icon name="down" />}
            >
              <Show when={others().length > 0 && rules().length > 0}>
                <p class="menu-head">{t("What {agent} offers", { agent: props.agent })}</p>
              </Show>
              <ChoiceItems choices={others()} choose={allow} />
              <Show when={rules().length > 0}>
                <p class="menu-head" classList={{ apart: others().length > 0 }}>
                  {t("Exactly this request")}
                </p>
                <p class="menu-request mono" dir="ltr">
                  {requestOf(props.ask)}
                </p>
              </Show>
              <ChoiceItems choices={rules()} choose={allow} />
            </Menu>
          </Show>
        </div>
      </Refuse>
    </>
  );
}

/** The menu may lie over the evidence: what is allowed for longer is said in it once more. */
function requestOf({ evidence }: ApprovalAsk): string {
  const { command, path, url, input } = evidence;
  return shortened(visibleLine((command ?? path ?? url ?? input).slice(0, 2 * REQUEST_CHARS)), REQUEST_CHARS);
}

/** Made and kept by the host, not by the agent. */
function isRule({ choice }: Choice): boolean {
  return choice === RULE_CHOICES.session || choice === RULE_CHOICES.always;
}

/** Choices that outlive the ask, each with what it permits from now on. */
export function ChoiceItems(props: { choices: readonly Choice[]; choose: (choice: Choice) => void }) {
  return (
    <For each={props.choices}>
      {(choice) => (
        <MenuItem onChoose={() => props.choose(choice)}>
          <Icon name={choice.scope === "always" ? "lock" : choice.scope === "session" ? "clock" : "check"} />
          <span>
            {visible(choice.label)}
            <Show when={choice.detail ?? scopeWords(choice)}>{(detail) => <small>{visible(detail())}</small>}</Show>
          </span>
        </MenuItem>
      )}
    </For>
  );
}

function scopeWords(choice: Choice): string | undefined {
  switch (choice.scope) {
    case "once":
      return undefined;
    case "session":
      return t("Until this session ends.");
    case "always":
      return t("From now on, in every session. Kept until you take it back.");
  }
}
