/** Sessions as a list shows them: by host and workspace, those that need you first, then the newest. */
import type { Summary } from "@flybridge/protocol/session.ts";
import type { HostHere } from "../deck.ts";

export interface Group {
  readonly host: HostHere;
  readonly workspace: string;
  readonly sessions: readonly Summary[];
}

export function groupsOf(hosts: readonly HostHere[], search: string): Group[] {
  const words = search.toLowerCase().split(/\s+/u).filter(Boolean);
  return hosts.flatMap((host) => {
    const matching = Object.values(host.view.sessions).filter((summary) => {
      const text = `${summary.title} ${summary.workspace} ${summary.agent} ${summary.preview ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const byFolder = Map.groupBy(matching.sort(byNeed), (summary) => summary.workspace);
    return [...byFolder].map(([workspace, sessions]) => ({ host, workspace, sessions }));
  });
}

/** Waiting first, then running, then by what changed last. */
function byNeed(a: Summary, b: Summary): number {
  return rank(a) - rank(b) || b.updated - a.updated;
}

function rank(summary: Summary): number {
  if (summary.status.kind === "waiting") return 0;
  return summary.status.kind === "running" || summary.status.kind === "starting" ? 1 : 2;
}

/** The last part of a path. */
export function folderName(path: string): string {
  return path.split(/[/\\]/u).findLast((part) => part !== "") ?? path;
}

/** The path before the last part, shortened from the left. */
export function folderParent(path: string, limit = 40): string {
  const parent = path.slice(0, path.length - folderName(path).length).replace(/[/\\]$/u, "");
  return parent.length <= limit ? parent : `…${parent.slice(-limit)}`;
}
