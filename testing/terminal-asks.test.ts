import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import type { CallError } from "@flybridge/protocol/error.ts";
import type { BareDevice } from "./bare.ts";
import { TerminalDevice } from "./terminal.ts";
import { startWorld, type World } from "./world.ts";

const suite = { timeout: 300_000 };

describe("what a program in a terminal asks", suite, () => {
  let world: World;
  let phone: BareDevice;
  let desktop: BareDevice;
  const open = (command: readonly string[]) => TerminalDevice.open(phone, command, { workspace: world.home });
  const answer = ({ session }: TerminalDevice, { ask }: Ask, given: Answer, device = phone) =>
    device.call("ask.answer", { session, ask, answer: given });

  before(async () => {
    world = await startWorld({ env: { PS1: "$ ", LANG: "C.UTF-8" } });
    phone = await world.pair("phone");
    desktop = await world.pair("desktop");
  });
  after(() => world[Symbol.asyncDispose]());

  it("[D33] [D36] is a card by itself, and free words reach the program as they are", async () => {
    const terminal = await open(["python3", "-c", "print('got', ascii(input('Project name: ')), flush=True); input()"]);
    const ask = await terminal.asked();
    assert.equal(ask.source, "screen");
    assert.match(textOf(ask), /Project name/u);
    await answer(terminal, ask, words(ask, `it's "quoted" \u00e9\u6f22 $HOME`));
    await terminal.shows(`got 'it\\'s "quoted" \\xe9\\u6f22 $HOME'`);
    const settled = terminal.entries.filter(({ fact }) => fact.kind === "ask.settled");
    assert.equal(settled.length, 1);
    await terminal.stop();
  });

  it("[D37] [D39] takes an option, once, from whoever is first", async () => {
    const script = `PS3="Which one? "; select one in apple banana cherry; do echo "took $one"; break; done; read -r rest; echo "rest: $rest"`;
    const terminal = await open(["bash", "-c", script]);
    const ask = await terminal.asked();
    assert.deepEqual(optionsOf(ask), ["apple", "banana", "cherry"]);
    const both = await Promise.allSettled([
      answer(terminal, ask, picks(ask, "banana")),
      answer(terminal, ask, picks(ask, "cherry"), desktop),
    ]);
    const [lost] = both.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
    assert.equal((lost?.reason as CallError | undefined)?.code, "already_settled");
    const won = both[0].status === "fulfilled" ? "banana" : "cherry";
    await terminal.shows(`took ${won}`);
    await assert.rejects(answer(terminal, ask, picks(ask, "apple")), (e: CallError) => e.code === "already_settled");
    await terminal.type("\r");
    await terminal.shows(/rest:\s*$/u);
    await terminal.stop();
  });

  it("[D39] says yes or no as the program wants it", async () => {
    const terminal = await open(["bash", "-c", 'read -r -p "Continue? [y/N] " a; echo "said <$a>"; read -r']);
    const ask = await terminal.asked();
    await answer(terminal, ask, yes(ask));
    await terminal.shows(/said <y(?:es)?>/u);
    await terminal.stop();
  });

  it("[D34] is withdrawn when it leaves the screen, and nothing is typed for it", async () => {
    const script =
      'read -r -t 30 -p "Overwrite config.json? (y/n) " a; clear; echo "gone <$a>"; read -r next; echo "<$next>"';
    const terminal = await open(["bash", "-c", script]);
    const ask = await terminal.asked();
    await terminal.type("n\r");
    await terminal.until(
      ({ fact }) => fact.kind === "ask.settled" && fact.ask === ask.ask && fact.settlement.kind === "withdrawn",
    );
    await assert.rejects(answer(terminal, ask, yes(ask)), (error: CallError) => error.code === "already_settled");
    await terminal.type("z\r");
    await terminal.shows("<z>");
    await terminal.stop();
  });

  it("[D38] is put away without a key, and can still be answered at the keyboard", async () => {
    const terminal = await open(["bash", "-c", 'read -r -p "Delete everything? [y/N] " a; echo "said <$a>"; read -r']);
    const { session } = terminal;
    const ask = await terminal.asked();
    await phone.call("ask.dismiss", { session, ask: ask.ask });
    await terminal.until(({ fact }) => fact.kind === "ask.dismissed");
    await terminal.type("x\r");
    await terminal.shows("said <x>");
    await terminal.stop();
  });

  it("[D36] a password is typed and leaves no trace", async () => {
    const secret = "Tr0ub4dor-and-3-and-more";
    const script =
      "import getpass,hashlib;print('digest',hashlib.sha256(getpass.getpass('Password: ').encode()).hexdigest());input()";
    const terminal = await open(["python3", "-c", script]);
    const ask = await terminal.asked();
    assert.equal(ask.kind === "question" && ask.questions[0]?.secret, true);
    await answer(terminal, ask, words(ask, secret));
    await terminal.shows(/digest [0-9a-f]{10}/u);
    await terminal.stop();
    assert.ok(!terminal.text.includes(secret));
    for (const path of filesIn(world.state))
      assert.ok(!readFileSync(path).includes(secret), `${path} has the password`);
  });

  it("[D36] a secret that only its terminal betrays is one, and what a line shows is none", async () => {
    const hidden = await open([
      "bash",
      "-c",
      "stty -echo; printf 'Coupon code: '; read -r t; stty echo; echo; echo ${#t}; read -r",
    ]);
    const ask = await hidden.asked();
    assert.equal(ask.kind === "question" && ask.questions[0]?.secret, true);
    await answer(hidden, ask, words(ask, "t0ken-0f-mine"));
    await hidden.shows("13");
    await hidden.stop();
    for (const path of filesIn(world.state)) assert.ok(!readFileSync(path).includes("t0ken-0f-mine"), path);
    const shown = await open(["bash", "-c", "printf 'Coupon code: '; read -r t; read -r"]);
    const plain = await shown.asked();
    assert.equal(plain.kind === "question" && plain.questions[0]?.secret, false);
    await shown.stop();
  });

  it("[D39] is void when its program is gone", async () => {
    const terminal = await open(["bash", "-c", 'read -r -p "Continue? [y/N] " a']);
    const ask = await terminal.asked();
    await terminal.type("\u0003");
    await terminal.until(({ fact }) => fact.kind === "ask.settled" && fact.ask === ask.ask);
    await terminal.until(({ fact }) => fact.kind === "agent.ended");
    await assert.rejects(answer(terminal, ask, yes(ask)), (error: CallError) => error.code === "already_settled");
  });

  it("[D33] what a program says of itself becomes turns, a title, and a card where its screen cannot be read", async () => {
    const say = (state: string) => `printf '\\033]7501;state=${state}:app=thing\\033\\\\'`;
    const message = Buffer.from("approve the launch").toString("base64");
    const script = [
      "printf '\\033]0;A title\\007'",
      say("working"),
      "sleep 0.3",
      say(`blocked:kind=permission:msg=${message}`),
      "read -rs",
      say("done"),
      "read -rs",
    ].join("; ");
    const terminal = await open(["bash", "-c", script]);
    const ask = await terminal.asked();
    assert.equal(ask.source, "signal");
    assert.match(textOf(ask), /approve the launch/u);
    assert.match(ask.elsewhere ?? "", /terminal/u);
    await assert.rejects(answer(terminal, ask, words(ask, "x")), (error: CallError) => error.code === "bad_answer");
    await terminal.until(({ fact }) => fact.kind === "turn.began");
    await terminal.until(({ fact }) => fact.kind === "agent.reported" && fact.title === "A title");
    await terminal.type("\r");
    await terminal.until(({ fact }) => fact.kind === "turn.ended" && fact.outcome === "completed");
    await terminal.until(({ fact }) => fact.kind === "ask.settled" && fact.ask === ask.ask);
    await terminal.stop();
  });

  it("[D33] is still there after the host was killed, and answered once", async () => {
    const terminal = await open(["python3", "-c", "print('got', input('Your name: ')); print('next', input())"]);
    const { session } = terminal;
    const ask = await terminal.asked();
    await world.kill();
    await world.restart();
    const back = await world.shell();
    await back.call("session.follow", { session, from: 1 });
    const again = await TerminalDevice.follow(back, session);
    assert.equal((await again.asked()).ask, ask.ask);
    await answer(again, ask, words(ask, "Ada"), back);
    await again.shows("got Ada");
    await again.type("z\r");
    await again.shows("next z");
    assert.equal(again.entries.filter(({ fact }) => fact.kind === "ask.opened").length, 1);
    back.close();
  });
});

function textOf(ask: Ask): string {
  return ask.kind === "question" ? (ask.questions[0]?.text ?? "") : JSON.stringify(ask);
}

function optionsOf(ask: Ask): string[] {
  return ask.kind === "question" ? (ask.questions[0]?.options.map(({ label }) => label) ?? []) : [];
}

function words(ask: Ask, text: string): Answer {
  const question = ask.kind === "question" ? (ask.questions[0]?.question ?? "") : "";
  return { kind: "replies", replies: [{ question, picks: [], text }] };
}

function picks(ask: Ask, label: string): Answer {
  const question = ask.kind === "question" ? (ask.questions[0]?.question ?? "") : "";
  return { kind: "replies", replies: [{ question, picks: [label] }] };
}

/** The first choice or option that says yes. */
function yes(ask: Ask): Answer {
  if (ask.kind === "approval") {
    const choice = ask.choices.find(({ label }) => /^y/iu.test(label)) ?? ask.choices[0];
    return { kind: "allow", choice: choice?.choice ?? "" };
  }
  return picks(ask, optionsOf(ask).find((label) => /^y/iu.test(label)) ?? "");
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
