import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import { signingKey } from "@flybridge/crypto/identity.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { AUDIT_PAGE_ROWS } from "@flybridge/protocol/limits.ts";
import { openStore } from "../machine/store/store.ts";
import { makeAudit } from "./audit.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-audit-"));
after(() => rmSync(root, { recursive: true, force: true }));
const HOST = signingKey(new Uint8Array(32).fill(1));
const DEVICE = "d".repeat(43) as DeviceId;
let logs = 0;

/** A log of so many rows, and what is wrong with it once its file was edited with the host down. */
function log(rows: number) {
  const path = join(root, `${logs++}.db`);
  let store = openStore(path);
  const open = (key = HOST) => makeAudit({ shelf: store.audit, key, now: () => 1_000 });
  for (let row = 1; row <= rows; row++) open().note({ event: "device.renamed", device: DEVICE, detail: `name ${row}` });
  return {
    audit: open,
    edited(sql: string, key = HOST) {
      store.close();
      using db = new DatabaseSync(path);
      db.exec(sql);
      store = openStore(path);
      const { fault } = open(key).verify();
      return fault;
    },
    [Symbol.dispose]: () => store.close(),
  };
}

describe("the audit log", () => {
  it("is numbered from 1, in the order in which things happened, and intact over a restart", () => {
    using one = log(3);
    const { rows, more } = one.audit().page(undefined);
    assert.deepEqual(
      rows.map(({ seq, detail }) => [seq, detail]),
      [
        [1, "name 1"],
        [2, "name 2"],
        [3, "name 3"],
      ],
    );
    assert.equal(more, false);
    assert.equal(one.edited("SELECT 1"), undefined);
    assert.equal(one.audit().verify().rows, 3);
    assert.deepEqual(log(0).audit().verify().fault, undefined);
  });

  it("comes in pages, the newest first", () => {
    using one = log(AUDIT_PAGE_ROWS + 3);
    const newest = one.audit().page(undefined);
    assert.deepEqual([newest.rows[0]?.seq, newest.rows.length, newest.more], [4, AUDIT_PAGE_ROWS, true]);
    const oldest = one.audit().page(4);
    assert.deepEqual([oldest.rows.map(({ seq }) => seq), oldest.more], [[1, 2, 3], false]);
    assert.deepEqual(one.audit().page(1), { rows: [], more: false });
  });

  const edits: readonly (readonly [what: string, sql: string, seq: number, says: RegExp])[] = [
    ["removed", "DELETE FROM audit WHERE seq = 2", 2, /Row 2 is missing/u],
    [
      "removed and the rest numbered anew",
      "DELETE FROM audit WHERE seq = 2; UPDATE audit SET seq = seq - 1 WHERE seq > 2",
      2,
      /changed/u,
    ],
    ["changed in its words", "UPDATE audit SET detail = 'another' WHERE seq = 3", 3, /Row 3 was changed/u],
    ["changed in its time", "UPDATE audit SET at = 7 WHERE seq = 1", 1, /Row 1 was changed/u],
    [
      "moved",
      "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99",
      2,
      /changed/u,
    ],
    ["cut off at the end", "DELETE FROM audit WHERE seq = 4", 4, /ends at row 3.*says 4/u],
    [
      "cut off at the end with the head put back",
      "DELETE FROM audit WHERE seq = 4; UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit WHERE seq = 3)",
      3,
      /not signed by this host/u,
    ],
    ["none but the head", "DELETE FROM audit_head", 4, /signed head.* is missing/u],
  ];
  for (const [what, sql, seq, says] of edits)
    it(`shows a row that was ${what}`, () => {
      using one = log(4);
      const fault = one.edited(sql);
      assert.equal(fault?.seq, seq);
      assert.match(fault.message, says);
    });

  it("shows a row that was changed and given a hash that fits it", () => {
    using one = log(4);
    const [first, second] = one.audit().page(undefined).rows;
    assert.ok(first && second);
    const said = JSON.stringify([first.hash, 2, second.at, second.event, DEVICE, null, "another"]);
    const hash = createHash("sha256").update(said).digest("base64url");
    const fault = one.edited(`UPDATE audit SET detail = 'another', hash = '${hash}' WHERE seq = 2`);
    assert.equal(fault?.seq, 3);
  });

  it("of another host does not pass for this one's", () => {
    using one = log(2);
    assert.match(one.edited("SELECT 1", signingKey(new Uint8Array(32).fill(2)))?.message ?? "", /not signed/u);
  });
});
