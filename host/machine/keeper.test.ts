import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  connectKeeper,
  type Keeper,
  type KeeperEvents,
  type KeeperPlace,
  keeperPlace,
  type SpawnOrder,
} from "./keeper.ts";

const MIB = 1024 * 1024;
/** Of a keeper without children: `architecture.md`'s promise. */
const IDLE_RSS_MAX_BYTES = 60 * MIB;
const suite = { timeout: 240_000 };

const keepers: Keeper[] = [];
const folders: string[] = [];

afterEach(async () => {
  // By their process, because a connection that was taken over can no longer end its keeper.
  for (const pid of new Set(keepers.splice(0).map((keeper) => keeper.hello.pid))) await ended(pid);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("finding the keeper", suite, () => {
  it("starts one if none answers, finds it again, and leaves it when it goes", async () => {
    const place = newPlace();
    await assert.rejects(connect(place, {}, false), { code: "not_running" });
    const first = await connect(place);
    await first.spawn(order("c", ["cat"]));
    first[Symbol.dispose]();
    const second = await connect(place, {}, false);
    assert.equal(second.hello.pid, first.hello.pid);
    assert.equal(second.hello.children.get("c")?.kind, "pipes");
  });

  it("ends with one keeper when many start at once, also over the socket file of a dead one", async () => {
    const place = newPlace();
    mkdirSync(dirname(place.socketPath), { mode: 0o700 });
    const listen = `require("net").createServer().listen(${JSON.stringify(place.socketPath)}, () => console.log())`;
    const dead = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
    await once(dead.stdout, "data");
    dead.kill("SIGKILL");
    await once(dead, "exit");
    assert.ok(existsSync(place.socketPath));

    const racers = await Promise.all(Array.from({ length: 6 }, () => connect(place)));
    assert.equal(new Set(racers.map((racer) => racer.hello.pid)).size, 1);
    if (process.platform === "linux") assert.deepEqual(processesNaming(place.socketPath), [racers[0]?.hello.pid]);
  });

  it("keeps to itself: folders 0700, socket 0600", async () => {
    const place = newPlace();
    await connect(place);
    assert.equal(statSync(dirname(place.socketPath)).mode & 0o777, 0o700);
    assert.equal(statSync(place.spoolFolder).mode & 0o777, 0o700);
    assert.equal(statSync(place.socketPath).mode & 0o777, 0o600);
  });

  it("refuses a folder that others can enter, or that only points to one", async () => {
    const open = newPlace();
    mkdirSync(open.spoolFolder);
    chmodSync(open.spoolFolder, 0o755);
    await assert.rejects(connect(open), { code: "folder_not_private" });
    const pointing = newPlace();
    symlinkSync(mkdtempSync(join(dirname(pointing.spoolFolder), "x")), pointing.spoolFolder);
    await assert.rejects(connect(pointing), { code: "folder_not_private" });
  });

  it("goes elsewhere, to the same place each time, when the socket's path would be too long", async (t) => {
    const runtime = process.env["XDG_RUNTIME_DIR"];
    t.after(() => {
      if (runtime === undefined) delete process.env["XDG_RUNTIME_DIR"];
      else process.env["XDG_RUNTIME_DIR"] = runtime;
    });
    process.env["XDG_RUNTIME_DIR"] = newFolder();
    const long = join(newFolder(), "x".repeat(120));
    const place = keeperPlace(long);
    assert.ok(Buffer.byteLength(place.socketPath) <= 100, place.socketPath);
    assert.deepEqual(keeperPlace(long), place);
    assert.notEqual(keeperPlace(`${long}y`).socketPath, place.socketPath);
    const keeper = await connect(place);
    await keeper.spawn(order("c", ["true"]));
    delete process.env["XDG_RUNTIME_DIR"];
    assert.match(keeperPlace(long).socketPath, /flybridge-\d+\/[0-9a-f]{16}$/);
  });

  it("says so when a keeper of another version, or something else, holds the socket", async () => {
    for (const [code, answer] of [
      ["wire_version", frame(66, { code: "wire_version", message: "m", wire: 2, pid: 1 })],
      ["start_failed", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ] as const) {
      const place = newPlace();
      mkdirSync(place.spoolFolder, { mode: 0o700 });
      const server = createServer((socket) => socket.on("error", () => {}).end(answer)).listen(place.socketPath);
      await once(server, "listening");
      await assert.rejects(connect(place), { code });
      server.close();
    }
  });

  it("says why a keeper does not start", async () => {
    const place = newPlace();
    mkdirSync(place.spoolFolder, { mode: 0o700 });
    mkdirSync(`${place.socketPath}.lock`);
    await assert.rejects(connect(place), { code: "start_failed", message: /database/ });
  });

  it("takes over from an older host, which is told", async () => {
    const place = newPlace();
    const lost = deferred<{ readonly code: string }>();
    await connect(place, { lost: lost.resolve });
    await connect(place);
    assert.deepEqual(await lost.promise, {
      code: "replaced",
      message: "another host of this state folder took over the keeper",
    });
  });
});

describe("a host and its keeper", suite, () => {
  it("go on after the host was killed at any moment: output read once, input put in once", async (t) => {
    const place = newPlace();
    const folder = newFolder();
    // Started here, so that it is ended here whatever becomes of the hosts, which take it over.
    await connect(place);
    // Answers each line with its number and the line.
    const echo = "n=0; while read line; do n=$((n+1)); echo $n:$line; done";
    const lines = 5_000;
    let kills = 0;
    for (let done = false; !done;) {
      const host = startHost(place, folder, echo, lines);
      const ended = once(host, "exit");
      const heard = createInterface({ input: host.stdout! })[Symbol.asyncIterator]();
      // Killed in the midst of things: after the first output it handled and some more that differ each time.
      for (let count = 0; count < 1 + kills * 2; count++) {
        done = (await heard.next()).value === "done" || done;
        if (done) break;
      }
      host.kill("SIGKILL");
      await ended;
      kills += 1;
    }
    t.diagnostic(`${kills - 1} kills`);
    assert.ok(kills > 4);
    const log = readFileSync(join(folder, "output"), "utf8");
    assert.equal(log, Array.from({ length: lines }, (_, index) => `${index + 1}:${index}\n`).join(""));
  });

  it("see an exit at once, and a failure to spawn as an error with a code", async () => {
    const place = newPlace();
    const exits: unknown[] = [];
    const exited = new Promise<void>((resolve) => {
      void connect(place, {
        exit(child, { code, signal, end, errorsTail }) {
          exits.push({ child, code, signal, end, errors: Buffer.from(errorsTail).toString() });
          resolve();
        },
      }).then(async (keeper) => {
        await assert.rejects(keeper.spawn(order("x", ["no-such-program"])), { code: "program_missing" });
        await keeper.spawn(order("c", ["sh", "-c", "echo oops >&2; exit 7"]));
      });
    });
    await exited;
    assert.deepEqual(exits, [{ child: "c", code: 7, signal: null, end: 0, errors: "oops\n" }]);
  });

  it("settle inputs: taken, taken again, and not taken", async () => {
    const seen: string[] = [];
    const settled = deferred<undefined>();
    const keeper = await connect(newPlace(), {
      settled(child, id, outcome) {
        seen.push(`${child} ${id} ${outcome}`);
        if (seen.length === 3) settled.resolve(undefined);
      },
    });
    await keeper.spawn(order("c", ["cat"]));
    const bytes = Buffer.from("x");
    keeper.send({ type: "input", child: "c", id: "1", bytes });
    keeper.send({ type: "input", child: "c", id: "1", bytes });
    keeper.send({ type: "input", child: "nobody", id: "2", bytes });
    await settled.promise;
    assert.deepEqual(seen, ["c 1 taken", "c 1 taken", "nobody 2 unknown_child"]);
  });

  it("are told when the keeper dies, and start another", async () => {
    const place = newPlace();
    const lost = deferred<{ readonly code: string }>();
    const first = await connect(place, { lost: lost.resolve });
    process.kill(first.hello.pid, "SIGKILL");
    assert.equal((await lost.promise).code, "gone");
    await assert.rejects(first.spawn(order("c", ["true"])), { code: "lost" });
    first.send({ type: "forget", child: "c" });
    const second = await connect(place);
    assert.notEqual(second.hello.pid, first.hello.pid);
    assert.equal(second.hello.children.size, 0);
  });

  it("cost little while idle", async (t) => {
    const keeper = await connect(newPlace());
    if (process.platform !== "linux") return t.skip("no /proc here");
    const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${keeper.hello.pid}/status`, "utf8"))?.[1]) * 1024;
    t.diagnostic(`keeper, idle: ${(rss / MIB).toFixed(1)} MiB`);
    assert.ok(rss <= IDLE_RSS_MAX_BYTES * 1.1, `${rss} bytes`);
  });

  it("show nothing of arguments and environments in the keeper's own process", async () => {
    const keeper = await connect(newPlace());
    await keeper.spawn({
      ...order("c", ["sleep", "60.125"]),
      env: { PATH: process.env["PATH"] ?? "", CANARY: "tweet" },
    });
    if (process.platform !== "linux") return;
    for (const file of ["cmdline", "environ"]) {
      assert.doesNotMatch(readFileSync(`/proc/${keeper.hello.pid}/${file}`, "latin1"), /60\.125|tweet/);
    }
  });
});

const silent: KeeperEvents = { output() {}, errors() {}, exit() {}, settled() {}, lost() {} };

async function connect(place: KeeperPlace, events: Partial<KeeperEvents> = {}, start = true): Promise<Keeper> {
  const keeper = await connectKeeper({ place, events: { ...silent, ...events }, start });
  keepers.push(keeper);
  return keeper;
}

async function ended(pid: number): Promise<void> {
  for (let signal: "SIGTERM" | 0 = "SIGTERM"; ; signal = 0) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    await nextTurn();
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fb-"));
  folders.push(folder);
  return folder;
}

const newPlace = (): KeeperPlace => keeperPlace(newFolder());

function order(child: string, argv: readonly [string, ...string[]]): SpawnOrder {
  const env = { PATH: process.env["PATH"] ?? "" };
  return { child, argv, env, cwd: tmpdir(), terminal: null, umask: null, spoolBytes: null };
}

/**
 * A host in a process of its own. It does what a host does: stores output and its offset in one step (here: an append
 * to one file, whose length is the offset), repeats each input until it is taken, and acknowledges what it stored.
 */
function startHost(place: KeeperPlace, folder: string, script: string, lines: number): ChildProcess {
  const program = join(folder, "host.ts");
  writeFileSync(
    program,
    `
    import { appendFileSync, existsSync, statSync } from "node:fs";
    import { connectKeeper } from ${JSON.stringify(import.meta.resolve("./keeper.ts"))};
    const output = ${JSON.stringify(join(folder, "output"))};
    const stored = () => (existsSync(output) ? statSync(output).size : 0);
    const keeper = await connectKeeper({
      place: ${JSON.stringify(place)},
      start: true,
      events: {
        output(child, offset, bytes) {
          if (offset !== stored()) throw new Error(\`\${offset} is not \${stored()}\`);
          appendFileSync(output, bytes);
          console.log("stored");
          const end = offset + bytes.byteLength;
          if (Buffer.from(bytes).toString().includes("${lines}:")) console.log("done");
          keeper.send({ type: "ack", child, taken: end, stored: end });
        },
        settled(child, id) { if (Number(id) + 50 < ${lines}) put(Number(id) + 50); },
        errors() {}, exit() {}, lost() {},
      },
    });
    function put(number) {
      keeper.send({ type: "input", child: "c", id: String(number), bytes: Buffer.from(number + "\\n") });
    }
    const { inputs } = await keeper.spawn(${JSON.stringify(order("c", ["sh", "-c", script]))});
    keeper.send({ type: "read", child: "c", from: stored() });
    // What was on its way when the last host died is put in again, with the same ids.
    for (let number = Math.max(0, inputs - 50); number < Math.min(${lines}, Math.max(inputs, 50)); number++) put(number);
    `,
  );
  return spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve(value) };
}

function processesNaming(text: string): readonly number[] {
  const list = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" });
  return list
    .split("\n")
    .filter((line) => line.includes(text))
    .map((line) => Number.parseInt(line, 10));
}

function frame(code: number, head: object): Buffer {
  const json = JSON.stringify(head);
  const bytes = Buffer.alloc(9 + json.length);
  bytes.writeUInt32BE(5 + json.length, 0);
  bytes.writeUInt8(code, 4);
  bytes.writeUInt32BE(json.length, 5);
  bytes.write(json, 9);
  return bytes;
}
