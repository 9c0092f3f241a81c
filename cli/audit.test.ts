/** The audit log from a shell, and what is found when somebody was at its rows. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { BareDevice } from "@flybridge/testing/bare.ts";
import { openShell, type Outcome, type Shell } from "@flybridge/testing/shell.ts";

describe("the audit log from a shell", { timeout: 300_000 }, () => {
  let shell: Shell;

  const done = async (...words: string[]): Promise<Outcome> => {
    const outcome = await shell.run(words);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  const up = (): Promise<Outcome> => done("up", "--port", "0", "--no-open");
  /** Runs this on the log of a host that has ended, asks the host that starts after it, and puts the log back. */
  const spoilt = async (...statements: string[]): Promise<Outcome> => {
    await done("down");
    const database = new DatabaseSync(join(shell.home, "flybridge.db"));
    const rows = database.prepare("SELECT * FROM audit").all();
    const head = database.prepare("SELECT * FROM audit_head").get();
    for (const statement of statements) database.exec(statement);
    await up();
    const outcome = await shell.run(["audit", "verify", "--json"]);
    const said = await shell.run(["audit", "verify"]);
    assert.deepEqual([said.code, /^Not intact\. .*row \d+/iu.test(said.stdout)], [1, true], said.stdout);
    await done("down");
    database.exec("DELETE FROM audit; DELETE FROM audit_head");
    const put = (table: string, row: Record<string, unknown>): void => {
      const names = Object.keys(row);
      const marks = names.map(() => "?").join(", ");
      database
        .prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks})`)
        .run(...(Object.values(row) as string[]));
    };
    for (const row of rows) put("audit", row);
    put("audit_head", head ?? {});
    database.close();
    await up();
    return outcome;
  };
  const found = ({ code, json }: Outcome): unknown[] => {
    const [told] = json;
    const fault = told?.["fault"] as { seq: number; message: string } | undefined;
    return [code, told?.["intact"], fault?.seq, fault?.message];
  };

  before(async () => {
    shell = openShell();
    await up();
    const { json } = await done("show-connection-string", "--json");
    const phone = await BareDevice.pair(String(json[0]?.["connection"]), "Ada's \u001b[31mphone");
    await done("revoke", "Ada's \u001b[31mphone", "--yes");
    await phone.ended;
  });
  after(() => shell[Symbol.asyncDispose]());

  it("lists who came, newest last, made safe, and no more than was asked for", async () => {
    const { stdout } = await done("audit");
    assert.match(
      stdout,
      /\n +\d+ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}device paired {6}phone Ada's ⟨U\+001B⟩\[31mphone, by loopback: everything\n(?:.*\n)*.*device revoked {5}phone Ada's .*by This machine's shell\n$/u,
    );
    const all = (await done("audit", "--json", "--limit", "1000")).json;
    assert.deepEqual(
      all.map(({ seq }) => seq),
      all.map((_, at) => at + 1),
    );
    const last = (await done("audit", "--json", "--limit", "2")).json;
    assert.deepEqual(last, all.slice(-2));
  });

  it("is intact, with the head that was signed and by which key", async () => {
    const { json } = await done("audit", "verify", "--json");
    const [told] = json;
    const last = (await done("audit", "--json")).json.at(-1);
    const head = told?.["head"] as { seq: number; hash: string };
    assert.deepEqual([told?.["intact"], head.seq, head.hash], [true, last?.["seq"], last?.["hash"]]);
    assert.match(
      (await done("audit", "verify")).stdout,
      /^Intact: \d+ rows\.\nhead {2}\d+ {2}\S{43}\nkey {3}\S{43}\n$/u,
    );
  });

  it("finds a row that was removed, the last one too", async () => {
    assert.deepEqual(found(await spoilt("DELETE FROM audit WHERE seq = 2")), [
      1,
      false,
      2,
      "Row 2 is missing: row 3 comes after row 1.",
    ]);
    const last = Number((await done("audit", "--json")).json.at(-1)?.["seq"]);
    const [code, intact, seq] = found(await spoilt(`DELETE FROM audit WHERE seq = ${last}`));
    assert.deepEqual([code, intact, seq], [1, false, last]);
  });

  it("finds a row that was changed, and two that changed places", async () => {
    assert.deepEqual(found(await spoilt("UPDATE audit SET detail = 'nobody' WHERE seq = 3")).slice(0, 3), [
      1,
      false,
      3,
    ]);
    const swapped = await spoilt(
      "UPDATE audit SET seq = -2 WHERE seq = 2",
      "UPDATE audit SET seq = 2 WHERE seq = 3",
      "UPDATE audit SET seq = 3 WHERE seq = -2",
    );
    assert.deepEqual(found(swapped).slice(0, 3), [1, false, 2]);
  });

  it("is intact again when it is as it was; there is nothing else to do with it", async () => {
    assert.match((await done("audit", "verify")).stdout, /^Intact/u);
    const { code, stderr } = await shell.run(["audit", "repair"]);
    assert.deepEqual([code, /flybridge audit verify/u.test(stderr)], [2, true]);
  });
});
