/** A session's sheet: its name, model and mode, what it has used, and its end. */
import type { Params } from "@flybridge/protocol/methods.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { useNavigate } from "@solidjs/router";
import { createSignal, createUniqueId, For, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { Select } from "../sessions/new-session.tsx";
import { t } from "../words.ts";
import { SessionFacts } from "./session-facts.tsx";

export default function SessionSheet(props: { host: HostHere; state: SessionState; onClose: () => void }) {
  const deck = useDeck();
  const navigate = useNavigate();
  const id = createUniqueId();
  const [title, setTitle] = createSignal(props.state.title);
  const [removing, setRemoving] = createSignal(false);
  const agent = () => props.host.view.agents.find((one) => one.agent === props.state.agent);
  const session = props.state.session;
  const ended = (): boolean => props.state.status.kind === "ended";

  const say = (settled: Promise<unknown>, done: string): void => {
    settled.then(
      () => deck.toasts.say(done),
      (fault: unknown) => deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
    );
  };
  const configure = (change: Omit<Params<"session.configure">, "session">): void =>
    say(props.host.replica.intend("session.configure", { session, ...change }).settled, t("Changed"));

  return (
    <Sheet title={t("Session")} onClose={props.onClose}>
      <div class="form">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (title().trim() !== "" && title() !== props.state.title) configure({ title: title().trim() });
          }}
        >
          <label class="label" for={id}>
            {t("Title")}
          </label>
          <div class="form-row">
            <input
              id={id}
              class="field"
              dir="auto"
              value={title()}
              onInput={(event) => setTitle(event.currentTarget.value)}
            />
            <button type="submit" class="button" disabled={title().trim() === "" || title() === props.state.title}>
              {t("Rename")}
            </button>
          </div>
        </form>
        <div class="form-pair">
          <Select
            label={t("Model")}
            known
            options={props.state.models ?? agent()?.models ?? []}
            value={props.state.model ?? ""}
            set={(model) => configure({ model })}
          />
          <Select
            label={t("Mode")}
            known
            options={props.state.modes ?? agent()?.modes ?? []}
            value={props.state.mode ?? ""}
            set={(mode) => configure({ mode })}
          />
          <For each={props.state.settings ?? []}>
            {(one) => (
              <div>
                <Select
                  label={visibleLine(one.label)}
                  known
                  options={one.options}
                  value={one.value}
                  set={(value) => configure({ setting: { setting: one.setting, value } })}
                />
                <Show when={one.detail}>
                  {(detail) => (
                    <p class="dim setting-detail" dir="auto">
                      {visibleLine(detail())}
                    </p>
                  )}
                </Show>
              </div>
            )}
          </For>
        </div>
        <SessionFacts host={props.host} state={props.state} />
        <div class="form-end">
          <Show
            when={ended()}
            fallback={
              <button
                type="button"
                class="button wide"
                disabled={props.state.stopping}
                onClick={() =>
                  say(
                    props.host.replica.intend("session.stop", { session }).settled,
                    t("The agent is being stopped. You can resume it later."),
                  )
                }
              >
                <Icon name="stop" />
                {props.state.stopping ? t("Stopping") : t("Stop session")}
              </button>
            }
          >
            <button
              type="button"
              class="button strong wide"
              onClick={() =>
                say(props.host.replica.intend("session.resume", { session }).settled, t("The agent is starting again."))
              }
            >
              <Icon name="play" />
              {t("Resume session")}
            </button>
            <Show
              when={removing()}
              fallback={
                <button type="button" class="button plain wide" onClick={() => setRemoving(true)}>
                  {t("Remove session")}
                </button>
              }
            >
              <p class="dim">
                {t("{title} and its whole transcript are deleted on {host}. Files in the folder stay.", {
                  title: visibleLine(props.state.title),
                  host: visibleLine(props.host.known.name),
                })}
              </p>
              <button
                type="button"
                class="button port wide"
                onClick={() => {
                  say(props.host.replica.intend("session.remove", { session }).settled, t("Removed"));
                  props.onClose();
                  navigate("/sessions");
                }}
              >
                {t("Delete it for good")}
              </button>
            </Show>
          </Show>
        </div>
      </div>
    </Sheet>
  );
}
