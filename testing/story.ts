/**
 * The main job, played once by two people on two devices: a session in a git repository with every kind of answer an
 * agent can be given. What they did is written down as plain JSON, for the checker.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer, ApprovalAsk, Ask, PlanAsk, QuestionAsk } from "@flybridge/protocol/ask.ts";
import type { Entry, FactOf } from "@flybridge/protocol/entry.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName, PromptId, SessionId } from "@flybridge/protocol/ids.ts";
import type { Deeds } from "./checker.ts";
import { newIntent } from "./bare.ts";
import type { ReturningDevice } from "./returning.ts";

/** Free text as people write it: nothing of it may be changed on its way. */
export const AWKWARD = `Not now: "quotes", 'more', ünïcode 🛩\u200d, a \\backslash,\na newline\tand a tab `;

/** Long enough to stream in many pieces, with characters of one to four bytes. */
const LONG = Array.from({ length: 40 }, (_, at) => `${at} größer 雲 🛩 than`).join(" ");

export interface Stage {
  readonly phone: ReturningDevice;
  readonly tablet: ReturningDevice;
  /** A git repository. */
  readonly repository: string;
}

/** A real repository with one commit. */
export function makeRepository(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "README.md"), "# A project\n");
  const git = (...args: string[]): Buffer =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@localhost", ...args], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1" },
    });
  git("init", "-q", "-b", "main");
  git("add", "README.md");
  git("commit", "-q", "-m", "Begin");
  return folder;
}

export class Story {
  readonly deeds: Deeds = { prompts: [], answers: [], refused: [], files: [] };
  session: SessionId;
  readonly #stage: Stage;
  readonly #phone: ReturningDevice;
  readonly #tablet: ReturningDevice;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#phone = stage.phone;
    this.#tablet = stage.tablet;
    this.session = newIntent() as string as SessionId;
  }

  /** From the first prompt to the last; each act leaves the agent at rest. `before` is awaited before the last one. */
  async play(before: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.begins();
    await this.approves();
    await this.denies();
    await this.allowsAlways();
    await this.answersQuestions();
    await this.sendsPlanBack();
    await this.interrupts();
    await this.steersAndQueues();
    await before();
    await this.ends();
  }

  begins(): Promise<void> {
    return this.#begins(4);
  }

  /** In place of `begins`: a text that takes some seconds. */
  tellsSlowly(): Promise<void> {
    return this.#begins(60);
  }

  async #begins(pace: number): Promise<void> {
    const text = `Hello. [[think Let me see.]][[slow ${pace}]][[text ${LONG}]]`;
    const params = { agent: "claude" as AgentName, workspace: this.#stage.repository, prompt: text };
    await this.#phone.intend("session.create", params, this.session as string as never);
    await Promise.all([this.#phone.follow(this.session), this.#tablet.follow(this.session)]);
    this.#note(this.session, text, [LONG]);
    await this.#turnOf(this.session);
  }

  /** `meanwhile` is awaited while the ask is open. */
  async approves(meanwhile: (ask: Ask) => Promise<void> = () => Promise.resolve()): Promise<void> {
    const command = 'touch made && printf "%s %s" "$HOME" "$ANTHROPIC_API_KEY" > env.txt && echo made it';
    const prompt = await this.#prompts(
      `Make it. [[text I will.]][[+tool Bash ${JSON.stringify({ command, description: "Make a file" })}]][[text Made.]]`,
      ["I will.", "Made."],
    );
    const ask = (await this.#askOf(prompt)) as ApprovalAsk;
    assert.equal(ask.evidence.command, command);
    await meanwhile(ask);
    await this.#answers(this.#phone, ask, { kind: "allow", choice: "once" }, "made it");
    await this.#turnOf(prompt);
    this.#expects("made", "");
  }

  async denies(): Promise<void> {
    const prompt = await this.#prompts('Again. [[tool Bash {"command":"touch denied"}]][[text Then not.]]', [
      "Then not.",
    ]);
    const ask = await this.#askOf(prompt);
    await this.#answers(this.#tablet, ask, { kind: "deny", reason: AWKWARD }, AWKWARD);
    await this.#turnOf(prompt);
    this.#expects("denied", null);
  }

  /** The rule alone is taken: what else Claude suggests with it would open more than was asked. */
  async allowsAlways(): Promise<void> {
    const script = '[[tool Bash {"command":"touch kept && echo kept"}]][[text Kept.]]';
    const first = await this.#prompts(`Keep it. ${script}`, ["Kept."]);
    const ask = (await this.#askOf(first)) as ApprovalAsk;
    const rule = ask.choices.find((choice) => choice.scope === "always");
    assert.ok(rule, "a rule for this project is offered");
    assert.ok(ask.choices.length >= 3, "each suggestion is a choice of its own");
    await this.#answers(this.#tablet, ask, { kind: "allow", choice: rule.choice }, "kept");
    await this.#turnOf(first);
    const settings = join(this.#stage.repository, ".claude", "settings.local.json");
    const { permissions } = JSON.parse(readFileSync(settings, "utf8")) as { permissions: { allow: string[] } };
    assert.ok(
      permissions.allow.some((one) => one.includes("touch kept")),
      JSON.stringify(permissions),
    );
    rmSync(join(this.#stage.repository, "kept"));
    const second = await this.#prompts(`Once more. ${script}`, ["Kept."]);
    this.deeds.answers.push({ ask: null, told: "kept" });
    await this.#turnOf(second);
    this.#expects("kept", "");
  }

  async answersQuestions(): Promise<void> {
    const questions = [
      {
        question: "Which features?",
        header: "Features",
        multiSelect: true,
        options: ["Auth", "Export", "Search"].map((label) => ({ label, description: `With ${label}` })),
      },
      {
        question: "Which name?",
        header: "Name",
        multiSelect: false,
        options: ["Kite", "Heron"].map((label) => ({ label, description: label })),
      },
    ];
    const prompt = await this.#prompts(
      `Ask me. [[tool AskUserQuestion ${JSON.stringify({ questions })}]][[text So be it.]]`,
      ["So be it."],
    );
    const ask = (await this.#askOf(prompt)) as QuestionAsk;
    const [features, name] = ask.questions.map((one) => one.question);
    await this.#phone.intend("ask.dismiss", { session: this.session, ask: ask.ask });
    await this.#seen((entry) => entry.fact.kind === "ask.dismissed" && entry.fact.ask === ask.ask);
    const answer: Answer = {
      kind: "replies",
      replies: [
        { question: features ?? "", picks: ["Auth", "Search"], note: "search first" },
        { question: name ?? "", picks: [], text: AWKWARD },
      ],
    };
    const told = `"Which features?"="Auth, Search" notes: search first, "Which name?"="${AWKWARD}"`;
    await this.#answers(this.#tablet, ask, answer, told);
    await this.#isRefused(this.#phone, ask, {
      kind: "replies",
      replies: [{ question: features ?? "", picks: ["Export"] }],
    });
    await this.#turnOf(prompt);
  }

  async sendsPlanBack(): Promise<void> {
    await this.#phone.intend("session.configure", { session: this.session, mode: "plan" });
    await this.#seen((entry) => entry.fact.kind === "agent.reported" && entry.fact.mode === "plan");
    const prompt = await this.#prompts(
      'Plan it. [[tool Write {"file_path":"{{PLAN_FILE}}","content":"# Plan\\n\\n1. Begin"}]][[tool ExitPlanMode {}]][[tool ExitPlanMode {}]][[text Building.]]',
      ["Building."],
    );
    this.deeds.answers.push({ ask: null, told: "created successfully" });
    const first = (await this.#askOf(prompt)) as PlanAsk;
    assert.equal(first.plan, "# Plan\n\n1. Begin");
    const feedback = `Too short. ${AWKWARD}`;
    await this.#answers(this.#phone, first, { kind: "revise", feedback }, feedback);
    const second = (await this.#askOf(prompt, first)) as PlanAsk;
    const edited = "# Plan\n\n1. Begin\n2. “Go on” 🛩\n";
    await this.#answers(
      this.#tablet,
      second,
      { kind: "approve", choice: "default", edited },
      `Approved Plan (edited by user):\n${edited}`,
    );
    await this.#turnOf(prompt);
    await this.#seen((entry) => entry.fact.kind === "agent.reported" && entry.fact.mode === "default");
  }

  async interrupts(): Promise<void> {
    const prompt = await this.#prompts(
      "Go on. [[text The beginning.]][[+wait never]][[+text The end.]]",
      ["The beginning."],
      "interrupted",
    );
    await this.#seen(
      (entry) =>
        entry.fact.kind === "item.began" && entry.fact.item.kind === "words" && entry.seq > this.#takenAt(prompt),
    );
    await this.#tablet.intend("session.interrupt", { session: this.session });
    await this.#turnOf(prompt);
  }

  async steersAndQueues(): Promise<void> {
    const prompt = await this.#prompts(
      'Work. [[tool Bash {"command":"touch steered && echo steered"}]][[text Steered.]]',
      ["Steered."],
    );
    const ask = await this.#askOf(prompt);
    const steer = await this.#prompts("Look in the other folder.", [], "completed", "steer");
    const queued = await this.#prompts("After that. [[text Second.]]", ["Second."]);
    const unwanted = await this.#prompts("Never mind. [[text Unwanted.]]", [], "withdrawn");
    await this.#tablet.intend("session.withdraw", { session: this.session, prompt: unwanted });
    await this.#answers(this.#phone, ask, { kind: "allow", choice: "once" }, "steered");
    await this.#turnOf(queued);
    await this.#seen((entry) => entry.fact.kind === "prompt.taken" && entry.fact.prompt === steer);
    this.#expects("steered", "");
  }

  async ends(): Promise<void> {
    const prompt = await this.#prompts("Goodbye. [[text All of it is done.]]", ["All of it is done."]);
    await this.#turnOf(prompt);
  }

  #note(
    prompt: string,
    text: string,
    words: readonly string[],
    outcome: "completed" | "interrupted" | "withdrawn" = "completed",
  ): void {
    this.deeds.prompts.push({ prompt, text, words, outcome });
  }

  async #prompts(
    text: string,
    words: readonly string[],
    outcome: "completed" | "interrupted" | "withdrawn" = "completed",
    delivery: "queue" | "steer" = "queue",
  ): Promise<PromptId> {
    const intent = newIntent();
    await this.#phone.intend("session.prompt", { session: this.session, text, delivery }, intent);
    this.#note(intent, text, words, outcome);
    return intent as string as PromptId;
  }

  async #answers(device: ReturningDevice, ask: Ask, answer: Answer, told: string): Promise<void> {
    await device.intend("ask.answer", { session: this.session, ask: ask.ask, answer });
    this.deeds.answers.push({ ask: ask.ask, answer, told });
    await this.#seen((entry) => entry.fact.kind === "ask.settled" && entry.fact.ask === ask.ask);
  }

  async #isRefused(device: ReturningDevice, ask: Ask, answer: Answer): Promise<void> {
    await assert.rejects(
      device.intend("ask.answer", { session: this.session, ask: ask.ask, answer }),
      (error) => error instanceof CallError && error.code === "already_settled",
    );
    this.deeds.refused.push(ask.ask);
  }

  #expects(path: string, expected: string | null): void {
    this.deeds.files.push({ path, expected });
  }

  /** Both devices see it, live. */
  async #seen(find: (entry: Entry) => boolean): Promise<void> {
    await Promise.all([this.#phone.entry(String(find), find), this.#tablet.entry(String(find), find)]);
  }

  #takenAt(prompt: PromptId): number {
    const seq = this.#phone.entries.find(({ fact }) => fact.kind === "prompt.accepted" && fact.prompt === prompt)?.seq;
    return seq ?? Number.POSITIVE_INFINITY;
  }

  async #askOf(prompt: PromptId, after?: Ask): Promise<Ask> {
    const opened = (device: ReturningDevice): Promise<FactOf<"ask.opened">> =>
      device.entry(`an ask of ${prompt}`, ({ seq, fact }) => {
        const later = after === undefined || this.#openedAt(device, after) < seq;
        return fact.kind === "ask.opened" && seq > this.#takenAt(prompt) && later ? fact : undefined;
      });
    const [{ ask }, other] = await Promise.all([opened(this.#phone), opened(this.#tablet)]);
    assert.deepEqual(other.ask, ask);
    return ask;
  }

  #openedAt(device: ReturningDevice, ask: Ask): number {
    return (
      device.entries.find(({ fact }) => fact.kind === "ask.opened" && fact.ask.ask === ask.ask)?.seq ??
      Number.POSITIVE_INFINITY
    );
  }

  /** The prompt was taken and the turn in which it was is over, on both devices. */
  async #turnOf(prompt: string): Promise<void> {
    const over = (device: ReturningDevice): Promise<unknown> =>
      device.until(`the end of the turn of ${prompt}`, () => {
        const taken = device.entries.find(({ fact }) => fact.kind === "prompt.taken" && fact.prompt === prompt)?.seq;
        const began = device.entries.findLast(({ fact }) => fact.kind === "turn.began")?.seq ?? 0;
        const ended = device.entries.findLast(({ fact }) => fact.kind === "turn.ended")?.seq ?? 0;
        return taken !== undefined && ended > taken && ended > began ? true : undefined;
      });
    await Promise.all([over(this.#phone), over(this.#tablet)]);
  }
}
