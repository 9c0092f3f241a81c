/** What is shared of a session, in words, and for how long. */
import type { Verb } from "@flybridge/protocol/grant.ts";
import { createSignal, createUniqueId, For, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import { may } from "./grant.ts";
import { levelsOf, LIVES, USUAL_LIFE_MS } from "./level.ts";

export function ShareChoice(props: {
  host: HostHere;
  isTerminal: boolean;
  fault: string | undefined;
  make: (verbs: readonly Verb[], life: number) => void;
}) {
  const id = createUniqueId();
  const levels = levelsOf(props.isTerminal, (verb) => may(props.host, verb));
  const [level, setLevel] = createSignal(levels[0]);
  const [life, setLife] = createSignal(USUAL_LIFE_MS);
  const [finds, setFinds] = createSignal(false);
  const [passes, setPasses] = createSignal(false);
  const prompts = (): boolean => level()?.verbs.includes("prompt") === true;
  const live = (): boolean => props.host.view.connection.kind === "live";
  const verbs = (): Verb[] => [
    ...(level()?.verbs ?? []),
    ...(prompts() && finds() ? (["files"] as const) : []),
    ...(passes() ? (["share"] as const) : []),
  ];
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        props.make(verbs(), life());
      }}
    >
      <fieldset>
        <legend class="label">{t("What the other device may do")}</legend>
        <For each={levels}>
          {(one) => (
            <label class="option" classList={{ chosen: level() === one }}>
              <input type="radio" name={`${id}-level`} checked={level() === one} onChange={() => setLevel(one)} />
              <span>
                <span class="option-label">{one.label}</span>
                <Show when={one.verbs.includes("input")} fallback={<small>{one.detail}</small>}>
                  <small class="option-problem">
                    <Icon name="alert" small /> <span>{one.detail}</span>
                  </small>
                </Show>
              </span>
            </label>
          )}
        </For>
        <Show when={prompts() && may(props.host, "files")}>
          <Extra
            label={t("Find files by name")}
            detail={t("Their names in the session's folder, to be mentioned in a prompt.")}
            checked={finds()}
            set={setFinds}
          />
        </Show>
        <Extra
          label={t("Pass it on")}
          detail={t("The same or less, and no longer. It ends with the one it came from.")}
          checked={passes()}
          set={setPasses}
        />
      </fieldset>
      <fieldset>
        <legend class="label" id={`${id}-life`}>
          {t("For how long")}
        </legend>
        <div class="segments share-lives" role="radiogroup" aria-labelledby={`${id}-life`}>
          <For each={LIVES}>
            {({ ms, label }) => (
              <button type="button" role="radio" aria-checked={life() === ms} onClick={() => setLife(ms)}>
                {label()}
              </button>
            )}
          </For>
        </div>
        <p class="dim share-ends">{t("It ends earlier when the session ends, or when you cut the device off.")}</p>
      </fieldset>
      <Fault why={props.fault} />
      <button type="submit" class="button strong wide" disabled={!live()}>
        <Icon name="qr" />
        {t("Make a code")}
      </button>
    </form>
  );
}

function Extra(props: { label: string; detail: string; checked: boolean; set: (checked: boolean) => void }) {
  return (
    <label class="option" classList={{ chosen: props.checked }}>
      <input type="checkbox" checked={props.checked} onChange={(event) => props.set(event.currentTarget.checked)} />
      <span>
        <span class="option-label">{props.label}</span>
        <small>{props.detail}</small>
      </span>
    </label>
  );
}
