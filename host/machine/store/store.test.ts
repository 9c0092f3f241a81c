import assert from "node:assert/strict";
import { once } from "node:events";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, chmodSync, cpSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it, type TestContext } from "node:test";
import type { AuditHead, AuditRow } from "@flybridge/protocol/audit.ts";
import type { Entry, Fact } from "@flybridge/protocol/entry.ts";
import { apply, opened, summaryOf } from "@flybridge/protocol/fold.ts";
import type { AgentName, DeviceId, IntentId, ItemId, SessionId } from "@flybridge/protocol/ids.ts";
import type { SessionState } from "@flybridge/protocol/session.ts";
import { type AgentMark, type Append, StorageError, type StoredDevice } from "../../core/ports.ts";
import { STEPS } from "./migrations.ts";
import { openStore, type Store } from "./store.ts";

const by = "d".repeat(43) as DeviceId;
const A = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const B = "01980000-0000-7000-8000-0000000000bb" as SessionId;
const MARK: AgentMark = { launch: 1, offset: 0, acted: 0, memory: "{}" };
const ALL = 1_000_000;

const root = mkdtempSync(join(tmpdir(), "flybridge-store-"));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
function databasePath(): string {
  return join(mkdtempSync(join(root, `${folders++}-`)), "flybridge.db");
}
function storeFor(t: TestContext, path = databasePath()): Store {
  const store = openStore(path);
  t.after(() => {
    try {
      store.close();
    } catch {
      // The test closed it.
    }
  });
  return store;
}

const open = (session: SessionId): { state: SessionState; entries: Entry[] } => {
  const fact = { kind: "session.opened", agent: "demo" as AgentName, workspace: "/w", by } as const;
  return { state: opened(session, 1, fact), entries: [{ seq: 1, at: 1, fact }] };
};
const opening = (session: SessionId): Append => ({ session, ...open(session), mark: MARK });
const notice = (text: string): Fact => ({ kind: "notice", level: "info", text });
const id = (n: number) => `01980000-0001-7000-8000-${String(n).padStart(12, "0")}` as IntentId;

/** The step that adds these facts to what is stored. */
function step(store: Store, session: SessionId, facts: Fact[], more: Partial<Append> = {}): Append {
  let { state } = store.sessions.get(session) ?? { state: assert.fail("no session") as never };
  const entries = facts.map((fact) => {
    const entry = { seq: state.last + 1, at: state.last, fact };
    state = apply(state, entry);
    return entry;
  });
  return { session, state, entries, ...more };
}
function add(store: Store, session: SessionId, ...facts: Fact[]): void {
  store.journal.append([step(store, session, facts)], false);
}
const seqs = (entries: readonly Entry[]) => entries.map(({ seq }) => seq);
const faultIs = (fault: StorageError["fault"]) => (error: unknown) =>
  error instanceof StorageError && error.fault === fault;

describe("the journal", () => {
  it("gives back what was stored, in order, after closing and opening again", (t) => {
    const path = databasePath();
    const first = storeFor(t, path);
    first.journal.append([opening(A), opening(B)], true);
    add(first, A, notice("one"), notice("two"));
    const odd = 'q"uote \u0000 \ud800 \u2028 ünï 😀';
    add(first, A, notice(odd));
    const before = first.journal.read(A, 1, 100, ALL);
    assert.deepEqual(seqs(before), [1, 2, 3, 4]);
    assert.deepEqual(before[3]?.fact, notice(odd));
    const stored = first.sessions.list();
    first.close();
    const second = storeFor(t, path);
    assert.deepEqual(second.journal.read(A, 1, 100, ALL), before);
    assert.deepEqual(second.sessions.list(), stored);
    assert.deepEqual(seqs(second.journal.read(B, 1, 100, ALL)), [1]);
  });

  it("stores all steps of an append, or none: a fault in the last leaves nothing of the first", (t) => {
    const store = storeFor(t);
    store.journal.append([opening(A)], false);
    const good = step(store, A, [notice("one")], {
      intent: { id: id(1), by, answer: {} },
      feed: { kind: "session.gone", session: B },
    });
    const bad: [string, Append][] = [
      ["a number that is taken", { ...opening(A), entries: [{ seq: 1, at: 1, fact: notice("again") }] }],
      ["an intent that is stored", { ...opening(B), intent: { id: id(1), by, answer: {} } }],
      ["a session that is not there", { session: B, ...open(B) }],
    ];
    for (const [what, step] of bad) {
      assert.throws(() => store.journal.append([good, step], false), faultIs("broken"), what);
      assert.deepEqual(seqs(store.journal.read(A, 1, 100, ALL)), [1], what);
      assert.deepEqual(store.journal.read(B, 1, 100, ALL), [], what);
      assert.equal(store.sessions.get(A)?.state.last, 1, what);
      assert.equal(store.journal.answered(id(1), by), undefined, what);
      assert.equal(store.feed.last(), 0, what);
    }
    store.journal.append([good], false);
    assert.equal(store.feed.last(), 1);
  });

  it("pages by number and by characters, one entry at least, forwards and back", (t) => {
    const store = storeFor(t);
    store.journal.append([opening(A)], false);
    add(store, A, ...Array.from({ length: 9 }, (_, at) => notice(`${at}`.repeat(1000))));
    assert.deepEqual(seqs(store.journal.read(A, 3, 4, ALL)), [3, 4, 5, 6]);
    assert.deepEqual(seqs(store.journal.read(A, 9, 4, ALL)), [9, 10]);
    assert.deepEqual(seqs(store.journal.read(A, 11, 4, ALL)), []);
    assert.deepEqual(seqs(store.journal.read(A, 2, 9, 2500)), [2, 3]);
    assert.deepEqual(seqs(store.journal.read(A, 2, 9, 1)), [2]);
    assert.deepEqual(seqs(store.journal.readBack(A, 11, 3, ALL)), [8, 9, 10]);
    assert.deepEqual(seqs(store.journal.readBack(A, 3, 9, ALL)), [1, 2]);
    assert.deepEqual(seqs(store.journal.readBack(A, 11, 9, 2500)), [9, 10]);
    assert.deepEqual(seqs(store.journal.readBack(A, 11, 9, 1)), [10]);
    assert.deepEqual(seqs(store.journal.readBack(A, 1, 9, ALL)), []);
    // A page that was closed early does not hold the next one up.
    add(store, A, notice("after"));
    assert.equal(store.sessions.get(A)?.state.last, 11);
  });

  it("finds the entries of one item, and only those", (t) => {
    const store = storeFor(t);
    store.journal.append([opening(A)], false);
    const item = (name: string) => ({ item: name as ItemId, body: "", at: 0, kind: "words" as const });
    const grew = (name: string): Fact => ({ kind: "item.grew", item: name as ItemId, offset: 0, text: "x" });
    add(
      store,
      A,
      { kind: "item.began", item: item("i") },
      { kind: "item.began", item: item("j") },
      grew("i"),
      notice("x"),
      grew("j"),
      grew("i"),
    );
    assert.deepEqual(seqs(store.journal.readItem(A, "i" as ItemId, 100)), [2, 4, 7]);
    assert.deepEqual(seqs(store.journal.readItem(A, "i" as ItemId, 7)), [2, 4]);
    assert.deepEqual(store.journal.readItem(B, "i" as ItemId, 100), []);
  });

  it("answers an intent again with its first answer, to its own device only", (t) => {
    const store = storeFor(t);
    store.journal.append([{ ...opening(A), intent: { id: id(1), by, answer: { seq: 7 } } }], true);
    assert.deepEqual(store.journal.answered(id(1), by), { answer: { seq: 7 } });
    assert.equal(store.journal.answered(id(1), "e".repeat(43) as DeviceId), undefined);
    assert.equal(store.journal.answered(id(2), by), undefined);
  });

  it("keeps where the agent's output stands with the entries that came of it", (t) => {
    const store = storeFor(t);
    store.journal.append([opening(A)], false);
    const mark = { launch: 2, offset: 123_456_789_012, acted: 3, memory: '{"x":"é"}' };
    store.journal.append([step(store, A, [notice("x")], { mark })], false);
    assert.deepEqual(store.sessions.get(A)?.mark, mark);
    add(store, A, notice("y"));
    assert.deepEqual(store.sessions.get(A)?.mark, mark, "a step without a mark leaves it");
  });

  it("forgets a removed session whole, and takes nothing for it any more", (t) => {
    const store = storeFor(t);
    store.journal.append([opening(A), { ...opening(B), intent: { id: id(1), by, answer: {} } }], false);
    const late = step(store, B, [notice("late")]);
    store.sessions.remove(B);
    assert.deepEqual(
      [store.sessions.get(B), store.journal.read(B, 1, 9, ALL), store.journal.answered(id(1), by)],
      [undefined, [], undefined],
    );
    assert.throws(() => store.journal.append([late], false), faultIs("broken"));
    assert.deepEqual(store.journal.read(B, 1, 9, ALL), []);
    assert.equal(store.sessions.list().length, 1);
  });
});

describe("the feed", () => {
  it("keeps the newest fact about each thing, under a number that rises and is never given again", (t) => {
    const path = databasePath();
    let store = storeFor(t, path);
    const session = (of: SessionId) => ({ kind: "session" as const, summary: summaryOf(open(of).state) });
    const given: number[] = [];
    const put = (fact: Parameters<Store["feed"]["put"]>[0]) => given.push(store.feed.put(fact).seq);
    put(session(A));
    put(session(B));
    put(session(A));
    assert.deepEqual(
      store.feed.after(0).map(({ seq }) => seq),
      [2, 3],
    );
    assert.deepEqual(
      store.feed.after(2).map(({ seq }) => seq),
      [3],
    );
    assert.deepEqual(store.feed.after(3), []);
    // What is removed had the highest number: the next one must not get it again, not even after a start.
    store.journal.append([opening(A)], false);
    given.push(store.sessions.remove(A).seq);
    put({ kind: "device.gone", device: by });
    store.close();
    store = storeFor(t, path);
    put(session(B));
    assert.deepEqual(
      given,
      [...given].sort((a, b) => a - b),
    );
    assert.equal(new Set(given).size, given.length);
    assert.deepEqual(
      store.feed.after(0).map(({ fact }) => fact.kind),
      ["session.gone", "device.gone", "session"],
    );
    assert.equal(store.feed.last(), given.at(-1));
  });

  it("is stored with the step that caused it, in the order of the steps", (t) => {
    const store = storeFor(t);
    const facts = store.journal.append(
      [
        { ...opening(A), feed: { kind: "session", summary: summaryOf(open(A).state) } },
        { ...opening(B), feed: { kind: "session", summary: summaryOf(open(B).state) } },
      ],
      false,
    );
    assert.deepEqual(
      facts.map(({ seq }) => seq),
      [1, 2],
    );
    assert.deepEqual(store.feed.after(0), facts);
  });
});

describe("the stored audit log", () => {
  it("comes back row by row and page by page, with its newest head", (t) => {
    const path = databasePath();
    const store = storeFor(t, path);
    const row = (seq: number): AuditRow => ({
      seq,
      at: seq * 10,
      event: "device.paired",
      ...(seq === 2 ? { device: by, by } : {}),
      detail: `row ${seq}`,
      hash: String(seq).repeat(43),
    });
    const head = (seq: number): AuditHead => ({ seq, hash: row(seq).hash, signature: `signed ${seq}` });
    assert.equal(store.audit.head(), undefined);
    for (const seq of [1, 2, 3]) store.audit.append(row(seq), head(seq));
    assert.throws(() => store.audit.append(row(3), head(4)), faultIs("broken"), "what is there is not written over");
    store.close();
    const again = storeFor(t, path);
    assert.deepEqual({ ...again.audit.head() }, head(3));
    assert.deepEqual([...again.audit.rows()], [1, 2, 3].map(row));
    assert.deepEqual(again.audit.page(undefined, 2), [2, 3].map(row));
    assert.deepEqual(again.audit.page(2, 2), [row(1)]);
  });
});

describe("stored devices", () => {
  const secret = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

  it("come back with their secrets, changed and removed ones as they are", (t) => {
    const path = databasePath();
    const store = storeFor(t, path);
    const device: StoredDevice = {
      device: { device: by, name: "A phone", kind: "phone", grant: { kind: "owner" }, paired: 1 },
      secrets: { current: secret(1), retired: [] },
    };
    const other = { ...device, device: { ...device.device, device: "e".repeat(43) as DeviceId } };
    store.devices.put(device);
    store.devices.put(other);
    const moved = { ...device, secrets: { current: secret(2), pending: secret(3), retired: [secret(1), secret(0)] } };
    store.devices.put(moved);
    store.close();
    const again = storeFor(t, path);
    assert.deepEqual(again.devices.list(), [moved, other]);
    again.devices.remove([by, other.device.device]);
    assert.deepEqual(again.devices.list(), []);
  });
});

describe("the database file", () => {
  it("is its owner's alone, with its log and index, also when it was not", (t) => {
    const path = databasePath();
    const umask = process.umask(0o022);
    t.after(() => process.umask(umask));
    const store = storeFor(t, path);
    store.journal.append([opening(A)], false);
    for (const name of readdirSync(join(path, "..")))
      assert.equal(statSync(join(path, "..", name)).mode & 0o777, 0o600, name);
    store.close();
    chmodSync(path, 0o644);
    storeFor(t, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("is brought to the newest shape step by step, and not twice", (t) => {
    const path = databasePath();
    storeFor(t, path).close();
    const store = storeFor(t, path);
    store.journal.append([opening(A)], false);
    store.close();
    using db = new DatabaseSync(path);
    assert.equal((db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version, STEPS.length);
  });

  it("of a newer version is refused and not touched, even when its newest pages are in its log still", (t) => {
    const path = databasePath();
    const folder = join(path, "..");
    storeFor(t, path).close();
    const newer = new DatabaseSync(path);
    newer.exec(
      `PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = ${STEPS.length + 1}; CREATE TABLE moon (phase TEXT);`,
    );
    const crashed = mkdtempSync(join(root, "crashed-"));
    for (const name of readdirSync(folder)) cpSync(join(folder, name), join(crashed, name));
    newer.close();
    const place = join(crashed, "flybridge.db");
    const wal = () => ["", "-wal"].map((end) => readFileSync(`${place}${end}`).toString("base64"));
    const before = wal();
    assert.throws(
      () => openStore(place),
      (error) =>
        faultIs("newer")(error) && /newer Flybridge .*Nothing was changed.*Update/u.test((error as Error).message),
    );
    assert.deepEqual(wal(), before);
    assert.throws(() => openStore(path), faultIs("newer"));
  });

  it("that is none, or is damaged, is refused with its name and what to do, and not touched", () => {
    const path = databasePath();
    writeFileSync(path, "This is not a database, whatever its name says.".repeat(100), { mode: 0o600 });
    const before = readFileSync(path);
    assert.throws(
      () => openStore(path),
      (error) =>
        faultIs("broken")(error) && (error as Error).message.includes(path) && /backup/u.test((error as Error).message),
    );
    assert.deepEqual(readFileSync(path), before);
    assert.throws(() => openStore(join(path, "..")), faultIs("broken"), "a folder");
    assert.throws(() => openStore("/dev/null/x/flybridge.db"), faultIs("broken"), "no place for it");
  });

  it("damaged in the middle is said to be, page by page, and does not take the process down", (t) => {
    const path = databasePath();
    const store = storeFor(t, path);
    store.journal.append([opening(A)], false);
    add(store, A, ...Array.from({ length: 50 }, () => notice("x".repeat(3000))));
    store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096 * 10);
    writeFileSync(path, bytes);
    assert.throws(() => {
      const again = storeFor(t, path);
      again.journal.read(A, 1, 100, ALL);
    }, faultIs("broken"));
  });
});

/** Two MiB that are really full when they are full. */
function smallDisk(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(root, "disk-"));
  if (
    process.platform !== "linux" ||
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]).status !== 0
  )
    return undefined;
  t.after(() => {
    assert.equal(spawnSync("umount", ["-l", folder]).status, 0);
  });
  return folder;
}

describe("a full disk", () => {
  /** Stores until it is refused; how many are stored then. */
  const fill = (store: Store, from = 0): number => {
    for (let stored = from; ; stored++)
      try {
        store.journal.append(
          [step(store, A, [notice("x".repeat(2000))], { intent: { id: id(stored), by, answer: stored } })],
          true,
        );
      } catch (error) {
        assert.ok(error instanceof StorageError, String(error));
        assert.equal(error.fault, "full", error.message);
        assert.match(error.message, /Free some space/u);
        return stored;
      }
  };
  const check = (store: Store, stored: number): void => {
    let from = 1;
    for (
      let page = store.journal.read(A, from, 100, ALL);
      page.length > 0;
      page = store.journal.read(A, from, 100, ALL)
    ) {
      for (const { seq } of page) assert.equal(seq, from++);
    }
    assert.equal(from - 1, stored + 1);
    assert.equal(store.sessions.get(A)?.state.last, stored + 1);
    assert.equal(store.journal.answered(id(stored), by), undefined, "what was refused is not half there");
    assert.deepEqual(store.journal.answered(id(stored - 1), by), { answer: stored - 1 });
  };

  it("is said, keeps what was acknowledged readable, and is over when there is space again, without a restart", (t) => {
    const folder = smallDisk(t);
    if (folder === undefined) return t.skip("a small disk can be mounted by root on Linux only");
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(700 * 1024));
    const path = join(folder, "flybridge.db");
    const store = storeFor(t, path);
    store.journal.append([opening(A)], true);
    const first = fill(store);
    assert.ok(first > 50, `${first}`);
    const stored = fill(store, first);
    check(store, stored);
    assert.throws(
      () =>
        store.devices.put({
          device: { device: by, name: "x".repeat(300_000), kind: "phone", grant: { kind: "owner" }, paired: 1 },
          secrets: { current: new Uint8Array(32), retired: [] },
        }),
      faultIs("full"),
    );
    rmSync(ballast);
    add(store, A, notice("there is space again"));
    assert.equal(store.sessions.get(A)?.state.last, stored + 2);
    store.close();
    const again = storeFor(t, path);
    assert.equal(again.sessions.get(A)?.state.last, stored + 2);
  });

  it("is said when it is full from the beginning", (t) => {
    const folder = smallDisk(t);
    if (folder === undefined) return t.skip("a small disk can be mounted by root on Linux only");
    const ballast = join(folder, "ballast");
    writeFileSync(ballast, Buffer.alloc(2 * 1024 * 1024 - 8 * 1024));
    assert.throws(() => openStore(join(folder, "flybridge.db")), faultIs("full"));
    rmSync(ballast);
    storeFor(t, join(folder, "flybridge.db"));
  });
});

describe("a host that is killed while it stores", () => {
  for (const seed of [1, 2, 3, 4, 5, 6])
    it(`has every step that it acknowledged, whole and once (seed ${seed})`, async (t) => {
      const path = databasePath();
      const acknowledged = await killed(path, 40 + ((seed * 7919) % 400));
      const store = storeFor(t, path);
      const { state, mark } = store.sessions.get(A) ?? assert.fail("the session is gone");
      const entries = store.journal.read(A, 1, 1_000_000, Number.MAX_SAFE_INTEGER);
      assert.deepEqual(
        seqs(entries),
        Array.from({ length: state.last }, (_, at) => at + 1),
      );
      // Each step is three entries, an intent, a mark and a fact of the feed: all of the last one is there, or nothing.
      const steps = (state.last - 1) / 3;
      assert.ok(Number.isInteger(steps), `${state.last} entries`);
      assert.ok(steps >= acknowledged, `${steps} of ${acknowledged} acknowledged`);
      assert.ok(steps <= acknowledged + 1, `${steps} of ${acknowledged} acknowledged`);
      assert.equal(mark.offset, steps);
      for (let n = 1; n <= steps; n++) assert.deepEqual(store.journal.answered(id(n), by), { answer: n });
      assert.equal(store.journal.answered(id(steps + 1), by), undefined);
      const texts = entries.slice(1).map(({ fact }) => (fact as Fact & { kind: "notice" }).text);
      assert.equal(new Set(texts).size, texts.length);
    });
});

/** Runs a process that stores steps and says the number of each when it is stored; kills it after so many. */
async function killed(path: string, steps: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "store.fixture.ts"), path, A, by], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let acknowledged = 0;
  const closed = once(child, "close");
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged === steps) child.kill("SIGKILL");
  }
  await closed;
  assert.equal(child.signalCode, "SIGKILL");
  assert.ok(acknowledged >= steps);
  return acknowledged;
}
