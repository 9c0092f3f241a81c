/**
 * A walk through the product as it is: the real host, the demo agent, and one browser per look, all paired and all
 * following the same sessions. What one of them sees, the others see too; each gets its picture.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Answer, Ask } from "@flybridge/protocol/ask.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Locator, Page } from "playwright-core";
import type { BareDevice } from "../../testing/bare.ts";
import { launchChromium } from "../../testing/browser.ts";
import { startWorld, type World } from "../../testing/world.ts";
import { type Camera, type Look, WAIT_MS } from "./look.ts";

const DEMO = "demo" as AgentName;

export interface Seat {
  readonly look: Look;
  readonly page: Page;
}

/** One part of the walk: brings about what is to be seen, and takes its pictures. */
export type Part = (stage: Stage) => Promise<void>;

export interface Stage {
  readonly world: World;
  readonly shell: BareDevice;
  readonly camera: Camera;
  readonly seats: readonly Seat[];
  /** Starts the demo with a prompt, whose first word is the scene that it plays. */
  start(prompt: string, folder?: string): Promise<SessionId>;
  /** Resolves when the session's turn has ended. */
  rested(session: SessionId): Promise<void>;
  asked(session: SessionId): Promise<Ask>;
  answer(session: SessionId, ask: Ask, answer: Answer): Promise<void>;
  visit(seat: Seat, path: string): Promise<void>;
  /** A tap on a phone, a click on a desktop: only the second leaves a pointer hovering. */
  press(seat: Seat, target: Locator): Promise<void>;
  pathOf(session: SessionId): string;
  each(act: (seat: Seat) => Promise<void>): Promise<void>;
}

export async function photographProduct(camera: Camera, looks: readonly Look[], parts = WALK): Promise<void> {
  await using world = await startWorld({ args: ["--name", "studio"] });
  const browser = await launchChromium({ args: ["--use-fake-device-for-media-stream"] });
  // Short, for it is seen in the pictures.
  const workspaces = mkdtempSync(join(tmpdir(), "ada-"));
  try {
    const seats: Seat[] = [];
    for (const look of looks) {
      const context = await browser.newContext({ ...look.context, permissions: ["camera"] });
      context.setDefaultTimeout(WAIT_MS);
      seats.push({ look, page: await context.newPage() });
    }
    const stage = await makeStage(world, workspaces, camera, seats);
    for (const part of parts) await part(stage);
    stage.shell.close();
  } finally {
    await browser.close();
    rmSync(workspaces, { recursive: true, force: true });
  }
}

async function makeStage(world: World, workspaces: string, camera: Camera, seats: readonly Seat[]): Promise<Stage> {
  const shell = await world.shell();
  const { host } = await shell.call("host.read", {});
  for (const folder of ["harbour", "tide-tables"]) {
    mkdirSync(join(workspaces, folder));
    execFileSync("git", ["init", "-q", "-b", "main", join(workspaces, folder)]);
  }
  return {
    world,
    shell,
    camera,
    seats,
    async start(prompt, folder = "harbour") {
      const workspace = join(workspaces, folder);
      const { session } = await shell.call("session.create", { agent: DEMO, workspace, model: "demo-quick", prompt });
      await shell.call("session.follow", { session, from: 1 });
      return session;
    },
    async rested(session) {
      await shell.untilEntry(session, ({ fact }) => fact.kind === "turn.ended" || fact.kind === "agent.ended");
    },
    asked: (session) => shell.untilEntry(session, ({ fact }) => fact.kind === "ask.opened" && fact.ask),
    async answer(session, ask, answer) {
      await shell.call("ask.answer", { session, ask: ask.ask, answer });
    },
    async visit({ page }, path) {
      await page.goto(`http://127.0.0.1:${world.port}${path}`);
    },
    press: ({ look }, target) => (look.isPhone ? target.tap() : target.click()),
    pathOf: (session) => `/session/${host}/${session}`,
    async each(act) {
      for (const seat of seats) await act(seat);
    },
  };
}

const pairing: Part = (stage) =>
  stage.each(async (seat) => {
    const { page, look } = seat;
    const take = (screen: string): Promise<void> => stage.camera.take(page, screen, look);
    const press = (name: string): Promise<void> => stage.press(seat, page.getByRole("button", { name, exact: true }));
    await stage.visit(seat, "/");
    await press("Scan the code");
    await page.waitForFunction(() => (document.querySelector("video")?.currentTime ?? 0) > 0);
    await take("pair-scanning");
    await stage.visit(seat, "/");
    await page.getByRole("heading", { name: "Flybridge" }).waitFor();
    await take("pair");
    await page.getByLabel("Connection string").fill("flybridge://studio:7683/not.a.token");
    await press("Continue");
    await page.getByRole("alert").waitFor();
    await take("pair-wrong-string");

    const withdrawn = await stage.shell.call("offer.make", {});
    await stage.shell.call("offer.withdraw", { offer: withdrawn.offer });
    await page.goto(withdrawn.link);
    await press("Pair");
    await page.getByRole("alert").waitFor();
    await take("pair-refused");
    await letIn(stage, seat, () => take("pair-asking"));
  });

/** Pairs the seat by a link. `asked` runs when the page waits for the person's tap. */
export async function letIn(stage: Stage, seat: Seat, asked?: () => Promise<void>): Promise<void> {
  const { page, look } = seat;
  await page.goto((await stage.shell.call("offer.make", {})).link);
  await page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
  await page.getByLabel("Name of this device").fill(look.isPhone ? "Ada's phone" : "Ada's desk");
  await asked?.();
  await stage.press(seat, page.getByRole("button", { name: "Pair", exact: true }));
  await page.waitForURL(/\/sessions$/u);
}

const nothingYet: Part = (stage) =>
  stage.each(async (seat) => {
    await stage.visit(seat, "/sessions");
    await seat.page.getByRole("heading", { name: "Sessions" }).waitFor();
    await seat.page.getByRole("heading", { name: "No session yet" }).waitFor();
    await stage.camera.take(seat.page, "sessions-empty", seat.look);
    await stage.visit(seat, "/");
    await seat.page.getByRole("heading", { name: "Nothing needs you" }).waitFor();
    await stage.camera.take(seat.page, "inbox-empty", seat.look);
  });

const streaming: Part = async (stage) => {
  for (const seat of stage.seats) {
    const session = await stage.start("Long story, please: how does the harbour wake?");
    await stage.visit(seat, stage.pathOf(session));
    await seat.page.locator(".words").nth(1).waitFor();
    await stage.camera.take(seat.page, "session-streaming", seat.look);
    await stage.shell.call("session.interrupt", { session });
    await stage.rested(session);
    await seat.page.getByLabel("Stop the turn").waitFor({ state: "detached" });
    await stage.camera.take(seat.page, "session-interrupted", seat.look);
    await stage.shell.call("session.stop", { session });
    await stage.shell.untilEntry(session, ({ fact }) => fact.kind === "agent.ended");
    if (seat !== stage.seats.at(-1)) await stage.shell.call("session.remove", { session });
  }
};

/** Everything the demo has in one session, with each ask answered. */
const worked: Part = async (stage) => {
  const session = await stage.start("Tour: make the tide table keep pace with the moon", "tide-tables");
  const settled = new Set<string>();
  const next = (): Promise<Ask | "rested"> =>
    stage.shell.untilEntry(session, ({ fact }) => {
      if (fact.kind === "turn.ended") return "rested" as const;
      return fact.kind === "ask.opened" && !settled.has(fact.ask.ask) && fact.ask;
    });
  for (let ask = await next(); ask !== "rested"; ask = await next()) {
    settled.add(ask.ask);
    await stage.answer(session, ask, yes(ask));
  }
  await stage.each(async (seat) => {
    await stage.visit(seat, stage.pathOf(session));
    await seat.page.getByText("That was the tour").waitFor();
    await stage.camera.take(seat.page, "session", seat.look);
    await seat.page.getByRole("log", { name: "Transcript" }).hover();
    await seat.page.mouse.wheel(0, -100_000);
    await seat.page.getByText("Here is all I can show").waitFor();
    await stage.camera.take(seat.page, "session-beginning", seat.look);
    const edited = seat.page.locator(".tool > .line", { hasText: "Edited" }).first();
    await stage.press(seat, edited);
    await stage.press(seat, seat.page.locator(".tool > .line", { hasText: "npm test" }).first());
    await edited.scrollIntoViewIfNeeded();
    await stage.camera.take(seat.page, "session-unfolded", seat.look);
    if (seat.look.isPhone) {
      await stage.press(seat, seat.page.getByRole("button", { name: "Model, mode, usage" }));
      await seat.page.getByRole("dialog").waitFor();
      await stage.camera.take(seat.page, "session-sheet", seat.look);
    }
  });
};

function yes(ask: Ask): Answer {
  switch (ask.kind) {
    case "approval":
      return { kind: "allow", choice: "once" };
    case "plan":
      return { kind: "approve", choice: ask.choices[0]?.choice ?? "" };
    case "question": {
      const replies = ask.questions.map(({ question, options }) => ({ question, picks: [options[0]?.label ?? ""] }));
      return { kind: "replies", replies };
    }
  }
}

const ended: Part = async (stage) => {
  const crashed = await stage.start("Crash, so that we see a session come back", "tide-tables");
  const failed = await stage.start("Error: what does a failed turn look like?", "tide-tables");
  for (const session of [crashed, failed]) await stage.rested(session);
  await stage.each(async (seat) => {
    await stage.visit(seat, stage.pathOf(crashed));
    await seat.page.getByText("I am about to end").waitFor();
    await stage.camera.take(seat.page, "session-ended", seat.look);
    await stage.visit(seat, stage.pathOf(failed));
    await seat.page.getByText("cannot answer now").first().waitFor();
    await stage.camera.take(seat.page, "session-failed-turn", seat.look);
  });
};

const asks: Part = async (stage) => {
  const approval = await stage.start("Ask before you look at what a release would hold");
  const question = await stage.start("Question me about units and outputs first");
  const plan = await stage.start("Plan how heights come in both units", "tide-tables");
  const edit = await stage.start("Edit the table: a tide takes 12.4 hours, not 12", "tide-tables");
  for (const session of [approval, question, plan, edit]) await stage.asked(session);
  await stage.each(async (seat) => {
    const { page, look } = seat;
    const take = (screen: string): Promise<void> => stage.camera.take(page, screen, look);
    const card = page.getByRole("region", { name: "What needs you" });
    const press = (name: string): Promise<void> => stage.press(seat, card.getByRole("button", { name, exact: true }));
    await stage.visit(seat, "/");
    await page.getByRole("button", { name: "Allow once" }).first().waitFor();
    await take("inbox");
    await stage.visit(seat, "/sessions");
    await page.getByText("Edit the table").filter({ visible: true }).first().waitFor();
    await take("sessions");
    await stage.press(seat, page.getByRole("button", { name: "New session" }).last());
    await page.getByLabel("First prompt").fill("Add the springs and neaps to the table");
    await take("new-session");

    await stage.visit(seat, stage.pathOf(approval));
    await card.getByRole("button", { name: "Allow once" }).waitFor();
    await take("ask-approval");
    await press("Other ways to allow");
    await page.getByRole("menuitem").first().waitFor();
    await take("ask-approval-choices");
    await page.keyboard.press("Escape");
    await press("Deny");
    await card.getByRole("textbox").fill("Not before the tests pass");
    await take("ask-approval-denying");

    await stage.visit(seat, stage.pathOf(edit));
    await card.getByRole("button", { name: "Allow once" }).waitFor();
    await take("ask-edit");

    await stage.visit(seat, stage.pathOf(question));
    await stage.press(seat, card.getByText("Metres", { exact: true }));
    await take("ask-question");
    await press("Next");
    await stage.press(seat, card.getByText("A table", { exact: true }));
    await stage.press(seat, card.getByText("A curve", { exact: true }));
    await take("ask-question-many");
    await press("Next");
    await card.getByPlaceholder("Or in your own words").fill("low-water");
    await take("ask-question-words");

    await stage.visit(seat, stage.pathOf(plan));
    await card.getByRole("heading", { name: "Heights in both units" }).waitFor();
    await take("ask-plan");
    await press("Edit");
    await card.getByRole("textbox", { name: "Plan" }).waitFor();
    await take("ask-plan-editing");
  });
};

const devices: Part = (stage) =>
  stage.each(async (seat) => {
    const { page, look } = seat;
    await stage.visit(seat, "/devices");
    await page.getByText("this device").first().waitFor();
    await stage.camera.take(page, "devices", look);
    await stage.press(seat, page.getByRole("button", { name: "Show code" }));
    await page.getByRole("button", { name: "Reveal the code" }).waitFor();
    await stage.camera.take(page, "devices-code-hidden", look);
    await stage.press(seat, page.getByRole("button", { name: "Reveal the code" }));
    await page.getByRole("button", { name: "Copy link" }).waitFor();
    await stage.camera.take(page, "devices-code", look);
    await stage.press(seat, page.getByRole("button", { name: "Withdraw the code" }));
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await stage.visit(seat, "/remote");
    await page.getByRole("heading", { name: "No relay yet" }).waitFor();
    await stage.camera.take(page, "remote-none", look);
    if (look.isPhone) return;
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await stage.camera.take(page, "keys", look);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await stage.camera.take(page, "palette", look);
  });

/** Last: the host is killed under open pages, and they say so; what they have seen they still show. */
const away: Part = async (stage) => {
  await stage.each((seat) => stage.visit(seat, "/"));
  await stage.each(({ page }) => page.getByRole("button", { name: "Allow once" }).first().waitFor());
  await stage.world.kill();
  await stage.each(async (seat) => {
    const { page, look } = seat;
    await page.getByRole("button", { name: "Try now" }).waitFor();
    await stage.camera.take(page, "host-away", look);
    if (look.isPhone) await stage.press(seat, page.getByRole("link", { name: "Sessions" }));
    await stage.press(seat, page.getByRole("link", { name: /Tour/u }).filter({ visible: true }).first());
    await page.getByText("That was the tour").waitFor();
    await page.getByLabel("Prompt", { exact: true }).fill("Now do the same for the springs");
    await stage.press(seat, page.getByRole("button", { name: "Send", exact: true }));
    await page.getByText("saved here", { exact: true }).waitFor();
    await stage.camera.take(page, "host-away-session", look);
  });
};

const WALK: readonly Part[] = [pairing, nothingYet, streaming, worked, ended, asks, devices, away];

/** Enough to see that the walk works: what a newcomer sees first. */
export const FIRST_STEPS: readonly Part[] = [pairing, nothingYet];
