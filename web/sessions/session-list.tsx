/** Sessions by workspace with a search field: the sidebar of a wide screen and the Sessions screen of a phone. */
import type { Summary } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A } from "@solidjs/router";
import { createMemo, createSignal, For, Show } from "solid-js";
import { type HostHere, hostsOf, isGuest, sessionPath, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { agentTitle } from "../host/agents.ts";
import { counted, t } from "../words.ts";
import { folderName, folderParent, type Group, groupsOf } from "./grouping.ts";
import "./sessions.css";
import { StatusGlyph, staleSince, statusWords } from "./status.tsx";

const SharedRows = lazySheet(() => import("../guest/shared-rows.tsx"));

/** Sessions of a workspace that show before "all". */
const FIRST_SESSIONS = 8;

export default function SessionList() {
  const deck = useDeck();
  const [search, setSearch] = createSignal("");
  const hosts = createMemo(() => hostsOf(deck));
  const groups = createMemo(() => groupsOf(hosts(), search()));
  const many = (): boolean => hosts().length > 1;
  return (
    <div class="session-list">
      <label class="search">
        <Icon name="search" />
        <span class="unseen">{t("Search sessions")}</span>
        <input
          type="search"
          data-search
          placeholder={t("Search sessions")}
          value={search()}
          onInput={(event) => setSearch(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setSearch("");
          }}
        />
      </label>
      <For each={groups().map(keyOf)}>
        {(key) => (
          <Show when={groups().find((group) => keyOf(group) === key)}>
            {(group) => <WorkspaceGroup group={group()} hostNamed={many()} all={search() !== ""} />}
          </Show>
        )}
      </For>
      <Show when={hosts().some(isGuest)}>
        <SharedRows />
      </Show>
      <Show when={search() !== "" && groups().length === 0}>
        <p class="dim list-nothing">{t("No session has these words in its title, folder or last line.")}</p>
      </Show>
    </div>
  );
}

function WorkspaceGroup(props: { group: Group; hostNamed: boolean; all: boolean }) {
  const [all, setAll] = createSignal(false);
  const limit = (): number => (all() || props.all ? Infinity : FIRST_SESSIONS);
  return (
    <div class="workspace" role="group" aria-label={visibleLine(folderName(props.group.workspace))}>
      <h2 class="workspace-head" title={visibleLine(props.group.workspace)}>
        <bdi class="cut">{visibleLine(folderName(props.group.workspace))}</bdi>
        <span class="workspace-path cut" dir="ltr">
          {props.hostNamed
            ? visibleLine(props.group.host.known.name)
            : visibleLine(folderParent(props.group.workspace))}
        </span>
      </h2>
      <ul>
        <For each={props.group.sessions.slice(0, limit()).map((summary) => summary.session)}>
          {(session) => (
            <Show when={props.group.host.view.sessions[session]}>
              {(summary) => <SessionRow host={props.group.host} summary={summary()} />}
            </Show>
          )}
        </For>
      </ul>
      <Show when={props.group.sessions.length > limit()}>
        <button type="button" class="button plain workspace-more" onClick={() => setAll(true)}>
          {counted(props.group.sessions.length - limit(), "{n} more", "{n} more")}
        </button>
      </Show>
    </div>
  );
}

function SessionRow(props: { host: HostHere; summary: Summary }) {
  return (
    <li>
      <A class="session-row" href={sessionPath(props.host.known.host, props.summary.session)} activeClass="here">
        <StatusGlyph status={props.summary.status} stale={staleSince(props.host) !== undefined} />
        <span class="session-row-text">
          <span class="session-row-title cut" dir="auto">
            {visibleLine(props.summary.title)}
          </span>
          <span class="session-row-state cut" classList={{ waiting: props.summary.status.kind === "waiting" }}>
            {statusWords(props.summary.status, staleSince(props.host))}
          </span>
        </span>
        <span class="session-row-agent cut">
          {agentTitle(props.host, props.summary.agent)}
          <Show when={props.summary.outside}> · {t("another terminal")}</Show>
        </span>
      </A>
    </li>
  );
}

function keyOf(group: Group): string {
  return `${group.host.known.host} ${group.workspace}`;
}
