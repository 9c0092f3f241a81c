/** Standing rules: what is answered without asking, who said so, and the way to end it. */
import type { Rule } from "@flybridge/protocol/rule.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createResource, createSignal, For, Show } from "solid-js";
import { type HostHere, sessionPath, useDeck } from "../deck.ts";
import { BackHead } from "../design/back-head.tsx";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { ago } from "../design/time.ts";
import { agentTitle } from "../host/agents.ts";
import { HostSections } from "../host/host-sections.tsx";
import { counted, t } from "../words.ts";
import "./rules.css";

export default function Rules() {
  return (
    <div class="screen">
      <BackHead title={t("Rules")} />
      <p class="dim about">
        {t(
          "What you allowed for longer than once. A rule allows exactly the request that it was made for; one changed byte asks again.",
        )}
      </p>
      <HostSections>{(host) => <HostRules host={host()} />}</HostSections>
    </div>
  );
}

interface Told {
  readonly rules?: readonly Rule[];
  readonly fault?: string;
}

function HostRules(props: { host: HostHere }) {
  const deck = useDeck();
  const live = (): boolean => props.host.view.connection.kind === "live";
  const [answer, { mutate: change }] = createResource(live, async (isLive): Promise<Told | undefined> => {
    if (!isLive) return undefined;
    try {
      return { rules: (await props.host.replica.call("rule.list", {})).rules };
    } catch (fault) {
      return { fault: fault instanceof Error ? fault.message : t("The host could not tell its rules.") };
    }
  });
  const rules = (): readonly Rule[] => answer.latest?.rules ?? [];
  /** At once, and told when the host has done it: what is no longer allowed must not be for five seconds more. */
  const revoke = ({ rule }: Rule, failed: () => void): void => {
    props.host.replica.intend("rule.revoke", { rule }).settled.then(
      () => {
        change((told) => told && { ...told, rules: (told.rules ?? []).filter((one) => one.rule !== rule) });
        deck.toasts.say(t("Revoked. It is asked again."));
      },
      (fault: unknown) => {
        failed();
        deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it."));
      },
    );
  };
  return (
    <>
      <Show
        when={answer.latest}
        fallback={
          <Show
            when={live()}
            fallback={
              <p class="dim">
                {t("Rules are on {host}, which is not connected.", { host: visibleLine(props.host.known.name) })}
              </p>
            }
          >
            <Loading />
          </Show>
        }
      >
        <Fault why={answer.latest?.fault} />
        <Show
          when={rules().length > 0}
          fallback={
            <Show when={answer.latest?.fault === undefined}>
              <div class="empty">
                <h2>{t("No rules")}</h2>
                <p>{t("Everything is asked. Rules are made with the menu beside Allow, on an approval.")}</p>
              </div>
            </Show>
          }
        >
          <ul class="card rules">
            <For each={rules()}>
              {(rule) => <RuleRow host={props.host} rule={rule} revoke={(failed) => revoke(rule, failed)} />}
            </For>
          </ul>
        </Show>
      </Show>
    </>
  );
}

/** As the agent calls it for people. */
function modeOf(host: HostHere, { agent, mode = "" }: Rule): string {
  const modes = host.view.agents.find((one) => one.agent === agent)?.modes ?? [];
  return visibleLine(modes.find((one) => one.value === mode)?.label ?? mode);
}

function RuleRow(props: { host: HostHere; rule: Rule; revoke: (failed: () => void) => void }) {
  const [sure, setSure] = createSignal<"asked" | "revoking">();
  const by = (): string =>
    props.rule.by === props.host.known.device
      ? t("this device")
      : visibleLine(props.host.view.devices[props.rule.by]?.name ?? t("a device that is gone"));
  const session = () => (props.rule.session === undefined ? undefined : props.host.view.sessions[props.rule.session]);
  return (
    <li class="rule">
      <div class="rule-what">
        <p class="rule-head">
          <span class="rule-tool">{visibleLine(props.rule.tool)}</span>
          <Show when={props.rule.server}>
            {(server) => (
              <span class="rule-server">
                <Icon name="host" small />
                <span class="unseen">{t("of the server")}</span>
                {visibleLine(server())}
              </span>
            )}
          </Show>
          <span class="rule-scope">
            <Icon name={props.rule.session === undefined ? "lock" : "clock"} small />
            {props.rule.session === undefined ? t("always") : t("one session")}
          </span>
        </p>
        <pre class="rule-request" tabindex="0" dir="ltr">
          {visible(props.rule.request)}
        </pre>
        <p class="rule-where dim">
          <span>
            {props.rule.mode === undefined
              ? agentTitle(props.host, props.rule.agent)
              : t("{agent} in its mode “{mode}”", {
                  agent: agentTitle(props.host, props.rule.agent),
                  mode: modeOf(props.host, props.rule),
                })}
          </span>
          <span class="mono" dir="ltr">
            {visibleLine(props.rule.workspace)}
          </span>
          <Show when={session()}>
            {(one) => (
              <A href={sessionPath(props.host.known.host, one().session)} dir="auto">
                {visibleLine(one().title)}
              </A>
            )}
          </Show>
        </p>
        <p class="rule-where dim">
          <span>{t("made by {device}, {when}", { device: by(), when: ago(props.rule.made) })}</span>
          <span class="num">
            {props.rule.last === undefined
              ? t("not used yet")
              : counted(props.rule.used, "used once, {when}", "used {n} times, last {when}", {
                  when: ago(props.rule.last),
                })}
          </span>
        </p>
      </div>
      <div class="rule-end">
        <Show
          when={sure() !== undefined}
          fallback={
            <button type="button" class="button" onClick={() => setSure("asked")}>
              <Icon name="close" />
              {t("Revoke")}
            </button>
          }
        >
          <button type="button" class="button" disabled={sure() === "revoking"} onClick={() => setSure()}>
            {t("Keep")}
          </button>
          <button
            type="button"
            class="button port"
            disabled={sure() === "revoking"}
            onClick={() => {
              setSure("revoking");
              props.revoke(() => setSure());
            }}
          >
            {sure() === "revoking" ? t("Revoking") : t("Revoke now")}
          </button>
        </Show>
      </div>
    </li>
  );
}
