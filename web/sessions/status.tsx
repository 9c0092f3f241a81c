/** A session's state in a shape and in words: what it is, why, and for how long. */
import type { Status } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import type { HostHere } from "../deck.ts";
import { ago, clock, lasted, now } from "../design/time.ts";
import { t } from "../words.ts";
import "./status.css";

export function StatusGlyph(props: { status: Status; stale?: boolean }) {
  return (
    <span class={`glyph ${glyphOf(props.status)}`} classList={{ stale: props.stale === true }} aria-hidden="true" />
  );
}

export function glyphOf(status: Status): string {
  return status.kind === "ended" && status.cause === "failed" ? "failed" : status.kind;
}

/** `asOf`: when this was last known, if it is not live; nothing counts on from there. `answers`: this device may. */
export function statusWords(status: Status, asOf?: number, answers = true): string {
  const since = (at: number): string =>
    asOf === undefined ? lasted(now() - at) : t("as of {time}", { time: clock(asOf) });
  switch (status.kind) {
    case "starting":
      return t("Starting · {time}", { time: since(status.since) });
    case "idle":
      return t("At rest · {time}", { time: ago(status.since) });
    case "running":
      return status.doing === undefined
        ? t("Running · {time}", { time: since(status.since) })
        : t("{doing} · {time}", { doing: visibleLine(status.doing), time: since(status.since) });
    case "waiting":
      return answers
        ? t("Waits for you · {time}", { time: since(status.since) })
        : t("Waits for an answer · {time}", { time: since(status.since) });
    case "ended":
      if (status.cause === "failed")
        return status.detail === undefined
          ? t("Process failed · {time}", { time: ago(status.since) })
          : t("{why} · {time}", { why: visibleLine(status.detail), time: ago(status.since) });
      return status.cause === "stopped"
        ? t("Stopped · {time}", { time: ago(status.since) })
        : t("Ended by itself · {time}", { time: ago(status.since) });
  }
}

/** Since when a host's view is not live. */
export function staleSince(host: HostHere): number | undefined {
  const { connection } = host.view;
  return connection.kind === "offline" || connection.kind === "refused" ? connection.since : undefined;
}
