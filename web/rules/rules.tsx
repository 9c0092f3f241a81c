/** Standing rules: what is answered without asking, who said so, and the way to end it. */
import type { Rule } from "@flybridge/protocol/rule.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, createResource, createSignal, For, Show } from "solid-js";
import { type HostHere, hostsOf, sessionPath, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { ago } from "../design/time.ts";
import { agentTitle } from "../host/agents.ts";
import { counted, t } from "../words.ts";
import "./rules.css";

export default function Rules() {
  const deck = useDeck();
  const hosts = createMemo(() => hostsOf(deck));
  return (
    <div class="screen rules-screen">
      <div class="screen-head">
        <A href="/devices" class="icon-button" aria-label={t("Back to devices")}>
          <Icon name="back" />
        </A>
        <h1>{t("Rules")}</h1>
      </div>
      <p class="dim rules-about">
        {t(
          "What you allowed for longer than once. A rule allows exactly the request that it was made for; one changed byte asks again.",
        )}
      </p>
      <For each={hosts()}>{(host) => <HostRules host={host} named={hosts().length > 1} />}</For>
    </div>
  );
}

function HostRules(props: { host: HostHere; named: boolean }) {
  const deck = useDeck();
  const [gone, setGone] = createSignal<ReadonlySet<string>>(new Set());
  const live = (): boolean => props.host.view.connection.kind === "live";
  const [answer] = createResource(live, async (isLive) => {
    if (!isLive) return undefined;
    try {
      return { rules: (await props.host.replica.call("rule.list", {})).rules };
    } catch (fault) {
      return { fault: fault instanceof Error ? fault.message : t("The host could not tell its rules.") };
    }
  });
  const rules = (): readonly Rule[] => (answer.latest?.rules ?? []).filter((one) => !gone().has(one.rule));
  const hide = (rule: string, isGone: boolean): void => {
    const next = new Set(gone());
    if (isGone) next.add(rule);
    else next.delete(rule);
    setGone(next);
  };
  const revoke = ({ rule }: Rule): void => {
    hide(rule, true);
    deck.toasts.later(
      t("Revoked. It is asked again."),
      () => {
        props.host.replica.intend("rule.revoke", { rule }).settled.catch((fault: unknown) => {
          hide(rule, false);
          deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it."));
        });
      },
      () => hide(rule, false),
    );
  };
  return (
    <section>
      <Show when={props.named}>
        <h2 class="section-head host-head">
          <Icon name="host" />
          <bdi class="cut">{visibleLine(props.host.known.name)}</bdi>
        </h2>
      </Show>
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
        <Show when={answer.latest?.fault}>
          {(fault) => (
            <p class="fault" role="alert">
              <Icon name="alert" small />
              {visible(fault())}
            </p>
          )}
        </Show>
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
            <For each={rules()}>{(rule) => <RuleRow host={props.host} rule={rule} revoke={() => revoke(rule)} />}</For>
          </ul>
        </Show>
      </Show>
    </section>
  );
}

/** As the agent calls it for people. */
function modeOf(host: HostHere, { agent, mode = "" }: Rule): string {
  const modes = host.view.agents.find((one) => one.agent === agent)?.modes ?? [];
  return visibleLine(modes.find((one) => one.value === mode)?.label ?? mode);
}

function RuleRow(props: { host: HostHere; rule: Rule; revoke: () => void }) {
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
      <button type="button" class="button rule-end" onClick={() => props.revoke()}>
        <Icon name="close" />
        {t("Revoke")}
      </button>
    </li>
  );
}
