/** The journal beside bare SQLite doing the same inserts and selects on a file in the same folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "@flybridge/host/machine/store/store.ts";
import { STEPS } from "@flybridge/host/machine/store/migrations.ts";
import type { Entry, FactOf } from "@flybridge/protocol/entry.ts";
import { opened } from "@flybridge/protocol/fold.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { PAGE_CHARS, PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import { type Bench, countOf } from "../figure.ts";
import { inTurns, median, timed } from "../sample.ts";
import { entriesFrom } from "../transcript.ts";

const ROUNDS = 5;
const SINGLES = 40;
const GROUPS = 20;
const GROUP = 100;
const PAGES = 100;

const SESSION = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const MARK = { launch: 1, offset: 0, acted: 0, memory: "null" };

export const journal: Bench = {
  name: "journal",
  about: "appending to the journal and reading pages of it",
  async run({ share }) {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-bench-"));
    const ours = openedStore(join(folder, "ours.db"));
    const bare = bareTable(join(folder, "bare.db"));
    try {
      const singles = countOf(SINGLES, share);
      const groups = countOf(GROUPS, share);
      const pages = countOf(PAGES, share);
      const samples = await inTurns(countOf(ROUNDS, share), {
        single: (times) => each(times, singles, () => ours.append(1, true)),
        bareSingle: (times) => each(times, singles, () => bare.append(1, true)),
        group: (times) => each(times, groups, () => ours.append(GROUP, false)),
        bareGroup: (times) => each(times, groups, () => bare.append(GROUP, false)),
        page: (times) => each(times, pages, () => ours.page()),
        barePage: (times) => each(times, pages, () => bare.page()),
      });
      const at = (name: string): number => 1000 * median(samples[name] ?? []);
      const sqlite = "bare SQLite";
      return [
        {
          what: "append one entry, flushed to disk",
          value: at("single"),
          unit: "µs",
          reference: { what: `${sqlite}, FULL`, value: at("bareSingle") },
        },
        {
          what: `append ${GROUP} entries in one commit`,
          value: at("group"),
          unit: "µs",
          reference: { what: `${sqlite}, NORMAL`, value: at("bareGroup") },
        },
        {
          what: `read the newest page of ${PAGE_ENTRIES}`,
          value: at("page"),
          unit: "µs",
          reference: { what: `${sqlite} and JSON.parse`, value: at("barePage") },
        },
      ];
    } finally {
      ours.close();
      bare.close();
      rmSync(folder, { recursive: true });
    }
  },
};

async function each(times: number[], count: number, work: () => void): Promise<void> {
  for (let done = 0; done < count; done += 1) times.push(await timed(work));
}

interface Table {
  append(count: number, flushed: boolean): void;
  page(): void;
  close(): void;
}

function openedStore(path: string): Table {
  const store = openStore(path);
  const [first] = entriesFrom(1, 1) as [Entry];
  let last = 0;
  return {
    append(count, flushed) {
      const entries = entriesFrom(last + 1, count);
      last += count;
      const state = { ...opened(SESSION, first.at, first.fact as FactOf<"session.opened">), last };
      store.journal.append([{ session: SESSION, state, entries, mark: MARK }], flushed);
    },
    page: () => void store.journal.readBack(SESSION, last + 1, PAGE_ENTRIES, PAGE_CHARS),
    close: () => store.close(),
  };
}

/** The same tables, the same rows, one statement each; what a store adds is not here. */
function bareTable(path: string): Table {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = WAL");
  for (const step of STEPS) db.exec(step);
  const insert = db.prepare("INSERT INTO entry (session, seq, at, item, fact) VALUES (?, ?, ?, ?, ?)");
  const select = db.prepare("SELECT seq, at, fact FROM entry WHERE session = ? AND seq < ? ORDER BY seq DESC LIMIT ?");
  let last = 0;
  return {
    append(count, flushed) {
      const entries = entriesFrom(last + 1, count);
      last += count;
      db.exec(`PRAGMA synchronous = ${flushed ? "FULL" : "NORMAL"}; BEGIN IMMEDIATE`);
      for (const { seq, at, fact } of entries) {
        const item = fact.kind === "item.began" ? fact.item.item : null;
        insert.run(SESSION, seq, at, item, JSON.stringify(fact));
      }
      db.exec("COMMIT");
    },
    page() {
      for (const row of select.all(SESSION, last + 1, PAGE_ENTRIES)) JSON.parse(String(row["fact"]));
    },
    close: () => db.close(),
  };
}
