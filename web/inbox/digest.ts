/** What the Inbox holds, over all hosts: open asks, then failures, then what has finished since you last looked. */
import type { OpenAsk, Summary } from "@flybridge/protocol/session.ts";
import type { HostHere } from "../deck.ts";

export interface Waiting {
  readonly key: string;
  readonly host: HostHere;
  readonly summary: Summary;
  readonly open: OpenAsk;
}

export interface Told {
  readonly host: HostHere;
  readonly summary: Summary;
}

export interface Digest {
  /** Longest waiting first. */
  readonly waiting: readonly Waiting[];
  readonly putAway: readonly Waiting[];
  readonly failed: readonly Told[];
  readonly finished: readonly Told[];
  readonly running: number;
}

export function digestOf(
  hosts: readonly HostHere[],
  isPutAway: (session: Summary["session"], ask: OpenAsk["ask"]["ask"]) => boolean,
): Digest {
  const asks: Waiting[] = [];
  const failed: Told[] = [];
  const finished: Told[] = [];
  let running = 0;
  for (const host of hosts)
    for (const summary of Object.values(host.view.sessions)) {
      for (const open of summary.asks) asks.push({ key: `${summary.session} ${open.ask.ask}`, host, summary, open });
      if (summary.status.kind === "running" || summary.status.kind === "starting") running++;
      if (!isNews(host, summary)) continue;
      if (hasFailed(summary)) failed.push({ host, summary });
      else if (summary.turn?.outcome === "completed" && summary.status.kind !== "running")
        finished.push({ host, summary });
    }
  asks.sort((a, b) => a.open.at - b.open.at);
  const isAway = ({ open, summary }: Waiting): boolean => open.dismissed || isPutAway(summary.session, open.ask.ask);
  const newest = (a: Told, b: Told): number => b.summary.updated - a.summary.updated;
  return {
    waiting: asks.filter((one) => !isAway(one)),
    putAway: asks.filter(isAway),
    failed: failed.sort(newest),
    finished: finished.sort(newest),
    running,
  };
}

/** What happened before this device was paired is history, not news. */
function isNews(host: HostHere, summary: Summary): boolean {
  return (
    summary.last > (host.view.seen[summary.session] ?? 0) &&
    summary.updated > host.known.paired &&
    summary.asks.length === 0
  );
}

function hasFailed(summary: Summary): boolean {
  if (summary.status.kind === "ended") return summary.status.cause === "failed";
  return summary.turn?.outcome === "failed" && summary.status.kind === "idle";
}
