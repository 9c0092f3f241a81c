import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, it, type TestContext } from "node:test";
import { homeOf, HomeTaken, takeHome } from "./home.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-home-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const freshRoot = () => join(root, `h${count++}`);

/** Another process on the same state folder, and what it said. */
async function another(t: TestContext, folder: string) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "home.fixture.ts")], {
    env: { ...process.env, FLYBRIDGE_HOME: folder },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const [said] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, ended, said };
}

describe("the state folder", () => {
  it("is where FLYBRIDGE_HOME says, made absolute, with each thing in its place", () => {
    const folder = freshRoot();
    const home = homeOf({ FLYBRIDGE_HOME: folder });
    assert.deepEqual(
      [home.root, home.database, home.identity, home.shell],
      [folder, join(folder, "flybridge.db"), join(folder, "host.json"), join(folder, "cli.json")],
    );
    assert.equal(homeOf({ FLYBRIDGE_HOME: "here" }).root, join(process.cwd(), "here"));
  });

  it("has a socket path that a socket can have, however deep the folder", () => {
    const longest = process.platform === "linux" ? 107 : 103;
    for (const length of [10, 60, 80, 88, 90, 92, 95, 100, 200, 1000]) {
      const home = homeOf({ FLYBRIDGE_HOME: `/${"d".repeat(length)}` });
      assert.ok(Buffer.byteLength(home.socket) <= longest, `${home.socket.length}: ${home.socket}`);
    }
    const [a, b] = ["a", "b"].map((end) => homeOf({ FLYBRIDGE_HOME: `/${"d".repeat(200)}${end}` }).socket);
    assert.notEqual(a, b, "two deep folders do not share one");
  });

  it("is one host's: a second process is told whose it is, and what to do", async (t) => {
    const folder = freshRoot();
    using _held = takeHome(homeOf({ FLYBRIDGE_HOME: folder }));
    const { said } = await another(t, folder);
    assert.ok(said.startsWith(`HomeTaken: Another host (process ${process.pid}) is running on ${folder}.`), said);
    assert.match(said, /flybridge status.*flybridge down.*FLYBRIDGE_HOME/u);
    assert.equal(readFileSync(join(folder, "host.pid"), "utf8"), `${process.pid}\n`, "the loser changes nothing");
  });

  it("is one host's within one process too, and stays it after the second was refused", async (t) => {
    const home = homeOf({ FLYBRIDGE_HOME: freshRoot() });
    {
      using _held = takeHome(home);
      assert.throws(() => takeHome(home), HomeTaken);
      // The refused one opened and closed files of the folder: by POSIX that could have ended the lock.
      assert.match((await another(t, home.root)).said, /^HomeTaken/u);
    }
    using _again = takeHome(home);
  });

  it("is free again at once when its host is killed", async (t) => {
    const home = homeOf({ FLYBRIDGE_HOME: freshRoot() });
    const { child, ended, said } = await another(t, home.root);
    assert.equal(said, "taken");
    assert.throws(
      () => takeHome(home),
      (error) => error instanceof HomeTaken && error.message.includes(`process ${child.pid}`),
    );
    child.kill("SIGKILL");
    await ended;
    using _held = takeHome(home);
    assert.equal(readFileSync(join(home.root, "host.pid"), "utf8"), `${process.pid}\n`);
  });

  it("and everything that taking it leaves is its owner's alone", () => {
    const umask = process.umask(0);
    try {
      const home = homeOf({ FLYBRIDGE_HOME: freshRoot() });
      using _held = takeHome(home);
      assert.equal(statSync(home.root).mode & 0o777, 0o700);
      for (const name of ["host.lock", "host.pid"])
        assert.equal(statSync(join(home.root, name)).mode & 0o777, 0o600, name);
    } finally {
      process.umask(umask);
    }
  });

  it("with a damaged lock is refused by the lock's name", () => {
    const home = homeOf({ FLYBRIDGE_HOME: freshRoot() });
    takeHome(home)[Symbol.dispose]();
    writeFileSync(join(home.root, "host.lock"), "x".repeat(5000));
    assert.throws(() => takeHome(home), /host\.lock is damaged\. It holds nothing: remove it/u);
  });

  it("with a file in its place is refused by its name", () => {
    const folder = freshRoot();
    writeFileSync(folder, "");
    assert.throws(() => takeHome(homeOf({ FLYBRIDGE_HOME: folder })), new RegExp(`${folder} is not a folder`, "u"));
  });
});
