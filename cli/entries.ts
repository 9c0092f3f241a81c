/**
 * The entries of a session's journal in order, each once: for scripts, and for whoever waits for one of them. The
 * replica folds entries as they come; these are read by pages, woken by the fold.
 */
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { Fault } from "./fault.ts";
import { ask, type LocalHost } from "./local.ts";
import { watch } from "./watch.ts";

/**
 * Entries after `after`, then those to come, until the caller stops, all have been given and the state is enough, or
 * the host is lost. Throws when the session is not there.
 */
export async function* entriesAfter(
  host: LocalHost,
  session: SessionId,
  after: number,
  isEnough: (state: SessionState) => boolean = () => false,
): AsyncGenerator<Entry> {
  const opened = host.replica.open(session);
  const waker = makeWaker();
  const stop = watch(opened.view, waker.wake);
  try {
    for (let last = after; ;) {
      const { state, live, gone } = opened.view.value;
      if (gone !== undefined) throw new Fault("not_found", gone);
      if (!state || state.last <= last) {
        if (state && live && isEnough(state)) return;
        await Promise.race([waker.next(), host.lost]);
        continue;
      }
      const upTo = Math.min(state.last, last + PAGE_ENTRIES);
      yield* await between(host, session, last, upTo);
      last = upTo;
    }
  } finally {
    stop();
    opened.close();
  }
}

/** Entries `after` < seq <= `upTo`; a page ends where it is asked to, and may begin late because it is full. */
async function between(host: LocalHost, session: SessionId, after: number, upTo: number): Promise<Entry[]> {
  const pages: Entry[][] = [];
  for (let before = upTo + 1; before > after + 1;) {
    const { entries } = await ask(host, host.replica.call("session.page", { session, before }));
    const [first] = entries;
    if (!first) break;
    pages.unshift(entries.filter(({ seq }) => seq > after));
    before = first.seq;
  }
  return pages.flat();
}

/** Many changes before anybody waits are one. */
function makeWaker(): { readonly wake: () => void; readonly next: () => Promise<void> } {
  let isAwake = false;
  let resume = (): void => {};
  return {
    wake() {
      isAwake = true;
      resume();
    },
    async next() {
      if (!isAwake) await new Promise<void>((resolve) => (resume = resolve));
      isAwake = false;
    },
  };
}
