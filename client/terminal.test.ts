import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nobleSuite } from "@flybridge/crypto/noble.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import type { Params } from "@flybridge/protocol/methods.ts";
import { encodeFrame, type Frame, type Size, type Whose } from "@flybridge/protocol/terminal.ts";
import { type FakeClock, fakeClock } from "@flybridge/transport/fake-clock.ts";
import type { Link } from "@flybridge/transport/link.ts";
import type { Bridge } from "./bridge.ts";
import { plainCell } from "./cell.ts";
import { memoryKeys } from "./keys-memory.contract.ts";
import { makeBridge } from "./make-bridge.ts";
import type { Replica } from "./replica.ts";
import { seededRandom, type SmallHost, smallHost } from "./small-host.contract.ts";
import { memoryStore } from "./store-memory.ts";
import { type OpenTerminal, openTerminal, type Screen } from "./terminal.ts";

const SESSION = "01900000-0000-7000-8000-000000000001" as SessionId;
const OTHER = "01900000-0000-7000-8000-000000000002" as SessionId;
const SIZE: Size = { cols: 80, rows: 24 };
/** Milliseconds of the fake clock between looks, and how many there are at most. */
const LOOK_MS = 20;
const MOST_LOOKS = 5_000;
const encoder = new TextEncoder();

/** A program behind the small host: what it printed, what was typed into it, once each. */
class Program {
  text = "";
  typed = "";
  size = SIZE;
  whose: Whose = "this";
  ended = false;
  readonly numbers: number[] = [];
  readonly keyboards = new Set<string>();
  readonly #seen = new Set<string>();
  readonly follows: (number | undefined)[] = [];
  readonly pieces: string[] = [];
  readonly resizes: Params<"terminal.resize">[] = [];
  #frame: ((bytes: Uint8Array) => void) | undefined;
  unfollowed = 0;
  /** Called when something was typed, before it is answered. */
  heard = (): void => {};

  readonly answer = (method: string, params: unknown, frame: (bytes: Uint8Array) => void): unknown => {
    switch (method) {
      case "terminal.follow": {
        const { from } = params as Params<"terminal.follow">;
        this.follows.push(from);
        this.#frame = frame;
        if (from === undefined)
          this.send({ kind: "snapshot", offset: this.text.length, size: this.size, bytes: encoder.encode(this.text) });
        else this.send({ kind: "output", offset: from, bytes: encoder.encode(this.text.slice(from)) });
        return { size: this.size, whose: this.whose, ended: this.ended };
      }
      case "terminal.unfollow":
        this.unfollowed++;
        this.#frame = undefined;
        return {};
      case "terminal.input": {
        const { keyboard, number, text } = params as Params<"terminal.input">;
        this.keyboards.add(keyboard);
        this.numbers.push(number);
        if (!this.#seen.has(`${keyboard} ${number}`)) {
          this.typed += text;
          this.pieces.push(text);
        }
        this.#seen.add(`${keyboard} ${number}`);
        this.heard();
        return {};
      }
      case "terminal.resize": {
        const resize = params as Params<"terminal.resize">;
        this.resizes.push(resize);
        if (resize.take || this.whose !== "other") {
          this.whose = "this";
          this.size = resize.size;
          this.send({ kind: "size", size: this.size, whose: "this" });
        }
        return { size: this.size, whose: this.whose };
      }
      default:
        throw new CallError("unknown_method", method);
    }
  };

  print(text: string): void {
    const offset = this.text.length;
    this.text += text;
    this.send({ kind: "output", offset, bytes: encoder.encode(text) });
  }

  send(frame: Frame, session = SESSION): void {
    this.#frame?.(encodeFrame(session, frame));
  }

  raw(bytes: Uint8Array): void {
    this.#frame?.(bytes);
  }
}

/** Keeps what it is given; while it is stopped, takes nothing. */
class Paper implements Screen {
  text = "";
  sized: Size | undefined;
  snapshots = 0;
  chars = 0;
  waiting: (() => void)[] | undefined;

  snapshot(size: Size, bytes: Uint8Array): Promise<void> {
    this.snapshots++;
    this.sized = size;
    this.text = new TextDecoder().decode(bytes);
    return this.#taken();
  }
  output(bytes: Uint8Array): Promise<void> {
    this.text += new TextDecoder().decode(bytes);
    return this.#taken();
  }
  size(size: Size): Promise<void> {
    this.sized = size;
    return this.#taken();
  }
  answered(chars: number): void {
    this.chars = chars;
  }
  #taken(): Promise<void> {
    return this.waiting ? new Promise((resolve) => this.waiting?.push(resolve)) : Promise.resolve();
  }
}

interface World {
  readonly clock: FakeClock;
  readonly host: SmallHost;
  readonly bridge: Bridge;
  readonly replica: Replica;
  readonly program: Program;
  readonly paper: Paper;
  readonly terminal: OpenTerminal;
  away: boolean;
  until(what: string, met: () => boolean): Promise<void>;
}

async function opened(program = new Program()): Promise<World> {
  const clock = fakeClock();
  const host = smallHost(clock);
  host.others = program.answer;
  const random = seededRandom(3);
  const around = {
    makeCell: plainCell,
    clock,
    now: () => 1_700_000_000_000 + clock.now(),
    random,
  };
  const dial = (): Link => (world.away ? host.dial(0) : host.dial());
  const bridge = await makeBridge({
    ...around,
    reach: () => Promise.resolve({ suite: nobleSuite(random), dial, relay: dial }),
    keys: memoryKeys(random),
    store: memoryStore(),
    owner: { self: "test", isAlive: () => Promise.resolve(true) },
    addressesOf: () => ["ws://127.0.0.1:7683"],
    onNetwork: () => () => {},
  });
  const until = async (what: string, met: () => boolean): Promise<void> => {
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (met()) return;
      await clock.turn(LOOK_MS);
    }
    assert.fail(`never: ${what}`);
  };
  const paper = new Paper();
  const world = { clock, host, bridge, program, paper, until, away: false } as unknown as World & {
    replica: Replica;
    terminal: OpenTerminal;
  };
  const pairing = bridge.pair(host.offer(), { name: "A phone", kind: "phone" });
  let replica: Replica | undefined;
  pairing.then(
    (made) => (replica = made),
    () => {},
  );
  await until("paired", () => replica?.view.value.connection.kind === "live");
  Object.assign(world, { replica });
  Object.assign(world, { terminal: openTerminal(world.replica, SESSION, paper, around) });
  await until("drawn", () => world.terminal.view.value.live && world.terminal.view.value.drawn);
  return world;
}

describe("a terminal", () => {
  it("draws a snapshot and what follows, and passes over other terminals' frames and kinds it does not know", async () => {
    const program = new Program();
    program.text = "$ ";
    const { paper, until, terminal } = await opened(program);
    assert.equal(paper.text, "$ ");
    assert.deepEqual(terminal.view.value.size, SIZE);
    program.send({ kind: "output", offset: 0, bytes: encoder.encode("not ours") }, OTHER);
    const unknown = encodeFrame(SESSION, { kind: "ended" });
    unknown[0] = 99;
    program.raw(unknown);
    program.print("ls\r\n");
    await until("output", () => paper.text === "$ ls\r\n");
    program.send({ kind: "ended" });
    await until("ended", () => terminal.view.value.ended);
    assert.equal(terminal.type("x"), undefined);
  });

  it("goes on where it was after a cut, and begins again with a snapshot where something is missing", async () => {
    const { program, paper, host, until, terminal } = await opened();
    program.print("one ");
    await until("one", () => paper.text === "one ");
    host.cut();
    program.text += "two ";
    await until("stale", () => terminal.view.value.staleSince !== undefined);
    await until("two", () => paper.text === "one two ");
    assert.equal(terminal.view.value.staleSince, undefined);
    assert.deepEqual(program.follows, [undefined, 4]);
    assert.equal(paper.snapshots, 1);

    // What was sent before is passed over; the new end of it is not.
    program.send({ kind: "output", offset: 4, bytes: encoder.encode("two ") });
    program.text += "three";
    program.send({ kind: "output", offset: 4, bytes: encoder.encode("two three") });
    await until("three", () => paper.text === "one two three");

    program.text += " lost";
    program.print(" four");
    await until("a snapshot", () => paper.snapshots === 2);
    assert.equal(paper.text, "one two three lost four");
    program.print("!");
    await until("more", () => paper.text.endsWith("four!"));
  });

  it("gives the host credit only for what the emulator has taken", async () => {
    const { program, paper, until, clock } = await opened();
    paper.waiting = [];
    const flood = "x".repeat(16 * 1024);
    for (let count = 0; count < 40; count++) program.print(flood);
    const given = (): number => paper.waiting?.length ?? 0;
    await until("some", () => given() > 0);
    await clock.turn(2_000);
    const inFlight = given() * flood.length;
    assert.ok(inFlight <= 128 * 1024, `${inFlight} bytes were on the way`);
    for (let looks = 0; paper.text.length < 10 * flood.length && looks < 500; looks++) {
      for (const take of paper.waiting.splice(0)) take();
      await clock.turn(LOOK_MS);
    }
    assert.ok(paper.text.length >= 10 * flood.length, "goes on as it is taken");
  });

  it("types each thing once, over every cut", async () => {
    const { program, host, until, terminal, paper } = await opened();
    let typed = "";
    let heard = 0;
    // The program has it, and the answer is lost.
    program.heard = () => {
      if (++heard % 13 === 0) host.cut();
    };
    for (let count = 0; count < 200; count++) {
      typed += `${count},`;
      assert.ok(terminal.type(`${count},`));
      if (count % 17 === 0) host.cut();
      if (count % 5 === 0) await until("a moment", () => true);
      if (count % 40 === 0) await until("live", () => terminal.view.value.live);
    }
    await until("all of it", () => paper.chars === typed.length);
    assert.equal(program.typed, typed);
    assert.equal(program.keyboards.size, 1);
    assert.ok(new Set(program.numbers).size < program.numbers.length, "some were sent again");
  });

  it("sends the first key at once and a few ahead, and then what waits together", async () => {
    const { program, until, terminal, host, clock } = await opened();
    host.mute = true;
    for (const key of "abcdefgh") terminal.type(key);
    await clock.turn(500);
    const sent = host.calls
      .filter(({ method }) => method === "terminal.input")
      .map(({ params }) => (params as { text: string }).text);
    assert.deepEqual(sent, ["a", "b", "c", "d"]);
    host.mute = false;
    host.cut();
    await until("all", () => program.typed === "abcdefgh");
    assert.deepEqual(program.pieces, ["a", "b", "c", "d", "efgh"]);
  });

  it("cuts a long paste into pieces, never through a character, and refuses what is beyond reason", async () => {
    const { program, until, terminal, paper } = await opened();
    const text = "x".repeat(16 * 1024 - 1) + "😀".repeat(20_000);
    assert.ok(terminal.type(text));
    await until("all", () => paper.chars === text.length);
    assert.equal(program.typed, text);
    for (const piece of program.pieces) assert.doesNotMatch(piece, /[\ud800-\udbff]$/u);
    assert.equal(terminal.type("x".repeat(5 * 1024 * 1024)), undefined);
    assert.match(terminal.view.value.dropped?.why ?? "", /too much/u);
  });

  it("does not type what was typed long ago when the host comes back", async () => {
    const world = await opened();
    const { program, host, until, terminal, clock } = world;
    world.away = true;
    host.cut();
    await until("cut", () => !terminal.view.value.live);
    assert.ok(terminal.type("soon"));
    await clock.turn(31_000);
    assert.equal(terminal.type("late"), undefined);
    assert.match(terminal.view.value.dropped?.why ?? "", /away/u);
    world.away = false;
    world.replica.notice({ kind: "awake" });
    await until("live", () => terminal.view.value.live);
    assert.match(terminal.view.value.dropped?.why ?? "", /may not have arrived/u);
    terminal.type("now");
    await until("now", () => program.typed === "now");
  });

  it("says why what was typed was refused, and goes on", async () => {
    const { program, host, until, terminal } = await opened();
    host.refusal = (method) =>
      method === "terminal.input" ? new CallError("forbidden", "You may look, not type.") : undefined;
    terminal.type("x");
    await until("refused", () => terminal.view.value.dropped?.why === "You may look, not type.");
    host.refusal = () => undefined;
    terminal.type("y");
    await until("typed", () => program.typed === "y");
  });

  it("asks for the size that fits when it is its own, and takes it only when told to", async () => {
    const { program, until, terminal, paper, clock } = await opened();
    for (const cols of [30, 31, 40.9]) terminal.fit({ cols, rows: 20 });
    await until("fitted", () => paper.sized?.cols === 40);
    assert.deepEqual(
      program.resizes.map(({ size, take }) => [size.cols, take]),
      [[40, false]],
    );
    program.whose = "other";
    program.size = { cols: 120, rows: 50 };
    program.send({ kind: "size", size: program.size, whose: "other" });
    await until("another's", () => terminal.view.value.whose === "other");
    terminal.fit({ cols: 35, rows: 20 });
    await clock.turn(1_000);
    assert.equal(program.resizes.length, 1);
    assert.equal(paper.sized?.cols, 120);
    terminal.take();
    await until("ours", () => terminal.view.value.whose === "this" && paper.sized?.cols === 35);
    terminal.fit({ cols: 1e9, rows: -3 });
    await until("within limits", () => paper.sized?.cols === 1_000 && paper.sized.rows === 2);
  });

  it("closes the line on a frame that is none, and comes back", async () => {
    const { program, until, terminal, paper } = await opened();
    const stop = console.error;
    console.error = () => {};
    try {
      for (const bytes of [new Uint8Array(3), encodeFrame(SESSION, { kind: "ended" }).fill(1, 0, 1)]) {
        program.raw(bytes);
        await until("cut", () => !terminal.view.value.live);
        await until("back", () => terminal.view.value.live);
      }
    } finally {
      console.error = stop;
    }
    program.print("still here");
    await until("drawn", () => paper.text.endsWith("still here"));
  });

  it("measures the round trip, and leaves when it is closed", async () => {
    const { program, until, terminal, paper, clock } = await opened();
    terminal.type("x");
    await until("measured", () => terminal.view.value.roundTrip !== undefined);
    terminal.close();
    await until("unfollowed", () => program.unfollowed === 1);
    const before = paper.text;
    program.print("unheard");
    await clock.turn(500);
    assert.equal(paper.text, before);
    assert.equal(terminal.type("x"), undefined);
  });
});
