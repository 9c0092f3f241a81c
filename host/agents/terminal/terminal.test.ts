import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fact } from "@flybridge/protocol/entry.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Seen, Sight, Signal } from "../screen-agent.ts";
import { screenOfText } from "./screen.ts";
import { type Memory, terminal } from "./terminal.ts";
import { toldBy } from "./title.ts";

const by = "d".repeat(43) as DeviceId;
const PROMPT = "$ ./setup.sh\nContinue? [y/N] ";
const DIALOG = [
  "● Bash(rm -rf build)",
  "────────────────────────────────────────",
  " Bash command",
  "",
  "   rm -rf build",
  "   Remove the build folder",
  "",
  " Do you want to proceed?",
  " ❯ 1. Yes",
  "   2. No",
  "",
  " Esc to cancel · Tab to amend",
].join("\n");

/** One who watches a screen, and the clock beside. */
function watching(memory: Memory = { asks: 0, turns: 0 }) {
  const watcher = terminal.watch(memory);
  let at = 1_000_000;
  let seq = 1;
  const sight = (text: string, more: Partial<Sight> = {}): Sight => ({
    screen: screenOfText(text),
    signals: [],
    quietMs: 1_000,
    echo: undefined,
    better: false,
    at,
    ...more,
  });
  return {
    memory,
    pass: (milliseconds: number) => (at += milliseconds),
    see: (text: string, more?: Partial<Sight>) => watcher.see(sight(text, more)),
    signal: (...signals: Signal[]) => watcher.see(sight("$ ", { signals })),
    act: (fact: Fact, text: string) => watcher.act({ seq: ++seq, at, fact }, sight(text)),
  };
}

const opened = ({ facts }: Seen) => facts.flatMap((fact) => (fact.kind === "ask.opened" ? [fact.ask] : []));
const settled = ({ facts }: Seen) =>
  facts.flatMap((fact) => (fact.kind === "ask.settled" ? [fact.settlement.kind] : []));
const keys = ({ typed }: Seen) => typed.map((one) => one.keys).join("");

function answer(ask: { ask: string } | undefined, given: object): Fact {
  return { kind: "ask.settled", ask: ask?.ask, settlement: { kind: "answered", answer: given, by } } as never;
}

describe("a terminal as an agent", () => {
  it("[D33] raises one ask for what is asked, and withdraws it when it leaves", () => {
    const { see } = watching();
    const [ask] = opened(see(PROMPT));
    assert.equal(ask?.source, "screen");
    assert.deepEqual(see(PROMPT), { facts: [], typed: [], again: undefined });
    assert.deepEqual(settled(see("$ ./setup.sh\nContinue? [y/N] y\ndone\n$ ")), ["withdrawn"]);
    const [again] = opened(see(PROMPT));
    assert.notEqual(again?.ask, ask?.ask);
  });

  it("takes a screen in motion at its second look, and does not withdraw at the first", () => {
    const { see } = watching();
    const first = see(PROMPT, { quietMs: 20 });
    assert.deepEqual(opened(first), []);
    assert.ok((first.again ?? Infinity) < 500);
    assert.equal(opened(see(PROMPT, { quietMs: 20 })).length, 1);
    assert.deepEqual(settled(see("", { quietMs: 20 })), []);
    assert.deepEqual(settled(see(PROMPT, { quietMs: 20 })), []);
    assert.deepEqual(settled(see("", { quietMs: 20 })), []);
    assert.deepEqual(settled(see("", { quietMs: 20 })), ["withdrawn"]);
  });

  it("leaves asking to a better source", () => {
    const { see } = watching();
    assert.deepEqual(opened(see(DIALOG, { better: true })), []);
    assert.equal(opened(see(DIALOG)).length, 1);
    assert.deepEqual(settled(see(DIALOG, { better: true })), ["withdrawn"]);
  });

  it("[D39] types an answer while the same ask stands there, and asks again when it was not taken", () => {
    const { see, act, pass } = watching();
    const [ask] = opened(see(PROMPT));
    pass(50);
    const option = ask?.kind === "question" ? ask.questions[0] : undefined;
    const yes = { kind: "replies", replies: [{ question: option?.question, picks: [option?.options[0]?.label] }] };
    const typed = act(answer(ask, yes), PROMPT);
    assert.match(keys(typed), /^y/u);
    // The program does not move: said, and asked again.
    let last: Seen = typed;
    for (let look = 0; look < 30 && !last.facts.some(({ kind }) => kind === "notice"); look++) {
      pass(last.again ?? 250);
      last = see(PROMPT);
    }
    assert.ok(last.facts.some(({ kind }) => kind === "notice"));
    assert.equal(opened(last).length, 1);
  });

  it("[D39] types nothing when another thing stands there, or the answer was lost", () => {
    const gone = watching();
    const [ask] = opened(gone.see(PROMPT));
    const typed = gone.act(answer(ask, { kind: "replies", replies: [{ question: "q", picks: ["Yes"] }] }), "$ ");
    assert.equal(keys(typed), "");
    assert.ok(typed.facts.some(({ kind }) => kind === "notice"));

    const lost = watching();
    const [secret] = opened(lost.see("$ sudo ls\n[sudo] password for ada: "));
    assert.equal(secret?.kind === "question" && secret.questions[0]?.secret, true);
    const withheld = { kind: "replies", replies: [{ question: "q", picks: [], text: "•••" }] };
    const seen = lost.act(answer(secret, withheld), "$ sudo ls\n[sudo] password for ada: ");
    assert.equal(keys(seen), "");
    assert.equal(opened(lost.see("$ sudo ls\n[sudo] password for ada: ")).length, 1);
    assert.ok(!JSON.stringify(lost.memory).includes("•••"));
  });

  it("does not take an answer twice, nor one of an ask that it did not raise", () => {
    const { see, act } = watching();
    see(PROMPT);
    assert.deepEqual(act(answer({ ask: "screen-7" }, { kind: "deny" }), PROMPT), {
      facts: [],
      typed: [],
      again: undefined,
    });
  });

  it("waits for a dialog to be ready before its first key", () => {
    const { see, act, pass } = watching();
    const [ask] = opened(see(DIALOG));
    assert.equal(ask?.kind, "approval");
    const choice = ask?.kind === "approval" ? ask.choices[0]?.choice : "";
    pass(100);
    const early = act(answer(ask, { kind: "allow", choice }), DIALOG);
    assert.equal(keys(early), "");
    pass(early.again ?? 0);
    assert.notEqual(keys(see(DIALOG)), "");
  });

  it("makes turns of what a program says of itself", () => {
    const { signal } = watching();
    const status = (state: "working" | "done" | "blocked" | "error" | "clear", text?: string): Signal => ({
      kind: "status",
      state,
      app: "claude-code",
      text,
    });
    assert.deepEqual(signal(status("working")).facts, [{ kind: "turn.began", turn: "turn-1" }]);
    assert.deepEqual(signal(status("working"), status("blocked"), status("working")).facts, []);
    assert.deepEqual(signal(status("done")).facts, [{ kind: "turn.ended", turn: "turn-1", outcome: "completed" }]);
    const failed = signal(status("working"), status("error", "API Error: 400")).facts.at(-1);
    assert.deepEqual(failed, { kind: "turn.ended", turn: "turn-2", outcome: "failed", detail: "API Error: 400" });
    assert.deepEqual(signal(status("clear")).facts, []);
  });

  it("tells by a title what it says, and journals no title for a spinner", () => {
    assert.deepEqual(toldBy("⠋ w-cxt"), { title: "w-cxt", state: "working" });
    assert.deepEqual(toldBy("[ ! ] Action Required | w-cxt"), { title: "w-cxt", state: "blocked", app: "codex" });
    assert.deepEqual(toldBy("◐ Claude Code"), { title: "Claude Code", state: "working", app: "claude-code" });
    assert.deepEqual(toldBy("ada@host: ~/w"), { title: "ada@host: ~/w" });
    const { signal, pass } = watching();
    const titles: string[] = [];
    for (const text of ["a shell", "⠋ w-cxt", "⠙ w-cxt", "⠹ w-cxt", "⠸ w-cxt"]) {
      for (const fact of signal({ kind: "title", text }).facts)
        if (fact.kind === "agent.reported") titles.push(fact.title ?? "");
      pass(1_500);
    }
    assert.deepEqual(titles, ["a shell", "w-cxt"]);
  });

  it("interrupts a program by Ctrl-C, and a dialog by Escape", () => {
    assert.equal(keys(watching().act({ kind: "interrupt.asked", by }, "$ sleep 100")), "\u0003");
    assert.equal(keys(watching().act({ kind: "interrupt.asked", by }, DIALOG)), "\u001b");
  });

  it("says that it waits where only the program itself says so", () => {
    const { see, pass } = watching();
    const blocked: Signal = { kind: "status", state: "blocked", about: "permission", app: "thing", text: "launch it" };
    const first = see("a picture", { signals: [blocked] });
    assert.deepEqual(opened(first), []);
    pass(first.again ?? 0);
    const [ask] = opened(see("a picture"));
    assert.equal(ask?.source, "signal");
    assert.match(ask?.elsewhere ?? "", /terminal/u);
    const done: Signal = { kind: "status", state: "done", app: "thing" };
    assert.deepEqual(settled(see("a picture", { signals: [done] })), ["withdrawn"]);
  });

  it("runs the person's shell, or what it is told, in a terminal's environment", async () => {
    const order = { session: "s" as SessionId, workspace: "/w", env: { SHELL: "/bin/zsh", COLUMNS: "5", HOME: "/h" } };
    const shell = await terminal.launch(order);
    assert.deepEqual(shell.argv, ["/bin/zsh", "-l"]);
    assert.deepEqual(shell.env, {
      SHELL: "/bin/zsh",
      HOME: "/h",
      TERM: "xterm-256color",
      COLORTERM: "truecolor",
      TERM_PROGRAM: "flybridge",
      FLYBRIDGE_SESSION: "s",
    });
    const again = await terminal.launch({
      ...order,
      command: ["vim", "a b"],
      before: { asks: 3, turns: 2, turn: "x" },
    });
    assert.deepEqual(again.argv, ["vim", "a b"]);
    assert.deepEqual(again.memory, { asks: 3, turns: 2 });
  });

  it("remembers plain JSON, whatever it saw", () => {
    const { see, memory } = watching();
    for (const text of [PROMPT, DIALOG, "", "x".repeat(5_000), "\u0000\ud800", `${"1. a\n".repeat(200)}`]) see(text);
    assert.deepEqual(JSON.parse(JSON.stringify(memory)), JSON.parse(JSON.stringify(memory)));
    assert.ok(JSON.stringify(memory).length < 100_000);
  });
});
