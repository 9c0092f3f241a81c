import assert from "node:assert/strict";
import { hostname } from "node:os";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CallError } from "@flybridge/protocol/error.ts";
import type { Result } from "@flybridge/protocol/methods.ts";
import type { BareDevice } from "./bare.ts";
import { TerminalDevice } from "./terminal.ts";
import { startWorld, type World } from "./world.ts";

const suite = { timeout: 240_000 };

describe("a terminal", suite, () => {
  let world: World;
  let phone: BareDevice;
  let desktop: BareDevice;
  const open = (command: readonly string[], device = phone) =>
    TerminalDevice.open(device, command, { workspace: world.home });

  before(async () => {
    world = await startWorld({ env: { PS1: "$ ", LANG: "C.UTF-8" } });
    phone = await world.pair("phone");
    desktop = await world.pair("desktop");
  });
  after(() => world[Symbol.asyncDispose]());

  it("[C13] takes what a device types, once, and shows what comes of it", async () => {
    const terminal = await open(["sh"]);
    await terminal.shows("$");
    await terminal.type("echo he''llo $((40 + 2))\r");
    await terminal.shows("hello 42");
    await terminal.type("x");
    await terminal.typeAgain("x");
    await terminal.type("y");
    await terminal.shows(/\$ xy$/u);
    await terminal.stop();
    await terminal.hasEnded();
    await assert.rejects(terminal.type("z"), (error: CallError) => error.code === "wrong_state");
  });

  it("[B04] runs on the host, in its folder, and in the size a device gives it", async () => {
    const terminal = await open(["sh"]);
    await terminal.shows("$");
    await terminal.type("hostname; pwd; tty; echo $TERM $COLORTERM $TERM_PROGRAM $FLYBRIDGE_SESSION\r");
    const screen = await terminal.shows(`xterm-256color truecolor flybridge ${terminal.session}`);
    assert.ok(
      screen.includes(hostname()) && screen.includes(world.home) && /\/dev\/(?:pts|ttys)/u.test(screen),
      screen,
    );
    const { session } = terminal;
    const size = { cols: 100, rows: 31 };
    assert.deepEqual(await phone.call("terminal.resize", { session, size, take: false }), { size, whose: "this" });
    await terminal.type("stty size\r");
    await terminal.shows("31 100");
    assert.deepEqual(terminal.size, size);
    await terminal.stop();
  });

  it("has the size of one device at a time, until that takes it or the other leaves", async () => {
    const here = await open(["sh"]);
    const { session } = here;
    const there = await TerminalDevice.follow(desktop, session);
    const small = { cols: 44, rows: 20 };
    const large = { cols: 160, rows: 50 };
    await phone.call("terminal.resize", { session, size: small, take: false });
    await desktop.until(() => (there.size.cols === 44 ? true : undefined));
    assert.deepEqual(await desktop.call("terminal.resize", { session, size: large, take: false }), {
      size: small,
      whose: "other",
    });
    assert.deepEqual(await desktop.call("terminal.resize", { session, size: large, take: true }), {
      size: large,
      whose: "this",
    });
    await phone.until(() => {
      const frame = here.frames.at(-1);
      return frame?.kind === "size" && frame.whose === "other" && frame.size.cols === 160 ? true : undefined;
    });
    await desktop.call("terminal.unfollow", { session });
    await phone.until(() => {
      const frame = here.frames.at(-1);
      return frame?.kind === "size" && frame.whose === "nobody" ? true : undefined;
    });
    assert.equal((await phone.call("terminal.resize", { session, size: small, take: false })).whose, "this");
    for (const size of [
      { cols: 10_000, rows: 24 },
      { cols: 80, rows: 501 },
      { cols: 0, rows: 0 },
      { cols: 1.5, rows: 2 },
    ])
      await assert.rejects(
        phone.call("terminal.resize", { session, size, take: true }),
        (error: CallError) => error.code === "bad_params",
      );
    await here.stop();
  });

  it("[C13] gives a fast device every byte of a burst in order, whatever another that is stalled does", async () => {
    const fast = await open(["sh"]);
    const { session } = fast;
    const asleep = await world.pair("asleep");
    const stalled = await TerminalDevice.follow(asleep, session);
    stalled.stall();
    const before = await rss(phone);
    await fast.shows("$");
    await fast.type("seq 1 200000; echo do''ne\r");
    await fast.hears("done");
    const text = fast.text.replaceAll("\r", "");
    const at = text.indexOf("\n1\n2\n3\n");
    const numbers = text
      .slice(at + 1, text.indexOf("done"))
      .trim()
      .split("\n");
    assert.equal(numbers.length, 200_000);
    assert.ok(numbers.every((line, index) => line === String(index + 1)));
    assert.equal(fast.frames.filter(({ kind }) => kind === "snapshot").length, 1);
    assert.ok((await rss(phone)) - before < 64 * 1024 * 1024);
    const told = stalled.text.length;
    assert.ok(told < 600_000, `a stalled device was given ${told} bytes`);
    stalled.go();
    await stalled.shows(/199999\s+200000\s+done/u);
    assert.ok(stalled.text.length < 900_000, "it was given the newest screen, not what it missed");
    assert.equal(stalled.screen, fast.screen);
    asleep.close();
    await fast.stop();
  });

  it("stops at Ctrl-C in the middle of a burst, also when the only device is stalled", async () => {
    const terminal = await open(["sh"]);
    await terminal.shows("$");
    await terminal.type("yes a rather long line that is repeated for ever; echo over\r");
    await terminal.hears("ever\r\n");
    await terminal.type("\u0003");
    await terminal.shows(/\^C\s+\$$/u);
    await terminal.type("yes; echo over\r");
    await terminal.hears("y\r\ny\r\n");
    terminal.stall();
    await terminal.type("\u0003");
    terminal.go();
    await terminal.shows(/\^C\s+\$$/u);
    await terminal.stop();
  });

  it("goes on from where a device was, or draws the screen anew", async () => {
    const terminal = await open(["sh"]);
    await terminal.shows("$");
    await terminal.type("seq 1 40\r");
    await terminal.shows(/39\s+40\s+\$$/u);
    const { session, offset, screen } = terminal;
    const away = await world.pair("away");
    const anew = await TerminalDevice.follow(away, session);
    await anew.shows(/40\s+\$$/u);
    assert.equal(anew.screen, screen);
    away.close();
    await terminal.type("echo mo''re\r");
    await terminal.shows("more");
    const back = await world.pair("back");
    const near = await TerminalDevice.follow(back, session, offset);
    await near.hears("more");
    assert.ok(near.frames.every(({ kind }) => kind === "output"));
    assert.ok(!near.text.includes("\r\n39\r\n"));
    const page = await back.call("terminal.page", { session });
    assert.equal(page.first, 0);
    const counted = page.lines.slice(page.lines.indexOf("1"));
    assert.ok(counted.length > 5, JSON.stringify(page));
    assert.ok(counted.every((line, at) => line === String(at + 1)));
    const part = await back.call("terminal.page", { session, before: 3 });
    assert.deepEqual(part, { first: 0, lines: page.lines.slice(0, 3) });
    const far = await TerminalDevice.follow(back, session, 10_000_000);
    await far.shows("more");
    back.close();
    await terminal.stop();
  });

  it("[C13] stands what must not be shown to a terminal", async () => {
    const random = join(world.home, "binary");
    writeFileSync(random, Buffer.from(Array.from({ length: 400_000 }, (_, at) => (at * at * 7919 + at * 31) % 256)));
    const hostile = join(world.home, "hostile");
    const escapes = [
      "\u001b[2147483647S",
      "\u001b[6n",
      "\u001b]0;title\u0007",
      "\u001b[?1049h",
      "\u001b[?1049l",
      "\u0007",
    ];
    writeFileSync(hostile, escapes.join("").repeat(4_000) + "\u001bP".repeat(1_000) + "x".repeat(300_000));
    const terminal = await open(["sh"]);
    await terminal.shows("$");
    await terminal.type(`cat ${random} ${hostile}; printf '\\033c\\377\\376\\303('; printf '\\033c'; echo al''ive\r`);
    await terminal.shows("alive");
    // What was answered to its queries came in as keys.
    await terminal.type("\u0003");
    // A shell forgets what was typed before it has heard of the interrupt.
    await terminal.shows(/\^C\n\$/u);
    await terminal.type("\u0015echo \u00e9\u6f22\ud83d\ude80; clear; echo sti''ll\r");
    await terminal.shows("still");
    const other = await TerminalDevice.follow(desktop, terminal.session);
    await other.shows("still");
    const titles = terminal.entries.filter(({ fact }) => fact.kind === "agent.reported");
    assert.ok(titles.length < 10, `${titles.length} titles were journaled`);
    await terminal.stop();
  });

  it("takes a prompt as a line, and an interrupt as Ctrl-C", async () => {
    const terminal = await open(["sh"]);
    await terminal.shows("$");
    const { session } = terminal;
    await phone.call("session.prompt", { session, text: "echo pro''mpted", delivery: "queue" });
    await terminal.shows(/\nprompted/u);
    await terminal.until(({ fact }) => fact.kind === "prompt.taken");
    await terminal.stop();
    const [ended] = terminal.entries.filter(({ fact }) => fact.kind === "agent.ended");
    assert.equal(ended?.fact.kind === "agent.ended" && ended.fact.cause, "stopped");
  });

  it("says why a program could not be started, and how one ended", async () => {
    const missing = await open(["no-such-program-here"]);
    const why = await missing.until(({ fact }) => fact.kind === "agent.ended" && fact.detail);
    assert.match(why, /no-such-program-here/u);
    const failing = await open(["sh", "-c", "echo last words; exit 3"]);
    assert.match(await failing.until(({ fact }) => fact.kind === "agent.ended" && fact.detail), /code 3/u);
    await failing.shows("last words");
    await failing.hasEnded();
    const later = await TerminalDevice.follow(desktop, failing.session);
    await later.shows("last words");
    await later.hasEnded();
  });

  it("is no other session's: what is no terminal has no keys", async () => {
    const { session } = await phone.call("session.create", { agent: "demo" as never, workspace: world.home });
    for (const ask of [
      () => phone.call("terminal.follow", { session }),
      () => phone.call("terminal.input", { session, keyboard: "abcdefgh", number: 0, text: "x" }),
      () => phone.call("terminal.page", { session }),
    ])
      await assert.rejects(ask, (error: CallError) => error.code === "wrong_state");
    await phone.call("session.stop", { session });
  });
});

async function rss(device: BareDevice): Promise<number> {
  const { rss: bytes }: Result<"host.read"> = await device.call("host.read", {});
  return bytes;
}

describe("a terminal whose host dies", suite, () => {
  it("[C12] shows the same screen after a restart, answers each query once, and goes on", async () => {
    await using world = await startWorld({ env: { PS1: "$ " } });
    const device = await world.pair();
    const terminal = await TerminalDevice.open(device, ["bash", "--norc"], { workspace: world.home });
    const { session } = terminal;
    const asks = "ask() { printf '\\033[6n'; IFS= read -rsdR place; printf '<%s>' \"${place#??}\"; }";
    await terminal.type(`${asks}; clear\r`);
    await terminal.type("printf '\\033[31mred\\033[0m '; ask; echo fir''st\r");
    await terminal.shows(/^red <\d+;5>first\s+\$$/mu);
    const there = join(world.home, "there");
    await terminal.type("sleep 1; seq 1 50; touch there; ask; echo en''d\r");
    await terminal.shows("en''d");
    await world.kill();
    // It writes on, and asks, while there is no host; the next one draws it and answers.
    while (!existsSync(there)) await new Promise((resolve) => setTimeout(resolve, 20));
    await world.restart();
    const back = await world.shell();
    const again = await TerminalDevice.follow(back, session);
    await again.shows(/49\s+50\s+<24;1>end\s+\$$/u);
    await world.kill();
    await world.restart();
    const once = await world.shell();
    const third = await TerminalDevice.follow(once, session);
    await third.shows(/<24;1>end\s+\$$/u);
    assert.equal(third.screen, again.screen);
    await third.type("echo 'still here' | tr a-z A-Z\r");
    await third.shows("STILL HERE");
    once.close();
  });

  it("says that a program is gone with its keeper, keeps its screen, and starts it again below", async () => {
    await using world = await startWorld({ env: { PS1: "$ " } });
    const device = await world.pair();
    const terminal = await TerminalDevice.open(device, ["sh"], { workspace: world.home });
    const { session } = terminal;
    await terminal.shows("$");
    await terminal.type("echo rem''ember me\r");
    await terminal.shows("remember me");
    const { keeper } = await device.call("host.read", {});
    process.kill(keeper.pid, "SIGKILL");
    const why = await terminal.until(({ fact }) => fact.kind === "agent.ended" && fact.detail);
    assert.match(why, /keeper/u);
    await terminal.hasEnded();
    await world.kill();
    await world.restart();
    const back = await world.shell();
    await back.call("session.follow", { session, from: 1 });
    const again = await TerminalDevice.follow(back, session);
    await again.shows("remember me");
    await again.hasEnded();
    await back.call("session.resume", { session });
    await again.shows(/remember me[^]*started again[^]*\$$/u);
    await again.type("echo ne''w\r");
    await again.shows("new");
    assert.equal(again.ended, false);
    await again.stop();
    back.close();
  });
});
