/** Where prompts are written: grows with the text, keeps a draft, queues or steers while a turn runs, stops the turn. */
import type { AgentCommand, AgentInfo } from "@flybridge/protocol/agent.ts";
import type { Upload } from "@flybridge/protocol/attachment.ts";
import type { Delivery } from "@flybridge/protocol/entry.ts";
import { MAX_PROMPT_CHARS } from "@flybridge/protocol/limits.ts";
import { createEffect, createSignal, createUniqueId, on, Show } from "solid-js";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import { AttachButton, takeDrops, TrayList, trayOf } from "./attachments.tsx";
import { PromptField } from "./prompt-field.tsx";

export function Composer(props: {
  session: string;
  running: boolean;
  ended: boolean;
  offline: boolean;
  hostName: string;
  /** What the agent takes beside words. */
  takes: AgentInfo["attaches"];
  commands: readonly AgentCommand[] | undefined;
  find: (text: string) => Promise<readonly string[]>;
  send: (text: string, delivery: Delivery, attachments: Upload[]) => void;
  stop: () => void;
  resume: () => void;
}) {
  const id = createUniqueId();
  const key = (): string => `flybridge.draft.${props.session}`;
  const [text, setText] = createSignal(localStorage.getItem(key()) ?? "");
  const [delivery, setDelivery] = createSignal<Delivery>("queue");
  const tray = trayOf(props.session);
  let field!: HTMLTextAreaElement;
  const over = takeDrops(
    (files) => tray.add(files, props.takes),
    () => props.takes !== undefined && !props.ended,
  );
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
  const filled = (): boolean => text().trim() !== "" || !tray.isEmpty();
  const ready = (): boolean => filled() && tray.isReady() && text().length <= MAX_PROMPT_CHARS && !props.ended;
  const send = (): void => {
    if (!ready()) return;
    // A prompt has words; a picture alone is to be looked at.
    props.send(text().trim() || t("Look at this."), props.running ? delivery() : "queue", tray.take());
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
          <TrayList tray={tray} />
          <PromptField
            id={id}
            ref={(element) => (field = element)}
            enterkeyhint={entersSend() ? "send" : "enter"}
            placeholder={placeholder()}
            value={text()}
            set={setText}
            tray={tray}
            takes={props.takes}
            commands={props.commands}
            find={props.find}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.isComposing) return;
              const plain = !event.shiftKey && !event.altKey && entersSend();
              if (!plain && !event.metaKey && !event.ctrlKey) return;
              event.preventDefault();
              send();
            }}
          />
          <Show when={over()}>
            <p class="drop">{t("Drop to attach")}</p>
          </Show>
          <div class="composer-row">
            <Show when={props.takes}>{(takes) => <AttachButton tray={tray} takes={takes()} />}</Show>
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
