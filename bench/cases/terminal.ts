/**
 * Terminals: a flood, a key and its echo, Ctrl-C in the flood, a screen given anew, a device that takes nothing. The
 * reference is a plain node-pty and ws server with the same credit, and ssh for the echo where this machine has a server.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type BareDevice, newIntent } from "@flybridge/testing/bare.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { startWorld, type World } from "@flybridge/testing/world.ts";
import { SerializeAddon } from "@xterm/addon-serialize";
import headless from "@xterm/headless";
import { type Bare, startBare } from "../bare/bare.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { cpuMs, rssMb } from "../process.ts";
import { inTurns, median, percentile, timed } from "../sample.ts";
import { startSsh } from "../ssh.ts";

/** 62 MB as a terminal prints them. */
const NUMBERS = 7_000_000;
const KEYS = 300;
/** Between two keys, as fast as anyone types. */
const KEY_MS = 15;
const BURSTS = 3;
const INTERRUPTS = 5;
const RESTORES = 40;
const STALLED = 8;
const SPIN_MS = 10_000;
const SLOW_LINK_BYTES_PER_MS = 1_000;
const SIZE = { cols: 80, rows: 24 };
const DONE = "all-is-printed";
const STOPPED = "it-was-stopped";
const ENDLESS = `trap 'echo ${STOPPED}; sleep 60' INT; seq 1 999999999; sleep 60`;

export const terminal: Bench = {
  name: "terminal",
  about: "terminals: a flood, echo, Ctrl-C, a screen given anew, devices that take nothing",
  async run({ share }) {
    await using world = await startWorld();
    await using bare = await startBare();
    await using ssh = await startSsh();
    const device = await world.pair();

    const numbers = countOf(NUMBERS, share, 20_000);
    const flood = `seq 1 ${numbers}; echo ${DONE}; sleep 60`;
    const bursts = await inTurns(countOf(BURSTS, share), {
      async ours(to) {
        using shown = await open(device, world, ["sh", "-c", flood]);
        to.push(await timed(() => shown.until(DONE)));
      },
      async bare(to) {
        using shown = await openBare(bare, ["sh", "-c", flood]);
        to.push(await timed(() => shown.until(DONE)));
      },
    });

    const keys = countOf(KEYS, share, 20);
    const sshEcho: number[] = [];
    const echoes = await inTurns(1, {
      async ours(to) {
        using shown = await open(device, world, ["cat"]);
        to.push(...(await echo(shown, keys)));
      },
      async bare(to) {
        using shown = await openBare(bare, ["cat"]);
        to.push(...(await echo(shown, keys)));
      },
      async ssh() {
        if (ssh === undefined) return;
        using shown = openProgram(ssh.argv("cat"));
        sshEcho.splice(0, sshEcho.length, ...(await echo(shown, keys)));
      },
    });

    const interrupts = await inTurns(countOf(INTERRUPTS, share), {
      async ours(to) {
        using shown = await open(device, world, ["sh", "-c", ENDLESS]);
        to.push(await interrupted(shown));
      },
      async bare(to) {
        using shown = await openBare(bare, ["sh", "-c", ENDLESS]);
        to.push(await interrupted(shown));
      },
    });
    const slow = await inTurns(countOf(2, share), {
      async ours(to) {
        using shown = await open(device, world, ["sh", "-c", ENDLESS], slowLink());
        to.push(await interrupted(shown));
      },
      async bare(to) {
        using shown = await openBare(bare, ["sh", "-c", ENDLESS], slowLink());
        to.push(await interrupted(shown));
      },
    });

    const restore = await restored(device, world, countOf(RESTORES, share, 4));
    const stalled = await stalledMb(world, device, flood, countOf(STALLED, share, 2));
    const spinning = await spinningMs(world, device, countOf(SPIN_MS, share, 1_000));
    device.close();

    const plain = "a plain node-pty and ws server with credit";
    const burst = { value: median(bursts["bare"] ?? []), what: plain };
    return [
      {
        what: `${Math.round((numbers * 8.9) / 1e6)} MB printed → on the device`,
        value: median(bursts["ours"] ?? []),
        unit: "ms",
        reference: burst,
        // 1.25 times what ttyd takes, and the plain server takes 1.1 times of that.
        limit: { ratio: 1.25 / 1.1 },
      },
      ...[0.5, 0.99].map((place): Measured => ({
        what: `key → its echo, p${place * 100}`,
        value: percentile(echoes["ours"] ?? [], place),
        unit: "ms",
        reference: { what: plain, value: percentile(echoes["bare"] ?? [], place) },
        // 1 ms where the plain server takes 0.3; at the far end 6 ms wherever it is measured.
        limit: place === 0.5 ? { ratio: 1 / 0.3 } : { value: 6 },
      })),
      ...(sshEcho.length === 0
        ? []
        : [
            {
              what: "key → its echo, p50, beside ssh",
              value: percentile(echoes["ours"] ?? [], 0.5),
              unit: "ms" as const,
              reference: { what: "ssh to this machine", value: percentile(sshEcho, 0.5) },
            },
          ]),
      {
        what: "Ctrl-C in the flood → it has stopped",
        value: median(interrupts["ours"] ?? []),
        unit: "ms",
        reference: { what: plain, value: median(interrupts["bare"] ?? []) },
        limit: { value: 20 },
      },
      {
        what: "the same on a link of 1 MB/s",
        value: median(slow["ours"] ?? []),
        unit: "ms",
        reference: { what: plain, value: median(slow["bare"] ?? []) },
        limit: { value: 500 },
      },
      ...restore,
      {
        what: "host, for each device that takes nothing of a flood",
        value: stalled.value,
        unit: "MB",
        reference: { what: "the same flood without them", value: stalled.without },
        limit: { value: 4 },
      },
      {
        what: "host's processor time for each second of a spinner",
        value: spinning.value,
        unit: "ms",
        reference: { what: "the program that spins", value: spinning.program },
        limit: { value: 10 },
      },
    ];
  },
};

/** A program in a terminal, seen by a device. */
interface Shown extends Disposable {
  type(text: string): void;
  /** Resolves when this was printed after the call. */
  until(text: string): Promise<void>;
  /** Bytes seen so far. */
  readonly seen: number;
}

/** Waits until what was read would have come over a slow link. */
type Pace = (bytes: number) => Promise<void> | undefined;

function slowLink(): Pace {
  let free = performance.now();
  return (bytes) => {
    free = Math.max(free, performance.now()) + bytes / SLOW_LINK_BYTES_PER_MS;
    return pause(Math.max(1, free - performance.now()));
  };
}

/** Finds texts in what a program prints; a text that is cut in two is found too. */
function watch(): { push(bytes: Uint8Array): void; until(text: string): Promise<void>; readonly seen: number } {
  let tail = "";
  let seen = 0;
  let wanted: { text: string; found: () => void } | undefined;
  const decoder = new TextDecoder();
  return {
    get seen() {
      return seen;
    },
    push(bytes) {
      seen += bytes.length;
      if (!wanted) return;
      tail += decoder.decode(bytes);
      if (tail.includes(wanted.text)) {
        wanted.found();
        wanted = undefined;
        tail = "";
      } else tail = tail.slice(-200);
    },
    until: (text) =>
      new Promise((found) => {
        tail = "";
        wanted = { text, found };
      }),
  };
}

async function open(
  device: BareDevice,
  world: World,
  command: string[],
  pace: Pace = () => undefined,
): Promise<Shown & { readonly session: SessionId }> {
  const order = { agent: "terminal" as never, workspace: world.home, command, size: SIZE };
  const watched = watch();
  const intent = newIntent();
  const mine = intent as string as SessionId;
  device.draw((session, frame) => {
    if (session !== mine || (frame.kind !== "output" && frame.kind !== "snapshot")) return undefined;
    watched.push(frame.bytes);
    return pace(frame.bytes.length);
  });
  const { session } = await device.call("session.create", order, intent);
  await device.call("terminal.follow", { session });
  const keyboard = `bench-${Math.random().toString(36).slice(2, 12).padEnd(8, "0")}`;
  let number = 0;
  return {
    session,
    get seen() {
      return watched.seen;
    },
    type: (text) => void device.call("terminal.input", { session, keyboard, number: number++, text }).catch(() => {}),
    until: (text) => watched.until(text),
    [Symbol.dispose]() {
      void device.call("terminal.unfollow", { session }).catch(() => {});
      void device.call("session.stop", { session }, newIntent()).catch(() => {});
    },
  };
}

async function openBare(bare: Bare, command: string[], pace: Pace = () => undefined): Promise<Shown> {
  const watched = watch();
  const socket = await bare.connect("/terminal", (data) => {
    watched.push(data);
    const taken = Buffer.from(`\0${data.length}`);
    const wait = pace(data.length);
    if (wait) void wait.then(() => socket.send(taken));
    else socket.send(taken);
  });
  socket.send(JSON.stringify({ ...SIZE, argv: command }));
  return {
    get seen() {
      return watched.seen;
    },
    type: (text) => socket.send(text),
    until: (text) => watched.until(text),
    [Symbol.dispose]: () => socket.close(),
  };
}

function openProgram([program, ...args]: readonly [string, ...string[]]): Shown {
  const watched = watch();
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  child.stdout.on("data", (bytes: Buffer) => watched.push(bytes));
  return {
    get seen() {
      return watched.seen;
    },
    type: (text) => void child.stdin.write(text),
    until: (text) => watched.until(text),
    [Symbol.dispose]: () => void child.kill(),
  };
}

/** Milliseconds from each key to its being seen; the first is waited for longer, until the program is there. */
async function echo(shown: Shown, keys: number): Promise<number[]> {
  const delays: number[] = [];
  for (let key = -3; key < keys; key += 1) {
    const letter = String.fromCharCode(97 + ((key + 26) % 26));
    const seen = shown.until(letter);
    const from = performance.now();
    shown.type(letter);
    await seen;
    if (key >= 0) delays.push(performance.now() - from);
    await pause(KEY_MS);
  }
  return delays;
}

/** Milliseconds from Ctrl-C to the device's seeing that the flood has stopped; the flood is well under way by then. */
async function interrupted(shown: Shown): Promise<number> {
  await shown.until("99999");
  await pause(500);
  const stopped = shown.until(STOPPED);
  const from = performance.now();
  shown.type("\u0003");
  await stopped;
  return performance.now() - from;
}

/** What it takes to give a device a screen of 80x24 with 1,000 lines above it. */
async function restored(device: BareDevice, world: World, times: number): Promise<Measured[]> {
  const lines = Array.from(
    { length: 1_024 },
    (_, line) => `\u001b[3${line % 7}m-rw-r--r-- 1 ada ada ${line * 37} Nov 20 12:00 \u001b[0mfile-${line}.ts`,
  );
  const text = `${lines.join("\n")}\n${DONE}`;
  const file = join(world.home, "lines");
  writeFileSync(file, text);
  using shown = await open(device, world, ["sh", "-c", `cat ${file}; sleep 60`]);
  await shown.until(DONE);
  const { session } = shown;
  let bytes = 0;
  let drawn = (): void => {};
  device.draw((of, frame) => {
    if (of !== session || frame.kind !== "snapshot") return;
    bytes = frame.bytes.length;
    drawn();
  });
  const again = async (): Promise<void> => {
    await device.call("terminal.unfollow", { session });
    const seen = new Promise<void>((resolve) => {
      drawn = resolve;
    });
    await device.call("terminal.follow", { session });
    await seen;
  };
  await again();
  const from = cpuMs(world.pid);
  for (let time = 0; time < times; time += 1) await again();
  const milliseconds = (cpuMs(world.pid) - from) / times;

  const screen = new headless.Terminal({ ...SIZE, scrollback: 1_000, allowProposedApi: true });
  const serialize = new SerializeAddon();
  screen.loadAddon(serialize);
  await new Promise<void>((resolve) => screen.write(text.replaceAll("\n", "\r\n"), resolve));
  const alone: number[] = [];
  for (let time = 0; time < times; time += 1) alone.push(await timed(() => serialize.serialize()));
  screen.dispose();
  return [
    {
      what: "a screen with 1,000 lines, given anew: host's processor time",
      value: milliseconds,
      unit: "ms",
      reference: { what: "serializing it, alone", value: median(alone) },
      limit: { value: 30 },
    },
    {
      what: "a screen with 1,000 lines, as it travels",
      value: bytes / 1024,
      unit: "KB",
      reference: { what: "what the program printed", value: text.length / 1024 },
      limit: { value: 80 },
    },
  ];
}

/** How much the host grows for each of some devices that follow a flood and take nothing of it. */
async function stalledMb(
  world: World,
  device: BareDevice,
  flood: string,
  count: number,
): Promise<{ value: number; without: number }> {
  const once = async (stalled: readonly BareDevice[]): Promise<number> => {
    using shown = await open(device, world, ["sh", "-c", `sleep 0.5; ${flood}`]);
    for (const one of stalled) {
      one.draw(() => new Promise<void>(() => {}));
      await one.call("terminal.follow", { session: shown.session });
    }
    const before = rssMb(world.pid);
    await shown.until(DONE);
    return rssMb(world.pid) - before;
  };
  // The first flood fills the heap to where it stays.
  await once([]);
  const without = await once([]);
  const stalled: BareDevice[] = [];
  for (let made = 0; made < count; made += 1) stalled.push(await world.pair(`stalled ${made}`));
  const grown = await once(stalled);
  for (const one of stalled) one.close();
  return { value: Math.max(0.01, (grown - Math.max(0, without)) / count), without: Math.max(0.01, without) };
}

/** Milliseconds of processor time in a second, of the host and of the program, while a spinner turns ten times a second. */
async function spinningMs(
  world: World,
  device: BareDevice,
  milliseconds: number,
): Promise<{ value: number; program: number }> {
  const spinner = `i=0; while :; do i=$(( (i + 1) % 4 )); printf '\\r%s working' $i; sleep 0.1; done`;
  using shown = await open(device, world, ["sh", "-c", spinner]);
  await shown.until("working");
  await device.call("terminal.unfollow", { session: shown.session });
  const { pid = 0 } =
    ((await device.call("session.follow", { session: shown.session })) as { state?: { pid?: number } }).state ?? {};
  await device.call("session.unfollow", { session: shown.session });
  await pause(1_000);
  const host = cpuMs(world.pid);
  const program = cpuMs(pid);
  await pause(milliseconds);
  const seconds = milliseconds / 1_000;
  return { value: (cpuMs(world.pid) - host) / seconds, program: Math.max(0.01, (cpuMs(pid) - program) / seconds) };
}
