/** The agents beside Claude Code, driven from the phone's page: the real Codex, opencode and Gemini CLI, faked models. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Browser, Page } from "playwright-core";
import { findAgent, geminiEnv, opencodeEnv } from "./acp.ts";
import { newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { startChatCompletions, toldInCompletion } from "./chat-completions.ts";
import { type CodexPlace, codexPlace, findCodex, runOutside } from "./codex.ts";
import { startGemini, toldInGeneration } from "./gemini.ts";
import { startOpenAi, toldIn } from "./openai.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 45_000;

interface Model extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly unknown[];
  release(name: string): void;
}

/** One agent as this test needs it: how its model is made to call a command, and what its model was told last. */
interface Wire {
  readonly title: string;
  readonly model: Model;
  /** A directive that asks before it runs `command`. */
  command(command: string): string;
  told(): string;
}

describe("agents driven from the phone", () => {
  const wires = new Map<string, Wire>();
  let place: CodexPlace;
  let world: World;
  let browser: Browser;
  let phone: Page;
  let faults: string[];
  let isChosen = false;

  before(async () => {
    for (const [name, found] of [
      ["Codex", findCodex()],
      ["opencode", findAgent("opencode")],
      ["Gemini CLI", findAgent("gemini")],
    ])
      assert.ok(found, `${name} is not here; \`npm test\` brings it`);
    const [openai, chat, gemini] = await Promise.all([startOpenAi(), startChatCompletions(), startGemini()]);
    wires.set("codex", {
      title: "Codex",
      model: openai,
      command: (command) => `[[${runOutside(command)}]]`,
      told: () => toldIn(openai.requests.at(-1)),
    });
    wires.set("opencode", {
      title: "opencode",
      model: chat,
      command: (command) => `[[tool bash ${JSON.stringify({ command, description: "Do it" })}]]`,
      told: () => toldInCompletion(chat.requests.at(-1)),
    });
    wires.set("gemini", {
      title: "Gemini CLI",
      model: gemini,
      command: (command) => `[[tool run_shell_command ${JSON.stringify({ command, description: "Do it" })}]]`,
      told: () => toldInGeneration(gemini.requests.at(-1)),
    });
    place = codexPlace(openai.url);
    const opencodes = opencodeEnv({ home: place.folder, url: chat.url });
    const geminis = geminiEnv({ home: place.folder, url: gemini.url });
    const PATH = [place.env["PATH"], opencodes["PATH"], geminis["PATH"]].join(":");
    world = await startWorld({ env: { ...place.env, ...opencodes, ...geminis, PATH, HOME: place.folder } });
    browser = await launchChromium();
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    const opened = await openPage(context, `http://127.0.0.1:${world.port}/`);
    ({ page: phone, faults } = opened);
    const shell = await world.shell();
    const { link } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    await phone.goto(link);
    await phone.getByRole("button", { name: "Pair", exact: true }).tap();
    await phone.waitForURL(/\/sessions$/u);
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    for (const { model } of wires.values()) await model[Symbol.asyncDispose]();
    place?.[Symbol.dispose]();
  });

  const card = () => phone.getByRole("region", { name: "What needs you" });
  const send = async (text: string): Promise<void> => {
    await phone.getByLabel("Prompt", { exact: true }).fill(text);
    await phone.getByRole("button", { name: "Send", exact: true }).tap();
  };
  const said = (text: string) => phone.locator(".words", { hasText: text }).first().waitFor();
  const turnEnded = () => phone.getByLabel("Stop the turn").waitFor({ state: "detached" });
  /** All in one folder, which is chosen once and offered from then on. */
  const begin = async (wire: Wire, prompt: string): Promise<void> => {
    await phone.goto(`http://127.0.0.1:${world.port}/sessions`);
    await phone.getByRole("button", { name: "New session" }).last().tap();
    await phone.getByLabel("First prompt").fill(prompt);
    await phone.locator("label.option", { hasText: wire.title }).first().tap();
    if (!isChosen) {
      await phone.getByRole("button", { name: "Another folder" }).tap();
      await phone.getByRole("button", { name: "work" }).first().tap();
      await phone
        .getByRole("button", { name: /this folder|Choose|Use/u })
        .first()
        .tap();
      isChosen = true;
    }
    await phone.getByRole("button", { name: "Start", exact: true }).tap();
    await phone.waitForURL(/\/session\//u);
  };
  /** The host is gone and comes back while something is asked. */
  const killHost = async (): Promise<void> => {
    await world.kill();
    await world.restart();
  };

  for (const name of ["codex", "opencode", "gemini"]) {
    it(`${name}: words grow; a command is approved, another denied, a third answered after the host was killed`, async () => {
      const wire = wires.get(name);
      assert.ok(wire);
      const made = (file: string): boolean => existsSync(join(place.workspace, `${file}-${name}`));
      await begin(
        wire,
        "[[slow 300]] [[text The words of this answer come one after the other, so that one can read along.]]",
      );
      const words = phone.locator(".words").first();
      await words.waitFor();
      const lengths = new Set<number>();
      while (!(await words.innerText()).includes("read along.")) lengths.add((await words.innerText()).length);
      // The others hand over what their models say in pieces of their own choosing, at times all at once.
      if (name === "codex") assert.ok(lengths.size >= 2, `grew in ${lengths.size} steps`);
      await turnEnded();

      await send(`${wire.command(`touch approved-${name}`)}[[text It was approved.]]`);
      await card().getByText("touch approved").first().waitFor();
      assert.ok(!made("approved"), "not before the answer");
      await card()
        .getByRole("button", { name: /^Allow/u })
        .first()
        .tap();
      await said("It was approved.");
      assert.ok(made("approved"));
      await turnEnded();

      await send(`${wire.command(`touch denied-${name}`)}[[text It was denied.]]`);
      await card().getByRole("button", { name: "Deny", exact: true }).tap();
      await card().getByRole("textbox").fill("Not here");
      await card().getByRole("button", { name: "Deny", exact: true }).tap();
      await card().getByText("touch denied").first().waitFor({ state: "detached" });
      await turnEnded();
      assert.ok(!made("denied"));

      await send(`${wire.command(`touch survived-${name}`)}[[text It survived.]]`);
      await card().getByText("touch survived").first().waitFor();
      await killHost();
      await card()
        .getByRole("button", { name: /^Allow/u })
        .first()
        .tap();
      await said("It survived.");
      assert.ok(made("survived"));
      await turnEnded();
    });

    it(`${name}: a turn is stopped, and one that asks is stopped with its ask`, async () => {
      const wire = wires.get(name);
      assert.ok(wire);
      await send(
        "[[slow 300]] [[text This would go on for a very long time if nobody stopped it, word after word after word.]]",
      );
      await phone.getByText("This would go").last().waitFor();
      await phone.getByLabel("Stop the turn").tap();
      await turnEnded();
      await send(`${wire.command(`touch stopped-${name}`)}[[text Not said.]]`);
      await card().getByText("touch stopped").first().waitFor();
      await phone.getByLabel("Stop the turn").tap();
      await card().getByText("touch stopped").first().waitFor({ state: "detached" });
      await turnEnded();
      assert.ok(!existsSync(join(place.workspace, `stopped-${name}`)));
    });
  }

  it("codex: two commands at once are asked both, answered in the other order; a turn is steered", async () => {
    const wire = wires.get("codex");
    assert.ok(wire);
    await begin(
      wire,
      `${wire.command("touch one")}${wire.command("touch two").replace("[[", "[[+")}[[text Both are there.]]`,
    );
    // Which of the two is first, the agent decides; the second is answered first.
    await phone.getByText("1 of 2 that wait for you").waitFor();
    await phone.getByRole("radio", { name: "Steer" }).tap();
    await send("And look into the other folder");
    await phone.getByRole("button", { name: "The next one" }).tap();
    await phone.getByText("2 of 2 that wait for you").waitFor();
    await card()
      .getByRole("button", { name: /^Allow/u })
      .first()
      .tap();
    await phone.getByText("of 2 that wait for you").waitFor({ state: "detached" });
    await card()
      .getByRole("button", { name: /^Allow/u })
      .first()
      .tap();
    // The newest prompt is what the played model goes by.
    await said("And look into the other folder");
    await turnEnded();
    for (const file of ["one", "two"]) assert.ok(existsSync(join(place.workspace, file)), file);
  });

  it("codex: a question in plan mode is answered with a pick and with own words", async () => {
    await phone.getByRole("button", { name: "Model, mode, usage" }).tap();
    await phone.getByLabel("Mode", { exact: true }).selectOption("plan");
    await phone.keyboard.press("Escape");
    const questions = [
      {
        id: "db",
        header: "Store",
        question: "Which database?",
        options: [
          { label: "SQLite", description: "one file" },
          { label: "Postgres", description: "a server" },
        ],
      },
    ];
    await send(`[[tool request_user_input ${JSON.stringify({ questions })}]][[text It is noted.]]`);
    await card().getByText("Postgres").tap();
    await card().getByRole("button", { name: "Answer", exact: true }).tap();
    await said("It is noted.");
    assert.match(wires.get("codex")?.told() ?? "", /Postgres/u);
    await turnEnded();
  });

  it("nothing broke the page's policy or threw", () => {
    // A host that was killed is a socket that failed, which a browser says by itself.
    assert.deepEqual(
      faults.filter((fault) => !/WebSocket connection|net::ERR_/u.test(fault)),
      [],
    );
  });
});
