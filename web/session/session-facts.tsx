/** Where a session runs and what it has used. */
import type { SessionState } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { type JSX, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import "../design/facts.css";
import { amount, clock, money } from "../design/time.ts";
import { agentTitle } from "../host/agents.ts";
import { t } from "../words.ts";

export function SessionFacts(props: { host: HostHere; state: SessionState }) {
  const usage = () => props.state.usage;
  const context = () => usage().context;
  const full = (): number => Math.min(1, (context()?.used ?? 0) / Math.max(1, context()?.size ?? 1));
  return (
    <>
      <Show when={context()}>
        {(window) => (
          <div class="context">
            <p class="context-words num">
              <span>{t("Context")}</span>
              <span class="dim">
                {t("{used} of {size}", { used: amount(window().used), size: amount(window().size) })}
              </span>
            </p>
            <div
              class="meter"
              role="meter"
              aria-label={t("Context")}
              aria-valuenow={Math.round(full() * 100)}
              aria-valuemin="0"
              aria-valuemax="100"
            >
              <div class="meter-fill" style={{ transform: `scaleX(${full()})` }} />
            </div>
          </div>
        )}
      </Show>
      <dl class="facts">
        <Fact label={t("Tokens")}>
          <span class="num">
            {t("{input} in · {output} out", { input: amount(usage().input), output: amount(usage().output) })}
            <Show when={usage().cached > 0}> · {t("{cached} cached", { cached: amount(usage().cached) })}</Show>
          </span>
        </Fact>
        <Show when={usage().dollars}>
          {(dollars) => (
            <Fact label={t("Cost")}>
              <span class="num">{money(dollars())}</span>
            </Fact>
          )}
        </Show>
        <Fact label={t("Agent")}>
          {agentTitle(props.host, props.state.agent)} <span class="num">{visibleLine(props.state.version ?? "")}</span>
        </Fact>
        <Fact label={t("Folder")}>
          <span class="mono" dir="ltr">
            {visibleLine(props.state.workspace)}
          </span>
        </Fact>
        <Fact label={t("Host")}>{visibleLine(props.host.known.name)}</Fact>
        <Fact label={t("Opened")}>
          <span class="num">{clock(props.state.opened)}</span>
        </Fact>
      </dl>
    </>
  );
}

function Fact(props: { label: string; children: JSX.Element }) {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd dir="auto">{props.children}</dd>
    </div>
  );
}
