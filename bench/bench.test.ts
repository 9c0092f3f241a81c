import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { startWorld } from "@flybridge/testing/world.ts";
import { needOf, capacityTables, RELAY_FIGURES } from "./capacity.ts";
import { firstScreen } from "./cases/bytes.ts";
import { journal } from "./cases/journal.ts";
import { relayConnect } from "./cases/relay-connect.ts";
import { relayCpu } from "./cases/relay-cpu.ts";
import { relayNodes } from "./cases/relay-nodes.ts";
import { relaySlow } from "./cases/relay-slow.ts";
import { relayTrip } from "./cases/relay-trip.ts";
import { seal } from "./cases/seal.ts";
import { listen } from "./device.ts";
import { type Figure, figureOf } from "./figure.ts";
import { keepResults, newestResults } from "./results.ts";
import { inTurns, percentile } from "./sample.ts";
import { filled, markdownTable, textTable } from "./table.ts";
import { writeSession } from "./transcript.ts";

const FIGURE: Figure = figureOf("x", {
  what: "a thing",
  value: 3,
  unit: "ms",
  reference: { what: "bare", value: 2 },
  limit: { value: 2.5 },
});

describe("the bench", () => {
  for (const bench of [journal, seal, relayTrip, relayCpu, relayConnect, relaySlow, relayNodes]) {
    it(`measures ${bench.name} beside its reference`, async () => {
      const figures = (await bench.run({ share: 0.02, app: "" })).map((one) => figureOf(bench.name, one));
      assert.ok(figures.length >= 2);
      for (const { what, value, ratio } of figures) assert.ok(value > 0 && Number.isFinite(ratio), what);
    });
  }

  it("says whether a limit held, absolute or as a ratio", () => {
    assert.equal(FIGURE.ratio, 1.5);
    assert.equal(FIGURE.verdict, "missed");
    assert.equal(figureOf("x", { ...FIGURE, limit: { ratio: 1.5 } }).verdict, "met");
    const { limit: _, ...free } = FIGURE;
    assert.equal(figureOf("x", free).verdict, "no limit");
  });

  it("takes samples in turns, without the first round, and ranks them", async () => {
    let call = 0;
    const samples = await inTurns(2, { a: (to) => void to.push(call++), b: (to) => void to.push(call++) });
    assert.deepEqual(samples, { a: [2, 4], b: [3, 5] });
    assert.equal(percentile([4, 1, 3, 2], 0.5), 2);
    assert.equal(percentile([4, 1, 3, 2], 0.99), 4);
    assert.throws(() => percentile([], 0.5), RangeError);
  });

  it("keeps results, and renews only the rows of the benches that ran", () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-results-"));
    const results = (at: string, share: number, bench: string, value: number) =>
      keepResults({ at, machine: "m", share, figures: [figureOf(bench, { ...FIGURE, value })] }, folder);
    try {
      assert.equal(newestResults(folder), undefined);
      results("2026-01-01T00:00:00.000Z", 1, "one", 1);
      results("2026-01-02T00:00:00.000Z", 1, "two", 2);
      results("2026-01-03T00:00:00.000Z", 0.1, "one", 3);
      results("2026-01-04T00:00:00.000Z", 1, "two", 4);
      assert.deepEqual(
        newestResults(folder)?.figures.map(({ bench, value }) => [bench, value]),
        [
          ["one", 1],
          ["two", 4],
        ],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("renders the table, and fills it in between the marks only", () => {
    assert.match(textTable([FIGURE]), /a thing +3 ms +2 ms, bare +1\.5x +≤ 2\.5 ms +missed/u);
    const table = markdownTable({ at: "2026-01-01T00:00:00.000Z", machine: "m", share: 1, figures: [FIGURE] });
    assert.match(table, /\| a thing \| 3 ms \| 2 ms, bare \| 1\.5x \| ≤ 2\.5 ms \| missed \|/u);
    const once = filled("# a\n<!-- made: bench -->\n<!-- /made -->\nb", table);
    assert.equal(once, `# a\n<!-- made: bench -->\n\n${table}\n\n<!-- /made -->\nb`);
    assert.equal(filled(once ?? "", table), once);
    assert.equal(filled("# no marks", table), undefined);
    assert.equal(filled(once ?? "", table, "other"), undefined);
  });

  it("reckons what a relay needs for so many pairs, from what was measured", () => {
    const cost = (of: keyof typeof RELAY_FIGURES, value: number) =>
      figureOf("relay", { what: RELAY_FIGURES[of], value, unit: "ms", reference: { what: "bare", value: 1 } });
    const figures = [
      cost("idle", 64),
      cost("pair", 16),
      cost("idleSocket", 1),
      cost("alone", 30),
      cost("renewal", 0.36),
      cost("sharedRenewal", 0.72),
      cost("databaseRenewal", 1),
      cost("token", 100),
      cost("hostConnection", 1),
      cost("deviceConnection", 2),
      cost("tlsPair", 128),
    ];
    const one = needOf(10_000, figures);
    assert.deepEqual([one.nodes, one.nodeSockets, one.subjects, one.moved], [1, 20_000, 0, 0]);
    assert.equal(one.memoryGb, 64 / 1024 + (10_000 * 16) / 1024 ** 2);
    assert.equal(one.tlsGb, 64 / 1024 + (10_000 * 128) / 1024 ** 2);
    assert.equal(one.processors, (10_000 * (2 + 2 + 1)) / 1e6);
    assert.equal(one.returnS, 30);
    const many = needOf(1_000_000, figures);
    assert.deepEqual([many.nodes, many.subjects, many.moved], [40, 1_000_160, 1_000_000]);
    assert.equal(many.processors, (1_000_000 * (2 + 2 + 2)) / 1e6);
    assert.equal(many.databaseProcessors, many.renewals / 1_000);
    assert.equal(
      needOf(
        1,
        figures.filter(({ what }) => what !== RELAY_FIGURES.databaseRenewal),
      ).databaseProcessors,
      undefined,
    );
    assert.throws(() => needOf(1, figures.slice(1)), /relay, idle" was not measured/u);
    const page = capacityTables({ at: "2026-01-02T03:04:05.000Z", machine: "m", share: 1, figures });
    assert.match(
      page,
      /^Reckoned with: .*\n\nFrom the run of `npm run bench -- relay` on 2026-01-02 03:04 UTC \(m\)\./u,
    );
    assert.match(page, /\| nodes \| 1 \| 40 \| 4,000 \|/u);
    assert.match(page, /\| relay, idle \| 64 ms \| 1 ms, bare \|/u);
    assert.match(page, /### 100,000,000 pairs/u);
  });

  it("follows what a page loads before it can be used, and nothing that is loaded later", () => {
    const app = mkdtempSync(join(tmpdir(), "flybridge-app-"));
    try {
      mkdirSync(join(app, "assets"));
      const files = {
        "index.html": `<script type="module" src="/assets/main.js"></script><link rel="stylesheet" href="/assets/main.css">`,
        "assets/main.css": "",
        "assets/main.js": `import "./a.js"; import("./later.js");`,
        "assets/a.js": `export { b } from "./b.js"; import "./main.js";`,
        "assets/b.js": "export const b = 1;",
        "assets/later.js": "",
      };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text);
      assert.deepEqual(firstScreen(app).sort(), [
        "/assets/a.js",
        "/assets/b.js",
        "/assets/main.css",
        "/assets/main.js",
      ]);
    } finally {
      rmSync(app, { recursive: true });
    }
  });

  it("writes journals that a host streams whole, however much was missed", async () => {
    const entries = 20_000;
    await using world = await startWorld();
    await world.kill();
    const session = writeSession(join(world.state, "flybridge.db"), entries);
    await world.restart();
    const device = await world.pair();
    let next = 2;
    const there = listen(device, (message) => {
      if (message.t !== "entries") return false;
      for (const { seq } of message.entries) assert.equal(seq, next++);
      return next > entries;
    });
    await device.call("session.follow", { session, from: 2 });
    await there;
    device.close();
  });
});
