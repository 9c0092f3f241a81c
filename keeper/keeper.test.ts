import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { eventually, isRunning, KeeperProcess, memoryBytes, type Peer, spawnOrder } from "./fixture.ts";
import { encodeOrder, IN_FLIGHT_MAX_BYTES, INPUT_QUEUE_MAX_BYTES, type ChildState } from "./wire.ts";

const MIB = 1024 * 1024;
const NODE = process.execPath;
const suite = { timeout: 240_000 };

describe("a keeper's output", suite, () => {
  it("is numbered, and read again from any offset by the next host", async () => {
    await using keeper = await KeeperProcess.start();
    const first = await keeper.host();
    first.taking = false;
    await first.spawn("c", ["sh", "-c", "echo one; read line; echo two $line; read line"]);
    first.send({ type: "read", child: "c", from: 0 });
    await first.hears("c", "one\n");
    first.socket.destroy();

    const second = await keeper.host();
    assert.deepEqual(
      second.hello.children.map(({ child, exit, start, end }) => ({ child, exit, start, end })),
      [{ child: "c", exit: null, start: 0, end: 4 }],
    );
    second.send({ type: "read", child: "c", from: 2 });
    second.input("c", "i", "more\n");
    assert.equal(await second.hears("c", "more\n"), "e\ntwo more\n");
    assert.equal(second.output.get("c")?.from, 2);
  });

  it("is kept while no host is there, and nothing is kept that a host has stored", async () => {
    await using keeper = await KeeperProcess.start();
    const first = await keeper.host();
    const { pid } = await first.spawn("c", ["sh", "-c", "echo before; sleep 0.2; echo after; echo oops >&2; exit 3"]);
    first.socket.destroy();
    await eventually(() => !isRunning(pid));

    const second = await keeper.host();
    second.send({ type: "read", child: "c", from: 0 });
    const exit = await second.next("exit");
    assert.deepEqual([exit.code, exit.signal, exit.end], [3, null, 13]);
    assert.equal(Buffer.from(exit.bytes).toString(), "oops\n");
    assert.equal((await second.reaches("c", exit.end)).toString(), "before\nafter\n");
    second.socket.destroy();

    const third = await keeper.host();
    assert.equal(third.hello.children[0]?.start, 13);
    third.send({ type: "read", child: "c", from: 0 });
    await third.next("exit");
    assert.equal(third.heard("c").byteLength, 0);
    third.send({ type: "forget", child: "c" });
    third.send({ type: "read", child: "c", from: 0 });
    assert.equal((await third.next("failed")).code, "unknown_child");
  });

  it("of 50 MB without a reader is whole and does not stay in memory", async (t) => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const idle = memoryBytes(keeper.pid, "VmRSS");
    const { pid } = await host.spawn("c", [NODE, "-e", randomWriter(50 * MIB)]);
    host.socket.destroy();
    await eventually(() => !isRunning(pid));

    const peak = memoryBytes(keeper.pid, "VmHWM");
    if (idle !== null && peak !== null) {
      t.diagnostic(`keeper's memory: idle ${(idle / MIB).toFixed(1)} MiB, at most ${(peak / MIB).toFixed(1)} MiB`);
      assert.ok(peak - idle < 60 * MIB);
    }
    const reader = await keeper.host();
    reader.send({ type: "read", child: "c", from: 0 });
    const exit = await reader.next("exit");
    assert.equal(exit.end, 50 * MIB);
    assert.equal(sha256(await reader.reaches("c", exit.end)), Buffer.from(exit.bytes).toString());
    assert.ok((memoryBytes(keeper.pid, "VmHWM") ?? 0) - (idle ?? 0) < 60 * MIB);
  });

  it("stops the child at the spool's bound, and goes on when a host takes it", async () => {
    await using keeper = await KeeperProcess.start();
    const first = await keeper.host();
    await first.spawn("c", [NODE, "-e", randomWriter(8 * MIB)], { spoolBytes: MIB });
    first.socket.destroy();
    const look = async (): Promise<ChildState | undefined> => {
      const host = await keeper.host();
      host.socket.destroy();
      return host.hello.children[0];
    };
    await eventually(async () => ((await look())?.end ?? 0) >= MIB);
    const held = (await look())?.end ?? 0;
    assert.ok(held <= MIB + 128 * 1024, `${held} bytes held`);
    for (let looks = 0; looks < 50; looks++) assert.equal((await look())?.end, held);

    const host = await keeper.host();
    host.send({ type: "read", child: "c", from: 0 });
    const exit = await host.next("exit");
    assert.equal(exit.end, 8 * MIB);
    assert.equal(sha256(await host.reaches("c", exit.end)), Buffer.from(exit.bytes).toString());
  });

  it("in flight to a host that does not take it is bounded, and does not hold up other children", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    host.taking = false;
    await host.spawn("slow", ["head", "-c", String(4 * MIB), "/dev/zero"]);
    await host.spawn("other", ["cat"]);
    host.send({ type: "read", child: "slow", from: 0 });
    host.send({ type: "read", child: "other", from: 0 });
    await host.reaches("slow", IN_FLIGHT_MAX_BYTES);
    host.input("other", "i", "hello\n");
    await host.hears("other", "hello\n");
    assert.equal(host.heard("slow").byteLength, IN_FLIGHT_MAX_BYTES);
    host.taking = true;
    host.send({ type: "ack", child: "slow", taken: IN_FLIGHT_MAX_BYTES, stored: 0 });
    await host.reaches("slow", 4 * MIB);
  });

  it("on stderr is numbered apart, kept to its newest 64 KiB, and never makes the child wait", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["sh", "-c", "head -c 3000000 /dev/zero >&2; echo last words >&2; echo out"]);
    host.send({ type: "read", child: "c", from: 0 });
    const exit = await host.next("exit");
    assert.equal(exit.end, 4);
    assert.equal(exit.bytes.byteLength, 64 * 1024);
    assert.ok(Buffer.from(exit.bytes).toString().endsWith("last words\n"));
    host.socket.destroy();

    const { hello } = await keeper.host();
    assert.equal(hello.children[0]?.errorsEnd, 3_000_011);
    assert.equal(hello.children[0].errorsStart, 3_000_011 - 64 * 1024);
  });
});

describe("a keeper's input", suite, () => {
  it("is applied once per id and in order, also when the next host repeats it", async () => {
    await using keeper = await KeeperProcess.start();
    const first = await keeper.host();
    await first.spawn("c", ["cat"]);
    for (let number = 0; number < 100; number++) first.input("c", `i${number}`, `${number}\n`);
    first.input("c", "i7", "7\n");
    await first.next("taken", (report) => report.id === "i99");
    first.socket.destroy();

    const second = await keeper.host();
    assert.equal(second.hello.children[0]?.inputs, 100);
    second.input("c", "i99", "99\n");
    second.input("c", "i100", "100\n");
    second.send({ type: "endInput", child: "c", id: "end" });
    second.send({ type: "read", child: "c", from: 0 });
    const exit = await second.next("exit");
    const lines = (await second.reaches("c", exit.end)).toString();
    assert.equal(lines, Array.from({ length: 101 }, (_, number) => `${number}\n`).join(""));
    assert.equal((await second.next("taken", (report) => report.id === "i99")).inputs, 100);
  });

  it("of many megabytes arrives whole", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["sh", "-c", "wc -c"]);
    host.send({ type: "read", child: "c", from: 0 });
    for (const id of ["a", "b"]) host.send({ type: "input", child: "c", id, bytes: Buffer.alloc(20 * MIB, 97) });
    host.send({ type: "endInput", child: "c", id: "end" });
    assert.equal((await host.hears("c", "\n")).trim(), String(40 * MIB));
  });

  it("that nobody reads is refused at a bound, and may be sent again", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["sleep", "60"]);
    const part = 16 * MIB;
    const fitting = INPUT_QUEUE_MAX_BYTES / part;
    for (let number = 0; number <= fitting; number++) {
      host.send({ type: "input", child: "c", id: `i${number}`, bytes: Buffer.alloc(part) });
    }
    const failed = await host.next("failed");
    assert.deepEqual([failed.order, failed.id, failed.code], ["input", `i${fitting}`, "input_full"]);
  });

  it("to a dead child is a failure, not a crash", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["true"]);
    await host.next("exit");
    host.input("c", "i", "hello");
    host.send({ type: "resize", child: "c", cols: 1, rows: 1 });
    host.send({ type: "signal", child: "c", signal: "SIGTERM", group: true });
    assert.deepEqual(codes(await failures(host, 3)), ["input exited", "resize not_a_terminal", "signal exited"]);
  });

  it("to a child that closed its input does not hold up what comes after", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["sh", "-c", "exec 0<&-; echo closed; sleep 60"]);
    host.send({ type: "read", child: "c", from: 0 });
    await host.hears("c", "closed");
    for (const id of ["a", "b", "c"]) host.input("c", id, "x".repeat(MIB));
    await host.next("taken", (report) => report.id === "c");
    host.send({ type: "signal", child: "c", signal: "SIGKILL", group: true });
    assert.equal((await host.next("exit")).signal, "SIGKILL");
  });
});

describe("a keeper's children", suite, () => {
  it("are spawned once per id", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const order = { type: "spawn", ...spawnOrder("c", ["cat"], {}) } as const;
    host.send(order);
    host.send(order);
    const [one, other] = [await host.next("spawned"), await host.next("spawned")];
    assert.equal(one.state.pid, other.state.pid);
    host.socket.destroy();
    const next = await keeper.host();
    assert.equal((await next.spawn("c", ["echo", "another"])).pid, one.state.pid);
  });

  it("that cannot be started say why", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const plain = join(keeper.folder, "plain");
    const broken = join(keeper.folder, "broken");
    writeFileSync(plain, "x", { mode: 0o600 });
    writeFileSync(broken, "#!/no/such/interpreter\n", { mode: 0o700 });
    const orders = [
      spawnOrder("a", ["no-such-program"], {}),
      spawnOrder("b", [plain], {}),
      spawnOrder("c", ["cat"], { cwd: join(keeper.folder, "missing") }),
      spawnOrder("d", ["cat"], { env: { PATH: keeper.folder } }),
      spawnOrder("e", [broken], {}),
      spawnOrder("f", ["no-such-program"], { terminal: { cols: 80, rows: 24 } }),
    ];
    const seen: string[] = [];
    for (const order of orders) {
      host.send({ type: "spawn", ...order });
      seen.push((await host.next("failed")).code);
    }
    assert.deepEqual(seen, [
      "program_missing",
      "program_not_executable",
      "cwd_missing",
      "program_missing",
      "spawn_failed",
      "program_missing",
    ]);
    // A failure leaves nothing: the same id may try again.
    await host.spawn("a", ["true"]);
  });

  it("have the environment and the mask of their order, and nothing of the keeper's", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["sh", "-c", "env | sort; umask"], { env: { PATH: "/bin:/usr/bin", B: "2" }, umask: 0o027 });
    host.send({ type: "read", child: "c", from: 0 });
    const heard = await host.hears("c", "0027\n");
    assert.deepEqual(
      heard.split("\n").filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line)),
      ["B=2", "PATH=/bin:/usr/bin", "0027", ""],
    );
  });

  it("behind pipes hold no terminal of others", { skip: process.platform !== "linux" }, async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    for (const child of ["t1", "t2"]) await host.spawn(child, ["cat"], { terminal: { cols: 80, rows: 24 } });
    await host.spawn("c", ["sh", "-c", "ls -l /proc/self/fd"]);
    host.send({ type: "read", child: "c", from: 0 });
    const exit = await host.next("exit");
    const open = (await host.reaches("c", exit.end)).toString();
    assert.match(open, /\/dev\/null/);
    assert.doesNotMatch(open, /ptmx/);
  });

  it("are reported dead at once, with what killed them", async (t) => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const { pid } = await host.spawn("c", ["sleep", "60"]);
    const killed = performance.now();
    process.kill(pid, "SIGKILL");
    const exit = await host.next("exit");
    const tookMs = performance.now() - killed;
    t.diagnostic(`seen dead after ${tookMs.toFixed(1)} ms`);
    assert.deepEqual([exit.code, exit.signal], [null, "SIGKILL"]);
    assert.ok(tookMs < 1_000);
  });

  it("take their descendants along on a signal to the group", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("c", ["sh", "-c", "sh -c 'sleep 60 & echo $!; wait' & wait"]);
    host.send({ type: "read", child: "c", from: 0 });
    const grandchild = Number(await host.hears("c", "\n"));
    assert.ok(isRunning(grandchild));
    host.send({ type: "signal", child: "c", signal: "SIGKILL", group: true });
    await host.next("exit");
    await eventually(() => !isRunning(grandchild));
  });

  it("that die leave nobody behind in their group", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const { pid } = await host.spawn("c", ["sh", "-c", "sleep 60 & echo $!; cat"]);
    host.send({ type: "read", child: "c", from: 0 });
    const orphan = Number(await host.hears("c", "\n"));
    process.kill(pid, "SIGKILL");
    await host.next("exit");
    await eventually(() => !isRunning(orphan));
  });

  it("are reported dead in time though a descendant that left the group holds their output", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const escape = `require("child_process").spawn("sleep", ["60"], { detached: true, stdio: "inherit" }).unref();`;
    const { pid } = await host.spawn("c", [NODE, "-e", `${escape} console.log("bye"); process.exit(4)`]);
    host.send({ type: "read", child: "c", from: 0 });
    await eventually(() => !isRunning(pid));
    const died = performance.now();
    const exit = await host.next("exit");
    assert.ok(performance.now() - died < 2_000);
    assert.deepEqual([exit.code, (await host.reaches("c", exit.end)).toString()], [4, "bye\n"]);
  });
});

describe("a keeper's terminals", suite, () => {
  it("have a size, and take another", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const script = "trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done";
    await host.spawn("t", ["sh", "-c", script], { terminal: { cols: 100, rows: 30 } });
    host.send({ type: "read", child: "t", from: 0 });
    await host.hears("t", "30 100");
    host.send({ type: "resize", child: "t", cols: 44, rows: 11 });
    await host.hears("t", "11 44");
  });

  it("lose no output at their exit, also when nobody was taking it", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const terminal = { cols: 80, rows: 24 };
    const children = ["a", "b", "c", "d", "e", "f"];
    const script = "head -c 3000000 /dev/zero | tr '\\0' x";
    for (const child of children) await host.spawn(child, ["sh", "-c", script], { terminal, spoolBytes: MIB });
    for (const child of children) host.send({ type: "read", child, from: 0 });
    for (const child of children) {
      const exit = await host.next("exit", (report) => report.child === child);
      assert.equal(exit.end, 3_000_000);
      assert.equal((await host.reaches(child, exit.end)).byteLength, 3_000_000);
    }
  });

  it("keep what was written before an exit that came while the spool was full", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    // The bound, what the keeper reads beyond it, and a rest that only the kernel still has when the program exits.
    const script = `head -c ${256 * 1024 + 8_000} /dev/zero | tr '\\0' x`;
    await host.spawn("t", ["sh", "-c", script], { terminal: { cols: 80, rows: 24 }, spoolBytes: 1 });
    const exit = await host.next("exit");
    assert.equal(exit.end, 256 * 1024 + 8_000);
  });

  it("take a large paste whole, and do not hold up others while it is not read", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const terminal = { cols: 80, rows: 24 };
    const script = "stty raw -echo; echo ready; sleep 1; head -c 2000000 | wc -c";
    await host.spawn("t", ["sh", "-c", script], { terminal });
    await host.spawn("other", ["cat"]);
    host.send({ type: "read", child: "t", from: 0 });
    host.send({ type: "read", child: "other", from: 0 });
    await host.hears("t", "ready");
    host.input("t", "paste", "x".repeat(2_000_000));
    const asked = performance.now();
    for (let number = 0; number < 20; number++) {
      host.input("other", `i${number}`, `hello ${number}\n`);
      await host.hears("other", `hello ${number}\n`);
    }
    assert.ok(performance.now() - asked < 500);
    await host.hears("t", "2000000");
  });

  it("wait while a host has yet to take what they wrote, and run on when it goes", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    host.taking = false;
    const script = "trap '' HUP; head -c 3000000 /dev/zero | tr '\\0' x; sleep 100";
    await host.spawn("t", ["sh", "-c", script], { terminal: { cols: 80, rows: 24 }, spoolBytes: 4 * MIB });
    host.send({ type: "read", child: "t", from: 0 });
    await host.reaches("t", 128 * 1024);
    // A repeated order is answered with the child there is.
    const stateOf = (peer: Peer) => peer.spawn("t", ["true"]);
    // What it read beyond is a turn's worth at most, however long nobody takes any.
    for (let turn = 0; turn < 50; turn++) await stateOf(host);
    const { end } = await stateOf(host);
    assert.ok(end < 1_000_000, `${end} bytes`);
    assert.equal(host.heard("t").byteLength, 128 * 1024);
    host.socket.destroy();
    const next = await keeper.host();
    await eventually(async () => (await stateOf(next)).end === 3_000_000);
    next.send({ type: "read", child: "t", from: 0 });
    assert.equal((await next.reaches("t", 3_000_000)).byteLength, 3_000_000);
  });

  it("end at ^D, and tell their exit code", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    await host.spawn("t", ["sh", "-c", "cat; exit 5"], { terminal: { cols: 80, rows: 24 } });
    host.send({ type: "endInput", child: "t", id: "end" });
    assert.equal((await host.next("exit")).code, 5);
  });
});

describe("a keeper's connections", suite, () => {
  it("are one at a time: the newest host takes over, and the older is told", async () => {
    await using keeper = await KeeperProcess.start();
    const older = await keeper.host();
    const newer = await keeper.host();
    await older.next("replaced");
    await older.closed;
    await newer.spawn("c", ["true"]);
  });

  it("are refused to a host of another version", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const stranger = await keeper.dial();
    stranger.send({ type: "hello", wire: 999 });
    const refused = await stranger.next("refused");
    assert.deepEqual([refused.code, refused.wire, refused.pid], ["wire_version", 1, keeper.pid]);
    await stranger.closed;
    // It did not take over either.
    await host.spawn("c", ["true"]);
  });

  it("answer what they do not know, and go on", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    host.socket.write(frame(60, "{}"));
    assert.equal((await host.next("unsupported")).code, 60);
    await host.spawn("c", ["true"]);
  });

  it("give no orders before their hello", async () => {
    await using keeper = await KeeperProcess.start();
    const peer = await keeper.dial();
    peer.send({ type: "spawn", ...spawnOrder("c", ["true"], {}) });
    peer.send({ type: "hello", wire: 1 });
    assert.deepEqual((await peer.next("hello")).children, []);
  });

  it("end at a malformed frame, and the keeper with what it holds does not", async () => {
    await using keeper = await KeeperProcess.start();
    const host = await keeper.host();
    const { pid } = await host.spawn("c", ["cat"]);
    const before = memoryBytes(keeper.pid, "VmRSS") ?? 0;
    const [spawn = Buffer.alloc(0)] = encodeOrder({ type: "spawn", ...spawnOrder("x", ["true"], {}) });
    const malformed = [
      frame(1, "{}"),
      frame(1, "[1]"),
      frame(1, "{{"),
      frame(2, `{"child":"x"}`),
      Buffer.from([0, 0, 0, 1, 1]),
      Buffer.from([0, 0, 0, 9, 1, 255, 255, 255, 255, 1, 2, 3, 4]),
      Buffer.from([255, 255, 255, 255]),
      Buffer.from([0, 0, 16, 1]),
      Buffer.alloc(MIB, 255),
    ];
    for (let round = 0; round < 100; round++) {
      for (const bytes of malformed) {
        const peer = await keeper.dial();
        peer.socket.write(bytes);
        await peer.closed;
      }
      // Cut in the middle of a frame, at every place.
      const cut = await keeper.dial();
      cut.socket.end(spawn.subarray(0, round % spawn.byteLength));
      await cut.closed;
    }
    const greeted = await keeper.host();
    greeted.socket.write(frame(3, `{"child":"c"}`));
    await greeted.closed;
    const after = await keeper.host();
    assert.equal(after.hello.children[0]?.pid, pid);
    assert.ok(isRunning(pid));
    assert.ok((memoryBytes(keeper.pid, "VmRSS") ?? 0) - before < 20 * MIB);
  });
});

describe("a keeper", suite, () => {
  for (const [how, end] of [
    ["a shutdown order", (host: Peer) => host.send({ type: "shutdown" })],
    ["SIGTERM", (_: Peer, keeper: KeeperProcess) => keeper.process.kill("SIGTERM")],
  ] as const) {
    it(`ends with all its children on ${how}, though some will not listen`, async () => {
      await using keeper = await KeeperProcess.start();
      const host = await keeper.host();
      const script = "trap '' TERM HUP; sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 1; done'";
      const pids = [(await host.spawn("polite", ["cat"])).pid];
      for (const [child, terminal] of [
        ["stubborn", null],
        ["terminal", { cols: 80, rows: 24 }],
      ] as const) {
        pids.push((await host.spawn(child, ["sh", "-c", script], { terminal })).pid);
        host.send({ type: "read", child, from: 0 });
        pids.push(Number(await host.hears(child, "\n")));
      }
      assert.ok(pids.every(isRunning));
      end(host, keeper);
      await host.closed;
      assert.deepEqual(pids.filter(isRunning), []);
    });
  }

  it("is one, when many start at once over the socket file of a dead one", async () => {
    await using first = await KeeperProcess.start();
    for (let round = 0; round < 4; round++) {
      await using racers = new AsyncDisposableStack();
      first.process.kill("SIGKILL");
      const started = Array.from({ length: 8 }, () => racers.use(new KeeperProcess(first.socketPath)));
      // The stdout of each ends when it listens, or when it leaves because another does.
      await Promise.all(started.map((racer) => racer.started));
      const { hello } = await first.host();
      const winner = started.find((racer) => racer.pid === hello.pid);
      assert.ok(winner);
      await Promise.all(started.filter((racer) => racer !== winner).map((racer) => racer.exited));
      assert.ok(isRunning(winner.pid));
    }
  });

  it("does not listen while another one is starting", async () => {
    await using keeper = new KeeperProcess();
    using lock = new DatabaseSync(`${keeper.socketPath}.lock`);
    lock.exec("BEGIN EXCLUSIVE");
    await keeper.exited;
    assert.match(keeper.complaint, /locked/);
    assert.ok(!existsSync(keeper.socketPath));
  });

  it("is private, small, and says nothing", async (t) => {
    await using keeper = await KeeperProcess.start();
    assert.equal(statSync(keeper.socketPath).mode & 0o777, 0o600);
    const rss = memoryBytes(keeper.pid, "VmRSS");
    if (rss === null) return t.skip("no /proc here");
    t.diagnostic(`idle: ${(rss / MIB).toFixed(1)} MiB, types stripped in the process itself`);
    assert.ok(rss < 100 * MIB);
  });
});

/** A program that writes random bytes to stdout and their hash to stderr. */
function randomWriter(bytes: number): string {
  return `
    const { randomBytes, createHash } = require("crypto");
    const { writeSync } = require("fs");
    const hash = createHash("sha256");
    for (let left = ${bytes}; left > 0; left -= 65536) {
      const chunk = randomBytes(Math.min(left, 65536));
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) {
        try { at += writeSync(1, chunk, at); } catch (error) { if (error.code !== "EAGAIN") throw error; }
      }
    }
    process.stderr.write(hash.digest("hex"));`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function frame(code: number, head: string): Buffer {
  const bytes = Buffer.alloc(9 + head.length);
  bytes.writeUInt32BE(5 + head.length, 0);
  bytes.writeUInt8(code, 4);
  bytes.writeUInt32BE(head.length, 5);
  bytes.write(head, 9);
  return bytes;
}

async function failures(host: Peer, count: number) {
  const failed = [];
  while (failed.length < count) failed.push(await host.next("failed"));
  return failed;
}

function codes(failed: readonly { readonly order: string; readonly code: string }[]): string[] {
  return failed.map(({ order, code }) => `${order} ${code}`);
}
