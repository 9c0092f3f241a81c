import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { commandNames, commandSteps } from "./commands.mjs";
import { alone } from "./lock.mjs";
import { bringNode } from "./node.mjs";
import { fetchPackage } from "./npm.mjs";
import { agreesWithLock } from "./packages.mjs";
import { personsEnvironment, runStep } from "./run.mjs";

const folder = mkdtempSync(join(tmpdir(), "flybridge-launch-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const HERE = import.meta.dirname;

describe("commands", () => {
  it("make nothing but flags the host in the foreground, and leave words to the CLI", () => {
    assert.deepEqual(commandSteps("start", [])?.at(-1), ["cli/main.ts", "up", "--foreground"]);
    assert.deepEqual(commandSteps("start", ["--port", "1"])?.at(-1), [
      "cli/main.ts",
      "up",
      "--foreground",
      "--port",
      "1",
    ]);
    assert.deepEqual(commandSteps("start", ["ls", "--json"]), [["cli/main.ts", "ls", "--json"]]);
    assert.deepEqual(commandSteps("flybridge", []), [["cli/main.ts"]]);
    assert.equal(commandSteps("start", [])?.[0]?.[0], "scripts/web.ts");
  });

  it("are those of package.json, and no other word", () => {
    const manifest = JSON.parse(readFileSync(join(HERE, "..", "..", "package.json"), "utf8")) as { scripts: object };
    assert.deepEqual(commandNames().toSorted(), Object.keys(manifest.scripts).toSorted());
    assert.equal(commandSteps("toString", []), undefined);
    const wrong = spawnSync(process.execPath, [join(HERE, "..", "launch.mjs"), "nonsense"], { encoding: "utf8" });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /no command "nonsense"/);
  });
});

describe("the Node to run on", () => {
  it("is the machine's own from 24 on; nothing is fetched", async () => {
    for (const version of ["24.0.0", "26.1.0"]) {
      assert.equal(await bringNode(folder, { version, platform: "linux-x64" }), process.execPath);
    }
    assert.equal(existsSync(join(folder, ".cache")), false);
  });

  it("cannot be had for a platform that npm has none for: it says what to install", async () => {
    await assert.rejects(bringNode(folder, { version: "20.1.0", platform: "aix-ppc64" }), /install Node 24/);
  });

  it("too old to launch at all gets a sentence", () => {
    const preload = join(folder, "old.cjs");
    writeFileSync(preload, `Object.defineProperty(process.versions, "node", { value: "16.20.0" });`);
    const old = spawnSync(process.execPath, ["-r", preload, join(HERE, "..", "launch.mjs"), "check"], {
      encoding: "utf8",
    });
    assert.equal(old.status, 1);
    assert.match(old.stderr, /needs Node 18 or newer/);
  });
});

describe("npm", () => {
  it("that cannot reach its registry gives the reason and the remedy, and leaves nothing behind", async () => {
    const into = join(folder, "unreachable", "1.0.0");
    const before = { ...process.env };
    // Port 9 (discard) refuses on any machine where nothing was put there on purpose.
    Object.assign(process.env, { npm_config_registry: "http://127.0.0.1:9/", npm_config_fetch_retries: "0" });
    Object.assign(process.env, { npm_config_cache: join(folder, "npm-cache") });
    try {
      await assert.rejects(fetchPackage({ name: "flybridge-nothing", version: "1.0.0", into }), (error: Error) => {
        assert.match(error.message, /could not fetch flybridge-nothing@1\.0\.0/);
        assert.match(error.message, /ECONNREFUSED/);
        assert.match(error.message, /To mend it: check the network/);
        return true;
      });
    } finally {
      process.env = before;
    }
    assert.equal(existsSync(into), false);
    assert.deepEqual(spawnSync("ls", ["-A", join(folder, "unreachable")], { encoding: "utf8" }).stdout, "");
  });
});

describe("installed packages", () => {
  function tree(name: string, wanted: object, there: object | undefined): string {
    const root = join(folder, name);
    mkdirSync(join(root, "node_modules", "ws"), { recursive: true });
    writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: wanted }));
    if (there) writeFileSync(join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages: there }));
    return root;
  }
  const ws = { "node_modules/ws": { version: "8.0.0" } };
  const foreign = { "node_modules/ws-darwin": { version: "8.0.0", optional: true } };

  it("agree with the lock when each wanted version is there, other platforms' aside", () => {
    assert.equal(agreesWithLock(tree("same", { "": {}, ...ws, ...foreign }, ws)), true);
  });

  it("do not agree when one has another version, is missing, or npm never came to its end", () => {
    assert.equal(agreesWithLock(tree("older", ws, { "node_modules/ws": { version: "7.0.0" } })), false);
    assert.equal(agreesWithLock(tree("absent", { ...ws, "node_modules/qr": { version: "1.0.0" } }, ws)), false);
    assert.equal(agreesWithLock(tree("cut", ws, undefined)), false);
  });
});

describe("the lock", () => {
  it("lets one in at a time, across processes, and takes over from a dead one", async () => {
    const lock = join(folder, "a.lock");
    const log = join(folder, "a.log");
    const dead = spawnSync(process.execPath, ["-e", "console.log(process.pid)"], { encoding: "utf8" }).stdout.trim();
    writeFileSync(lock, `${dead} left-behind`);
    writeFileSync(log, "");
    const source = `
      import { alone } from ${JSON.stringify(pathToFileURL(join(HERE, "lock.mjs")).href)};
      import { appendFileSync } from "node:fs";
      await alone(${JSON.stringify(lock)}, "working", async () => {
        appendFileSync(${JSON.stringify(log)}, "in ");
        await new Promise((resolve) => setTimeout(resolve, 20));
        appendFileSync(${JSON.stringify(log)}, "out ");
      });`;
    const racers = Array.from({ length: 5 }, () =>
      spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: "ignore" }),
    );
    const ends = (await Promise.all(racers.map((racer) => once(racer, "exit")))) as [number][];
    assert.deepEqual(
      ends.map(([code]) => code),
      [0, 0, 0, 0, 0],
    );
    assert.equal(readFileSync(log, "utf8"), "in out ".repeat(5));
    assert.equal(existsSync(lock), false);
  });

  it("is given back when the work fails", async () => {
    const lock = join(folder, "b.lock");
    await assert.rejects(
      alone(lock, "working", () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(existsSync(lock), false);
  });
});

describe("a step", () => {
  const place = { cwd: folder, env: process.env };

  it("keeps the exit code", async () => {
    writeFileSync(join(folder, "seven.mjs"), "process.exit(7);");
    assert.deepEqual(await runStep(process.execPath, ["seven.mjs"], place), { code: 7, signal: null });
  });

  it("passes signals on, and ends as the command ended", { skip: process.platform === "win32" }, async () => {
    const child = join(folder, "child.mjs");
    writeFileSync(
      child,
      `process.on("SIGTERM", () => process.exit(42)); setInterval(() => {}, 1e6); console.log("ready");`,
    );
    const parent = runner(child);
    await once(parent.stdout!, "data");
    parent.kill("SIGTERM");
    assert.deepEqual(await once(parent, "exit"), [42, null]);
  });

  it("hands the person's agents no variables and no path of npm's", () => {
    const root = join(folder, "project");
    const env = {
      HOME: "/home/x",
      PATH: [join(root, "node_modules", ".bin"), "/home/node_modules/.bin", "/usr/bin"].join(":"),
      npm_config_registry: "http://x",
      npm_lifecycle_event: "start",
      INIT_CWD: "/",
    };
    assert.deepEqual(personsEnvironment(env, root, "start"), { HOME: "/home/x", PATH: "/usr/bin" });
    assert.equal(personsEnvironment(env, root, "test"), env);
  });

  /** A process that runs one step and ends as it did, as the launcher does. */
  function runner(script: string): ChildProcess {
    const source = `
      import { runStep } from ${JSON.stringify(pathToFileURL(join(HERE, "run.mjs")).href)};
      const end = await runStep(process.execPath, [${JSON.stringify(script)}], { cwd: process.cwd(), env: process.env });
      process.exit(end.code);`;
    return spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  }
});
