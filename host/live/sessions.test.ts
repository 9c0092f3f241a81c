/** Which of the keeper's children belong to somebody, after a start of the host. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { opened } from "@flybridge/protocol/fold.ts";
import type { AgentName, DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { openStore } from "../machine/store/store.ts";
import { makeHands } from "./hands.ts";
import { makeSessions } from "./sessions.ts";
import { EMPTY_SHELVES } from "./surroundings.fixture.ts";
import { makeWriter } from "./writer.ts";

const SESSION = "01a1f951-f8e8-7cec-b6d9-04ac88607f63" as SessionId;
const OTHER = "01a1f951-f8e8-7cec-b6d9-04ac88607f64";

describe("the keeper's children after a crash of the host", () => {
  it("belong to a session also when the crash came before the entry that tells of the start", () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-sessions-"));
    const store = openStore(join(folder, "db"));
    const fact = {
      kind: "session.opened",
      agent: "demo" as AgentName,
      workspace: "/",
      by: "d".repeat(43) as DeviceId,
    } as const;
    const state = opened(SESSION, 1, fact);
    const mark = { launch: 2, offset: 0, acted: 0, memory: "null" };
    store.journal.append([{ session: SESSION, state, entries: [{ seq: 1, at: 1, fact }], mark }], false);
    const sessions = makeSessions({
      shared: {
        journal: store.journal,
        shelf: store.sessions,
        writer: makeWriter(store.journal, () => {}),
        hands: makeHands({ lost: () => {}, umask: 0o022, echoes: () => Promise.resolve(undefined), log: () => {} }),
        ...EMPTY_SHELVES,
        env: {},
        now: () => 1,
        after: () => ({ [Symbol.dispose]() {} }),
        log: () => {},
      },
      agents: new Map(),
      published: () => {},
    });
    assert.equal(sessions.owns(`${SESSION}.2`), true, "the process it knows");
    assert.equal(sessions.owns(`${SESSION}.3`), true, "the one it was starting");
    assert.equal(sessions.owns(`${SESSION}.1`), false, "one of before");
    assert.equal(sessions.owns(`${OTHER}.1`), false, "a session that is no more");
    assert.equal(sessions.owns("nonsense"), false);
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
