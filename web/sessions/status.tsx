/** A session's state in a shape and in words: what it is, why, and for how long. */
import type { Status } from "@flybridge/protocol/session.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { ago, since } from "../design/time.ts";
import { t } from "../words.ts";

export function StatusGlyph(props: { status: Status }) {
  return <span class={`glyph ${glyphOf(props.status)}`} aria-hidden="true" />;
}

export function glyphOf(status: Status): string {
  return status.kind === "ended" && status.cause === "failed" ? "failed" : status.kind;
}

export function statusWords(status: Status): string {
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
      return t("Waits for you · {time}", { time: since(status.since) });
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
