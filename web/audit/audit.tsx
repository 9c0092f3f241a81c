/** The audit log of each host: who came in, who was let in to what, who was turned away; and whether it is whole. */
import type { AuditRow } from "@flybridge/protocol/audit.ts";
import type { Result } from "@flybridge/protocol/methods.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createEffect, createSignal, For, on, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { BackHead } from "../design/back-head.tsx";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { ago } from "../design/time.ts";
import { HostSections } from "../host/host-sections.tsx";
import { counted, t } from "../words.ts";
import "./audit.css";
import { iconOf, isBad, sentenceOf } from "./sentence.ts";

export default function AuditScreen() {
  return (
    <div class="screen">
      <BackHead title={t("Log")} />
      <p class="dim about">
        {t(
          "Who came in, who was let in to what, and who was turned away. Each row seals the one before, so that one that is removed, changed or moved shows. It holds no secrets, and nothing of what was said.",
        )}
      </p>
      <HostSections>{(host) => <HostAudit host={host()} />}</HostSections>
    </div>
  );
}

function HostAudit(props: { host: HostHere }) {
  /** Newest first. */
  const [rows, setRows] = createSignal<readonly AuditRow[]>([]);
  const [more, setMore] = createSignal(true);
  const [busy, setBusy] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  const live = (): boolean => props.host.view.connection.kind === "live";
  const load = (before?: number): void => {
    setBusy(true);
    setFault();
    props.host.replica
      .call("audit.list", before === undefined ? {} : { before })
      .then(
        (page) => {
          setRows([...(before === undefined ? [] : rows()), ...page.rows.toReversed()]);
          setMore(page.more);
        },
        (reason: unknown) => setFault(reason instanceof Error ? visible(reason.message) : t("The host refused it.")),
      )
      .finally(() => setBusy(false));
  };
  createEffect(on(live, (isLive) => isLive && load()));
  return (
    <>
      <Show when={!live() && rows().length === 0}>
        <p class="dim">
          {t("The log is on {host}, which is not connected.", { host: visibleLine(props.host.known.name) })}
        </p>
      </Show>
      <Fault why={fault()} />
      <Show when={live() || rows().length > 0}>
        <Verify host={props.host} />
        <Show when={rows().length > 0} fallback={<Loading />}>
          <ol class="card rows audit-rows" aria-label={t("Log")}>
            <For each={rows()}>{(row) => <Line host={props.host} row={row} />}</For>
          </ol>
          <Show when={more()}>
            <button
              type="button"
              class="button wide audit-more"
              disabled={busy() || !live()}
              onClick={() => load(rows().at(-1)?.seq)}
            >
              {busy() ? t("Reading") : t("Older")}
            </button>
          </Show>
        </Show>
      </Show>
    </>
  );
}

function Line(props: { host: HostHere; row: AuditRow }) {
  return (
    <li class="row audit-row" classList={{ bad: isBad(props.row) }}>
      <Icon name={iconOf(props.row)} />
      <span class="row-text">
        <span dir="auto">{sentenceOf(props.row, props.host)}</span>
        <span class="dim num">
          <time dateTime={new Date(props.row.at).toISOString()} title={new Date(props.row.at).toLocaleString()}>
            {ago(props.row.at)}
          </time>{" "}
          · {props.row.seq}
        </span>
      </span>
    </li>
  );
}

function Verify(props: { host: HostHere }) {
  const [result, setResult] = createSignal<Result<"audit.verify"> | string>();
  const [busy, setBusy] = createSignal(false);
  const verify = (): void => {
    setBusy(true);
    props.host.replica
      .call("audit.verify", {})
      .then(setResult, (fault: unknown) =>
        setResult(fault instanceof Error ? fault.message : t("The host refused it.")),
      )
      .finally(() => setBusy(false));
  };
  const words = (): { text: string; bad: boolean } | undefined => {
    const got = result();
    if (got === undefined) return undefined;
    if (typeof got === "string") return { text: visible(got), bad: true };
    if (got.fault) return { text: visible(got.fault.message), bad: true };
    return {
      bad: false,
      text: counted(
        got.rows,
        "{n} row, and it is whole: nothing was removed, changed or moved, and the host has signed the end of it.",
        "{n} rows, and they are whole: none was removed, changed or moved, and the host has signed the end of it.",
      ),
    };
  };
  return (
    <div class="audit-verify">
      <button type="button" class="button" disabled={busy()} onClick={verify}>
        <Icon name="rule" />
        {busy() ? t("Reading all of it") : t("Verify")}
      </button>
      <p role="status" classList={{ fault: words()?.bad === true, whole: words()?.bad === false }}>
        <Show when={words()}>
          {(said) => (
            <>
              <Icon name={said().bad ? "alert" : "checks"} small />
              <span>{said().text}</span>
            </>
          )}
        </Show>
      </p>
    </div>
  );
}
