/** Which agent a new session has: those of the host first, and those that could be installed there, folded away. */
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { For, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { counted, t } from "../words.ts";

export function AgentChoice(props: {
  name: string;
  agents: readonly AgentInfo[];
  chosen: AgentInfo | undefined;
  choose: (agent: AgentInfo) => void;
  /** Runs what installs it, in a terminal that the person sees. */
  install: (agent: AgentInfo) => void;
}) {
  const here = (): readonly AgentInfo[] => props.agents.filter((one) => !isMissing(one));
  const missing = (): readonly AgentInfo[] => props.agents.filter(isMissing);
  return (
    <fieldset>
      <legend class="label">{t("Agent")}</legend>
      <Show
        when={props.agents.length > 0}
        fallback={<p class="dim">{t("The host has not said yet which agents it has.")}</p>}
      >
        <For each={here()} fallback={<p class="dim">{t("There is no agent on this host yet.")}</p>}>
          {(one) => (
            <label
              class="option"
              classList={{ chosen: one.agent === props.chosen?.agent, off: one.problem !== undefined }}
            >
              <input
                type="radio"
                name={props.name}
                checked={one.agent === props.chosen?.agent}
                disabled={one.problem !== undefined}
                onChange={() => props.choose(one)}
              />
              <span>
                <span class="option-label">
                  <span>{visibleLine(one.title)}</span>{" "}
                  <Show when={one.version}>{(version) => <span class="dim num">{visibleLine(version())}</span>}</Show>
                </span>
                <Show when={one.problem}>
                  {(problem) => (
                    <small class="option-problem">
                      <Icon name="alert" small /> <span>{visible(problem().message)}</span>
                    </small>
                  )}
                </Show>
              </span>
            </label>
          )}
        </For>
        <Show when={missing().length > 0}>
          <details class="more-agents" open={here().length === 0}>
            <summary>{counted(missing().length, "{n} more can be installed", "{n} more can be installed")}</summary>
            <ul>
              <For each={missing()}>
                {(one) => (
                  <li>
                    <span>
                      <span class="option-label">{visibleLine(one.title)}</span>
                      <small class="dim">{visible(one.problem?.message ?? "")}</small>
                    </span>
                    <Show when={one.install}>
                      <button
                        type="button"
                        class="button"
                        aria-label={t("Install {agent}", { agent: visibleLine(one.title) })}
                        onClick={() => props.install(one)}
                      >
                        {t("Install")}
                      </button>
                    </Show>
                  </li>
                )}
              </For>
            </ul>
          </details>
        </Show>
      </Show>
    </fieldset>
  );
}

function isMissing(agent: AgentInfo): boolean {
  return agent.problem?.code === "not_installed";
}
