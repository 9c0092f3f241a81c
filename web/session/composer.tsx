/** Where prompts are written: grows with the text, keeps a draft, queues or steers while a turn runs, stops the turn. */
import type { Delivery } from "@flybridge/protocol/entry.ts";
import { MAX_PROMPT_CHARS } from "@flybridge/protocol/limits.ts";
import { createEffect, createSignal, createUniqueId, on, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";

export function Composer(props: {
  session: string;
  running: boolean;
  ended: boolean;
  offline: boolean;
  hostName: string;
  send: (text: string, delivery: Delivery) => void;
  stop: () => void;
  resume: () => void;
}) {
  const id = createUniqueId();
  const key = (): string => `flybridge.draft.${props.session}`;
  const [text, setText] = createSignal(localStorage.getItem(key()) ?? "");
  const [delivery, setDelivery] = createSignal<Delivery>("queue");
  let field!: HTMLTextAreaElement;
  createEffect(
    on(
      text,
      (now) => {
        if (now === "") localStorage.removeItem(key());
        else if (now.length < 100_000) localStorage.setItem(key(), now);
      },
      { defer: true },
    ),
  );
  const ready = (): boolean => text().trim() !== "" && text().length <= MAX_PROMPT_CHARS && !props.ended;
  const send = (): void => {
    if (!ready()) return;
    props.send(text().trim(), props.running ? delivery() : "queue");
    setText("");
    field.focus();
  };
  const placeholder = (): string => {
    if (props.offline) return t("Prompt, sent when {host} is back", { host: props.hostName });
    if (!props.running) return t("Prompt");
    return delivery() === "steer" ? t("Say something into this turn") : t("Next prompt, after this turn");
  };
  /** A real keyboard sends with Enter; on a touch keyboard Enter is a new line. */
  const entersSend = (): boolean => matchMedia("(hover: hover) and (pointer: fine)").matches;

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Show
        when={!props.ended}
        fallback={
          <div class="composer-ended">
            <span class="dim">{t("This session has ended.")}</span>
            <button type="button" class="button strong" onClick={() => props.resume()}>
              <Icon name="play" />
              {t("Resume")}
            </button>
          </div>
        }
      >
        <div class="composer-box">
          <label class="unseen" for={id}>
            {t("Prompt")}
          </label>
          <textarea
            id={id}
            ref={field}
            data-composer
            rows="1"
            dir="auto"
            enterkeyhint={entersSend() ? "send" : "enter"}
            placeholder={placeholder()}
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.isComposing) return;
              const plain = !event.shiftKey && !event.altKey && entersSend();
              if (!plain && !event.metaKey && !event.ctrlKey) return;
              event.preventDefault();
              send();
            }}
          />
          <div class="composer-row">
            <Show when={props.running}>
              <div class="segments" role="radiogroup" aria-label={t("When the agent gets it")}>
                <button
                  type="button"
                  role="radio"
                  aria-checked={delivery() === "queue"}
                  onClick={() => setDelivery("queue")}
                >
                  {t("Queue")}
                </button>
                <button
                  type="button"
                  role="radio"
                  aria-checked={delivery() === "steer"}
                  onClick={() => setDelivery("steer")}
                >
                  {t("Steer")}
                </button>
              </div>
            </Show>
            <span class="composer-gap" />
            <Show when={props.running}>
              <button
                type="button"
                class="composer-button stop"
                aria-label={t("Stop the turn")}
                title={t("Stop the turn")}
                onClick={() => props.stop()}
              >
                <Icon name="stop" />
              </button>
            </Show>
            <button
              type="submit"
              class="composer-button send"
              aria-label={t("Send")}
              title={t("Send")}
              disabled={!ready()}
            >
              <Icon name="arrowUp" />
            </button>
          </div>
        </div>
      </Show>
    </form>
  );
}
