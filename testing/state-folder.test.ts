/** A state folder that cannot be used: said in one message with how to mend it, and nothing in it is touched. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { startWorld, type World } from "./world.ts";

const HOST = join(import.meta.dirname, "..", "host", "main.ts");

/** A host that is expected not to start. */
async function starts(
  state: string,
  args: readonly string[] = ["--port", "0"],
): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, [HOST, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: state, FLYBRIDGE_HOME: state },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 20_000,
  });
  let errors = "";
  child.stderr.on("data", (bytes: Buffer) => (errors += bytes.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, errors };
}

/** One message for a person, not a stack. */
function mends(errors: string, words: RegExp): void {
  assert.match(errors, words);
  assert.doesNotMatch(errors, /^\s+at /mu);
}

describe("a state folder", { timeout: 240_000 }, () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  it("belongs to one host: a second is told which, ends with 2, and the first does not notice", async () => {
    const device = await world.pair("of the first");
    const socket = readFileSync(join(world.state, "cli.json"), "utf8");
    const { code, errors } = await starts(world.state);
    assert.equal(code, 2);
    mends(errors, new RegExp(`process ${world.pid}.*flybridge status.*flybridge down.*FLYBRIDGE_HOME`, "u"));
    assert.equal(readFileSync(join(world.state, "cli.json"), "utf8"), socket);
    await device.call("host.read", {});
    (await world.shell()).close();
    device.close();
  });

  it("whose port is taken by another program is told so, with how to give another", async () => {
    const other = mkdtempSync(join(tmpdir(), "flybridge-"));
    const { code, errors } = await starts(other, ["--port", String(world.port)]);
    assert.equal(code, 1);
    mends(errors, /Port \d+ is taken.*--port/u);
    rmSync(other, { recursive: true });
  });

  const spoiltBy = async (file: string, spoil: (path: string) => void, words: RegExp): Promise<void> => {
    await using own = await startWorld();
    const device = await own.pair();
    const { session } = await device.call("session.create", {
      workspace: own.home,
      agent: "demo" as never,
      prompt: "flood 3",
    });
    await device.call("session.follow", { session, from: 1 });
    await device.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    await own.kill();
    const path = join(own.state, file);
    const files = [path, `${path}-wal`, `${path}-shm`];
    const good = files.map(contentOf);
    spoil(path);
    const spoilt = files.slice(0, 2).map(contentOf);
    const { code, errors } = await starts(own.state);
    assert.equal(code, 1);
    mends(errors, words);
    assert.deepEqual(files.slice(0, 2).map(contentOf), spoilt, "it is left as it is, for whoever can mend it");
    for (const [at, file] of files.entries()) {
      rmSync(file, { force: true });
      if (good[at]) writeFileSync(file, good[at], { mode: 0o600 });
    }
    await own.restart();
    const shell = await own.shell();
    assert.equal((await shell.call("session.list", {})).sessions.length, 1, "and mended, all is there");
    shell.close();
  };

  it("with a database of a newer version is left alone", async () => {
    await spoiltBy(
      "flybridge.db",
      (path) => {
        using db = new DatabaseSync(path);
        db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE);");
      },
      /newer Flybridge \(schema 999.*Nothing was changed\. Update Flybridge/u,
    );
  });

  it("with damaged keys is not given new ones in silence", () =>
    spoiltBy("host.json", (path) => writeFileSync(path, "{"), /host\.json is damaged.*Restore it from a backup/u));

  it("with a damaged shell file gets a new one, and the shell comes in", async () => {
    await using own = await startWorld();
    await own.kill();
    writeFileSync(join(own.state, "cli.json"), "not JSON");
    await own.restart();
    (await own.shell()).close();
  });

  it("that is a file, somebody else's, or where nothing can be written, is said to be so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-"));
    writeFileSync(join(folder, "file"), "");
    const inFile = await starts(join(folder, "file"));
    mends(inFile.errors, /is not a folder.*FLYBRIDGE_HOME/u);
    const under = await starts(join(folder, "file", "state"));
    mends(under.errors, /FLYBRIDGE_HOME/u);
    if (process.getuid?.() === 0) {
      const sealed = join(folder, "sealed");
      mkdirSync(sealed);
      assert.equal(
        spawnSync("mount", ["-t", "tmpfs", "-o", "ro", "flybridge", sealed]).status,
        0,
        "mounting needs CAP_SYS_ADMIN",
      );
      const readOnly = await starts(join(sealed, "state"));
      spawnSync("umount", [sealed]);
      mends(readOnly.errors, /sealed.*FLYBRIDGE_HOME/u);
      mkdirSync(join(folder, "theirs"));
      chownSync(join(folder, "theirs"), 65_534, 65_534);
      const theirs = await starts(join(folder, "theirs"));
      mends(theirs.errors, /belongs to somebody else.*FLYBRIDGE_HOME/u);
    }
    rmSync(folder, { recursive: true });
  });
});

/** Undefined when there is none, or nothing in it. */
function contentOf(path: string): Buffer | undefined {
  if (!existsSync(path)) return undefined;
  const content = readFileSync(path);
  return content.length === 0 ? undefined : content;
}

describe("a damaged database", { timeout: 240_000 }, () => {
  for (const [what, spoil] of Object.entries({
    "its head": (bytes: Buffer) => bytes.fill(0x5a, 0, 200),
    "its middle": (bytes: Buffer) => bytes.fill(0x5a, 4_096),
    "its end": (bytes: Buffer) => bytes.subarray(0, 6_000),
  })) {
    it(`is said to be so when ${what} is lost, with how to go on`, async () => {
      await using own = await startWorld();
      const shell = await own.shell();
      // An orderly end moves the log into the file.
      await shell.call("host.stop", { keeper: false });
      const path = join(own.state, "flybridge.db");
      while (existsSync(`${path}-wal`)) await delay(20);
      await own.kill();
      const good = readFileSync(path);
      writeFileSync(path, spoil(Buffer.from(good)));
      const { code, errors } = await starts(own.state);
      assert.equal(code, 1);
      mends(errors, /flybridge\.db[\s\S]*backup/u);
      writeFileSync(path, good);
      await own.restart();
    });
  }
});
