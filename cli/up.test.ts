import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { hostPid, openShell, type Shell } from "@flybridge/testing/shell.ts";

const UP = ["up", "--port", "0", "--no-open"];

describe("without a host", () => {
  const shell = openShell();
  after(() => shell[Symbol.asyncDispose]());

  for (const words of [
    ["ls"],
    ["devices"],
    ["pair"],
    ["send", "x", "y"],
    ["attach", "x"],
    ["logs", "x"],
    ["run", "demo"],
  ])
    it(`${words[0]} says how to start one, and fails`, async () => {
      const { code, stdout, stderr } = await shell.run(words);
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /^No host is running on .*fly bridge\. Start it with flybridge up\.\n$/u);
    });

  it("tells a script so in one line of JSON", async () => {
    const { code, stdout, stderr } = await shell.run(["ls", "--json"]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, "not_running");
  });

  it("status is 1, down has nothing to do, doctor looks around all the same", async () => {
    const status = await shell.run(["status", "--json"]);
    assert.deepEqual([status.code, status.json[0]?.["running"]], [1, false]);
    assert.equal((await shell.run(["down"])).code, 0);
    const doctor = await shell.run(["doctor", "--json"]);
    assert.equal(doctor.code, 0, doctor.stdout);
    const levels = new Map(doctor.json.map((finding) => [finding["about"], finding["level"]]));
    assert.deepEqual([levels.get("node"), levels.get("host"), levels.get("state folder")], ["ok", "warning", "ok"]);
  });

  it("wrong usage is 2 and says what is right", async () => {
    const wrong: [string[], RegExp][] = [
      [["nope"], /no command "nope"/u],
      [["send"], /ID is missing/u],
      [["send", "x", "a", "b"], /one word too many/u],
      [["ls", "--colour"], /Unknown option '--colour'/u],
      [["up", "--port", "80000"], /not a number from 0 to 65535/u],
      [["up", "--port"], /argument missing/u],
      [["up", "--confirm", "sometimes"], /none of remote, always, never/u],
      [["up", "--bind", "studio"], /not an address/u],
      [["up", "--no-mdns"], /--bind ADDRESS too/u],
      [["up", "--ice", "stun.example"], /not like stun:/u],
      [["up", "--ice", "turn:ada:secret@turn.example"], /Put the line into a file/u],
      [["up", "--bind", "0.0.0.0", "--cert", "x"], /go together/u],
      [["up", "--bind", "0.0.0.0", "--cert", "x", "--key", "y", "--tailscale"], /not both/u],
      [["pair", "--life", "9999"], /not a number of seconds/u],
      [["logs", "-n", "none"], /not a number from 1/u],
      [["send", "x", " "], /prompt is empty/u],
    ];
    for (const [words, says] of wrong) {
      const { code, stderr } = await shell.run(words);
      assert.equal(code, 2, words.join(" "));
      assert.match(stderr, says);
    }
  });

  it("says what each command does, with examples", async () => {
    const { code, stdout } = await shell.run(["--help"]);
    assert.equal(code, 0);
    for (const [, name = ""] of stdout.matchAll(/^ {2}([a-z-]+) {3,}/gmu)) {
      const help = await shell.run([name, "--help"]);
      assert.equal(help.code, 0);
      assert.match(help.stdout, new RegExp(`Usage: flybridge ${name}.*Examples:\\n  .*flybridge ${name}`, "su"));
    }
  });
});

describe("up and down", { timeout: 300_000 }, () => {
  let shell: Shell;
  before(() => {
    shell = openShell();
  });
  after(() => shell[Symbol.asyncDispose]());

  it("[A20] [A30] [B07] [B08] starts the host, prints where it listens, its name, and a connection string", async () => {
    const { code, stdout, stderr } = await shell.run([...UP, "--name", "Work \u001b[31mlaptop"]);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^Flybridge \d+\.\d+\.\d+\nlistening on http:\/\/127\.0\.0\.1:\d+\nName: Work ⟨U\+001B⟩\[31mlaptop\n/u,
    );
    assert.match(
      stdout,
      /Connection string \(paste into .*\):\n {2}flybridge:\/\/127\.0\.0\.1:\d+\/[\w-]{11}\.[\w-]{43}\.[\w-]{43}/u,
    );
    assert.match(stdout, /in the next 5 min\./u);
    assert.ok(!stdout.includes("\u001b"));
  });

  it("[B07] [B08] [B19] [A33] bound to an address, says where it listens and by which key it is known there", async () => {
    const other = openShell();
    try {
      const { code, stdout, stderr } = await other.run([
        ...UP,
        "--bind",
        "127.0.0.2",
        "--no-mdns",
        "--name",
        "Work Laptop",
      ]);
      assert.equal(code, 0, stderr);
      const [, port = ""] = /^listening on wss:\/\/127\.0\.0\.2:(\d+)$/mu.exec(stdout) ?? [];
      assert.match(
        stdout,
        new RegExp(`^Flybridge .*\nlistening on wss://127.0.0.2:${port}\nlistening on http://127.0.0.1:${port}\n`, "u"),
      );
      assert.match(stdout, /\nName: Work Laptop\nCertificate: SHA256:[\w+/]{43}\n/u);
      assert.match(stdout, new RegExp(`\n  https://127.0.0.2:${port}/pair#flybridge://127.0.0.2:${port}/`, "u"));
      assert.match(stdout, new RegExp(`Connection string \\(paste into .*\\):\n  flybridge://127.0.0.2:${port}/`, "u"));
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it("says so when the address is not this machine's, or the certificate is not there", async () => {
    const other = openShell();
    try {
      const elsewhere = await other.run([...UP, "--bind", "192.0.2.7"]);
      assert.equal(elsewhere.code, 1);
      assert.match(elsewhere.stderr, /192\.0\.2\.7 is not an address of this machine/u);
      const gone = await other.run([...UP, "--bind", "127.0.0.2", "--cert", "gone.crt", "--key", "gone.key"]);
      assert.equal(gone.code, 1);
      assert.match(gone.stderr, /gone\.crt cannot be read/u);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it("leaves files that are its owner's alone", () => {
    assert.equal(statSync(shell.home).mode & 0o777, 0o700);
    for (const file of ["cli.json", "log/host.log"]) assert.equal(statSync(join(shell.home, file)).mode & 0o777, 0o600);
  });

  it("says so when it runs already, with its process", async () => {
    const { code, json } = await shell.run([...UP, "--json"]);
    assert.equal(code, 0);
    assert.deepEqual([json[0]?.["started"], json[0]?.["pid"]], [false, hostPid(shell.home)]);
    const { stdout } = await shell.run(UP);
    assert.match(stdout, new RegExp(`a host is already running \\(process ${hostPid(shell.home)}\\)`, "u"));
  });

  it("status and doctor find it well", async () => {
    const status = await shell.run(["status", "--json"]);
    assert.equal(status.code, 0);
    assert.deepEqual(status.json[0]?.["sessions"], { total: 0, waiting: 0, running: 0, idle: 0, ended: 0 });
    const doctor = await shell.run(["doctor", "--json"]);
    assert.equal(doctor.code, 0, doctor.stdout);
    assert.ok(doctor.json.some(({ about, level }) => about === "keeper" && level === "ok"));
  });

  it("commands side by side all get in, and their shell is never taken for two copies of itself", async () => {
    const many = ["ls", "devices", "status", "confirm"].flatMap((name) => Array.from({ length: 5 }, () => name));
    const all = await Promise.all(many.map((name) => shell.run([name, "--json"])));
    assert.deepEqual(new Set(all.map(({ code, stderr }) => `${code} ${stderr}`)), new Set(["0 "]));
    const [own] = (await shell.run(["devices", "--json"])).json;
    assert.deepEqual([own?.["kind"], own?.["suspended"]], ["cli", undefined]);
    const { json } = await shell.run(["audit", "--json"]);
    assert.ok(json.length > 0 && !json.some(({ event }) => event === "device.suspended"));
  });

  it("a connection cut off in the middle of coming back leaves a secret that the host knows", async () => {
    const path = join(shell.home, "cli.json");
    const kept = JSON.parse(readFileSync(path, "utf8")) as { continuity: string; before?: string[] };
    // As after a crash between writing the next secret down and the host taking it.
    writeFileSync(path, JSON.stringify({ ...kept, continuity: "A".repeat(43), before: [kept.continuity] }));
    assert.equal((await shell.run(["ls"])).code, 0);
  });

  it("a damaged cli.json is told, with the way out, which works", async () => {
    writeFileSync(join(shell.home, "cli.json"), '{"host": "x');
    const told = await shell.run(["ls"]);
    assert.equal(told.code, 1);
    assert.match(told.stderr, /cli\.json is damaged.*flybridge down, then flybridge up/su);
    assert.equal((await shell.run(["down"])).code, 0);
    assert.equal((await shell.run(UP)).code, 0);
    assert.equal((await shell.run(["ls"])).code, 0);
  });

  it("down waits until it is gone, twice is not an error", async () => {
    const pid = hostPid(shell.home);
    assert.equal((await shell.run(["down", "--json"])).stdout, '{"stopped":true}\n');
    assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    assert.equal((await shell.run(["down", "--json"])).stdout, '{"stopped":false}\n');
    const logs = await shell.run(["logs"]);
    assert.match(logs.stdout, /ready port=\d+.*ended/su);
  });

  it("two at once start one", async () => {
    const both = await Promise.all([shell.run([...UP, "--json"]), shell.run([...UP, "--json"])]);
    assert.deepEqual(
      both.map(({ code, stderr }) => `${code} ${stderr}`),
      ["0 ", "0 "],
    );
    const told = both.map(({ json }) => json[0]);
    assert.equal(told[0]?.["pid"], told[1]?.["pid"]);
    assert.equal(told.filter((one) => one?.["started"] === true).length, 1);
    assert.equal((await shell.run(["down", "--all"])).code, 0);
  });

  it("in the foreground, the host ends with it", async () => {
    const up = shell.start([...UP, "--foreground", "--json"]);
    const told = JSON.parse(await up.line(() => true)) as { started: boolean; pid: number };
    assert.equal(told.started, true);
    up.child.kill("SIGTERM");
    assert.equal((await up.ended).code, 0);
    assert.throws(() => process.kill(told.pid, 0), { code: "ESRCH" });
  });

  it("a host that cannot start says why, in its own words", async () => {
    const other = openShell();
    const held = openShell();
    try {
      const first = await held.run([...UP, "--json"]);
      const port = new URL(String(first.json[0]?.["address"])).port;
      const { code, stderr } = await other.run(["up", "--port", port, "--no-open"]);
      assert.equal(code, 1);
      assert.match(stderr, /The host did not start.*Port \d+ is taken/su);
    } finally {
      await held[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    }
  });

  it(
    "a state folder that cannot be written is told, with the way out",
    { skip: process.getuid?.() === 0 && "root may write everywhere" },
    async () => {
      mkdirSync(shell.home, { recursive: true });
      chmodSync(shell.home, 0o500);
      const { code, stderr } = await shell.run(UP, { env: { FLYBRIDGE_HOME: join(shell.home, "deeper") } });
      chmodSync(shell.home, 0o700);
      assert.equal(code, 1);
      assert.match(stderr, /cannot be written.*FLYBRIDGE_HOME/su);
    },
  );

  it("a state folder that is a file is told, with the way out", async () => {
    const file = join(shell.home, "..", "file");
    writeFileSync(file, "");
    const env = { FLYBRIDGE_HOME: file };
    const up = await shell.run(UP, { env });
    assert.equal(up.code, 1);
    assert.match(up.stderr, /cannot be written.*FLYBRIDGE_HOME/su);
    const doctor = await shell.run(["doctor", "--json"], { env });
    assert.equal(doctor.code, 1);
    assert.ok(doctor.json.some(({ level, mend }) => level === "error" && String(mend).includes("FLYBRIDGE_HOME")));
  });
});
