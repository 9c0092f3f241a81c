/** A process for tests: stores one step after another for ever, and says the number of each once it is stored. */
import { writeSync } from "node:fs";
import type { Entry } from "@flybridge/protocol/entry.ts";
import { apply, opened, summaryOf } from "@flybridge/protocol/fold.ts";
import type { AgentName, DeviceId, IntentId, SessionId } from "@flybridge/protocol/ids.ts";
import { openStore } from "./store.ts";

const [path, id, by] = process.argv.slice(2) as [string, SessionId, DeviceId];
const store = openStore(path);
const first = { kind: "session.opened", agent: "demo" as AgentName, workspace: "/w", by } as const;
let state = opened(id, 1, first);
const mark = (offset: number) => ({ launch: 1, offset, acted: 0, memory: "{}" });
store.journal.append([{ session: id, state, entries: [{ seq: 1, at: 1, fact: first }], mark: mark(0) }], true);

for (let step = 1; ; step++) {
  const entries = [1, 2, 3].map((part): Entry => {
    const entry: Entry = {
      seq: state.last + 1,
      at: step,
      fact: { kind: "notice", level: "info", text: `${step}.${part} ${"x".repeat((step * 37) % 5000)}` },
    };
    state = apply(state, entry);
    return entry;
  });
  const intent = {
    id: `01980000-0001-7000-8000-${String(step).padStart(12, "0")}` as IntentId,
    by,
    answer: step,
  };
  store.journal.append(
    [{ session: id, state, entries, mark: mark(step), intent, feed: { kind: "session", summary: summaryOf(state) } }],
    step % 3 === 0,
  );
  writeSync(1, `${step}\n`);
}
