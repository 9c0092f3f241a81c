import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_NOTICES, type Notice } from "@flybridge/protocol/relay/account.ts";
import { faultIs } from "./database.contract.ts";
import { noticesIn, SAME_NOTICE_MS } from "./notices.ts";
import { fill, keyOf, NOW } from "./samples.contract.ts";
import type { Open } from "./stores.contract.ts";

export function noticesContract(open: Open): void {
  describe("notices", () => {
    it("are an account's own, newest first, until they are dismissed", async () => {
      await using database = await open();
      const notices = noticesIn(database);
      await fill(database, ["ann", "bob"], []);
      const first: Notice = { at: NOW, kind: "signed_in", key: keyOf("phone"), from: "192.0.0.0/16" };
      const second: Notice = { at: NOW + 1, kind: "locked" };
      await notices.add(keyOf("ann"), first);
      await notices.add(keyOf("ann"), second);
      await notices.add(keyOf("bob"), second);
      assert.deepEqual(await notices.list(keyOf("ann")), [second, first]);
      await notices.dismiss(keyOf("ann"));
      assert.deepEqual(await notices.list(keyOf("ann")), []);
      assert.deepEqual(await notices.list(keyOf("bob")), [second]);
      await assert.rejects(notices.add(keyOf("nobody"), second), faultIs("conflict"));
    });

    it("are bounded: the oldest give way, and before them what only says that somebody moved", async () => {
      await using database = await open();
      const notices = noticesIn(database);
      await fill(database, ["ann", "bob"], []);
      await notices.add(keyOf("bob"), { at: 1, kind: "locked" });
      await notices.add(keyOf("ann"), { at: NOW, kind: "session_reused" });
      const moves = 2 * MAX_NOTICES;
      for (let at = 1; at <= moves; at++) await notices.add(keyOf("ann"), { at: NOW + at, kind: "moved" });
      const listed = await notices.list(keyOf("ann"));
      assert.equal(listed.length, MAX_NOTICES);
      assert.equal(listed.at(0)?.at, NOW + moves);
      assert.equal(listed.at(-1)?.kind, "session_reused");
      for (let at = 1; at <= MAX_NOTICES; at++)
        await notices.add(keyOf("ann"), { at: NOW + moves + at, kind: "locked" });
      assert.ok((await notices.list(keyOf("ann"))).every(({ kind, at }) => kind === "locked" && at > NOW + moves));
      assert.equal((await database.query("SELECT id FROM notice")).length, MAX_NOTICES + 1);
      assert.equal((await notices.list(keyOf("bob"))).length, 1);
    });

    it("are said once a day where they would be said again and again", async () => {
      await using database = await open();
      const notices = noticesIn(database);
      await fill(database, ["ann"], []);
      const moved: Notice = { at: NOW, kind: "moved", key: keyOf("phone"), from: "192.0.0.0/16" };
      const said = (notice: Notice) => notices.addOnce(keyOf("ann"), notice);
      assert.equal(await said(moved), true);
      assert.equal(await said({ ...moved, at: NOW + SAME_NOTICE_MS - 1 }), false);
      assert.equal(await said({ ...moved, from: "10.0.0.0/16" }), true);
      assert.equal(await said({ ...moved, key: keyOf("tablet") }), true);
      assert.equal(await said({ ...moved, kind: "signed_in" }), true);
      assert.equal(await said({ at: NOW, kind: "locked" }), true);
      assert.equal(await said({ at: NOW + 1, kind: "locked" }), false);
      assert.equal(await said({ ...moved, at: NOW + SAME_NOTICE_MS }), true);
    });
  });
}
