import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Invitation } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import { invitationsIn } from "./invitations.ts";
import { NOW } from "./samples.contract.ts";
import type { Open } from "./stores.contract.ts";

const AT_ONCE = 50;

export function invitationsContract(open: Open): void {
  describe("invitations", () => {
    it("are used once, however many come with one at once", async () => {
      await using database = await open();
      const code = await invitationsIn(database).make("either", NOW + 1);
      const taken = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, at) =>
          at % 2 === 0
            ? invitationsIn(database).take(code, "host", NOW)
            : database.transaction((tx) => invitationsIn(tx).take(code, "account", NOW)),
        ),
      );
      assert.equal(taken.filter(Boolean).length, 1);
    });

    it("are not used up by what came to nothing", async () => {
      await using database = await open();
      const code = await invitationsIn(database).make("account", NOW + 1);
      await assert.rejects(
        database.transaction(async (tx) => {
          assert.equal(await invitationsIn(tx).take(code, "account", NOW), true);
          throw new Error("the e-mail is taken");
        }),
      );
      assert.equal(await invitationsIn(database).take(code, "account", NOW), true);
    });

    it("are for a host, for an account, or for either", async () => {
      await using database = await open();
      const invitations = invitationsIn(database);
      for (const whom of ["host", "account"] as const) {
        const other = whom === "host" ? "account" : "host";
        const code = await invitations.make(whom, NOW + 1);
        assert.equal(await invitations.take(code, other, NOW), false);
        assert.equal(await invitations.take(code, whom, NOW), true);
        assert.equal(await invitations.take(await invitations.make("either", NOW + 1), whom, NOW), true);
      }
    });

    it("are late at their time, and swept then", async () => {
      await using database = await open();
      const invitations = invitationsIn(database);
      const code = await invitations.make("host", NOW);
      assert.equal(await invitations.take(code, "host", NOW), false);
      await invitations.make("host", NOW + 1);
      await invitations.sweep(NOW);
      assert.equal((await database.query("SELECT hash FROM invitation")).length, 1);
    });

    it("are what a person can type, and are kept as a hash", async () => {
      await using database = await open();
      const invitations = invitationsIn(database);
      const code = await invitations.make("host", NOW + 1);
      assert.match(code, /^[0-9a-hjkmnp-tv-z]{4}(?:-[0-9a-hjkmnp-tv-z]{4}){3}$/u);
      assert.ok(v.is(Invitation, code));
      assert.notEqual(code, await invitations.make("host", NOW + 1));
      const stored = JSON.stringify(await database.query("SELECT hash, whom, expires FROM invitation"));
      assert.ok(!stored.includes(code) && !stored.includes(code.replaceAll("-", "")));
      const typed = ` ${code.toUpperCase().replaceAll("-", " ").replaceAll("0", "O").replaceAll("1", "l")} `;
      assert.equal(await invitations.take(typed, "host", NOW), true);
    });

    it("are nothing that somebody made up", async () => {
      await using database = await open();
      const invitations = invitationsIn(database);
      await invitations.make("either", NOW + 1);
      for (const code of [
        "",
        "-",
        "%",
        "' OR 1 = 1 --",
        "\u0000",
        "\ud800",
        "0000-0000-0000-0000",
        "x".repeat(100_000),
      ])
        assert.equal(await invitations.take(code, "host", NOW), false);
    });
  });
}
