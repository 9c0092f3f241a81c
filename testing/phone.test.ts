/** The main job, seen as a person sees it: a phone-sized Chromium, the real host, the real Claude Code, a faked model. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { type Anthropic, startAnthropic, toldIn } from "./anthropic.ts";
import { newIntent } from "./bare.ts";
import { cameraShowing, chromiumPath, DESKTOP, launchChromium, openPage, PHONE } from "./browser.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 30_000;

async function offerOf(world: World): Promise<{ connection: string; link: string }> {
  const shell = await world.shell();
  const offer = await shell.call("offer.make", {}, newIntent());
  shell.close();
  return offer;
}

/** Pairs a fresh page by its link, as far as the list of sessions. */
async function pairByLink(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await page.getByRole("button", { name: "Pair", exact: true }).click();
  await page.waitForURL(/\/sessions$/u);
}

describe("a phone that has never seen the host", () => {
  let world: World;
  let browser: Browser;
  let link: string;

  before(async () => {
    world = await startWorld();
    ({ link } = await offerOf(world));
    browser = await launchChromium({ camera: cameraShowing(link) });
  });
  after(async () => {
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
  });

  const home = (): string => `http://127.0.0.1:${world.port}/`;
  const fresh = async (): Promise<{ context: BrowserContext; page: Page; faults: string[] }> => {
    const context = await browser.newContext(PHONE);
    context.setDefaultTimeout(WAIT_MS);
    return { context, ...(await openPage(context, home())) };
  };

  it("[A02] [A17] [A26] [A42] pairs by the camera, which is asked for on the tap and whose pictures stay here", async () => {
    const { context, page, faults } = await fresh();
    const sent: string[] = [];
    page.on("request", (request) =>
      sent.push(`${request.method()} ${request.postData()?.length ?? 0} ${request.url()}`),
    );
    await page.getByRole("heading", { name: "Flybridge" }).waitFor();
    const camera = () =>
      page.evaluate(() =>
        navigator.permissions.query({ name: "camera" as PermissionName }).then((status) => status.state),
      );
    const streams = () => page.evaluate(() => document.querySelectorAll("video").length);
    assert.equal(await camera(), "prompt", "not asked before the tap");
    assert.equal(await streams(), 0);
    // The person's own "Allow", which a browser without a head cannot show.
    await context.grantPermissions(["camera"]);
    await page.getByRole("button", { name: "Scan the code" }).tap();
    await page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
    await page.getByText("test host").waitFor();
    assert.equal(await streams(), 0, "the camera is let go once the code is read");
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.waitForURL(/\/sessions$/u);
    await page.getByRole("heading", { name: "Sessions" }).waitFor();
    assert.deepEqual(
      sent.filter((line) => !line.startsWith("GET 0 http://127.0.0.1")),
      [],
    );
    assert.deepEqual(faults, []);
    await context.close();
  });

  it("pairs once by a link: opened a second time, it says what to do instead", async () => {
    const first = await fresh();
    const { link: once } = await offerOf(world);
    await first.page.goto(once);
    await first.page.getByRole("heading", { name: "Pair with this host?" }).waitFor();
    assert.doesNotMatch(first.page.url(), /flybridge:|#/u, "the secret is gone from the address at once");
    await first.page.getByRole("button", { name: "Pair", exact: true }).tap();
    await first.page.waitForURL(/\/sessions$/u);
    const second = await fresh();
    await second.page.goto(once);
    await second.page.getByRole("button", { name: "Pair", exact: true }).tap();
    const said = await second.page.getByRole("alert").innerText();
    assert.match(said, /Show a new one on the host/u);
    await first.context.close();
    await second.context.close();
  });

  it("[A18] pairs by pasting, and says clearly what is wrong with what was pasted", async () => {
    const { context, page, faults } = await fresh();
    const field = page.getByLabel("Connection string");
    const refusal = async (text: string): Promise<string> => {
      await field.fill(text);
      await page.getByRole("button", { name: "Continue" }).tap();
      return page.getByRole("alert").innerText();
    };
    assert.match(await refusal("hello"), /must start with flybridge:/u);
    assert.match(await refusal("https://example.com/pair"), /must start with flybridge:/u);
    assert.match(await refusal("flybridge://studio:7683/"), /no pairing token/u);
    assert.match(await refusal("flybridge://studio:7683/abc.def.ghi"), /damaged or cut short/u);
    const { connection } = await offerOf(world);
    await field.fill(`  ${connection}\n`);
    await page.getByRole("button", { name: "Continue" }).tap();
    await page.getByRole("button", { name: "Pair", exact: true }).tap();
    await page.waitForURL(/\/sessions$/u);
    assert.deepEqual(faults, []);
    await context.close();
  });

  it("[A22] [A23] [A24] [A25] comes back without pairing after the app was closed, and keeps no secret in the clear", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-profile-"));
    const launch = () =>
      chromium.launchPersistentContext(folder, {
        executablePath: chromiumPath(),
        args: ["--no-sandbox", "--disable-background-networking"],
        ...PHONE,
      });
    const first = await launch();
    const { link: offered } = await offerOf(world);
    const { page } = await openPage(first, home());
    await pairByLink(page, offered);
    const secret = /flybridge:\/\/[^/]+\/[^.]+\.([^.]+)\./u.exec(offered)?.[1] ?? "";
    const kept = await page.evaluate(async () => {
      const values: unknown[] = [];
      for (const { name } of await indexedDB.databases()) {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const request = indexedDB.open(name ?? "");
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        for (const store of database.objectStoreNames)
          values.push(
            ...(await new Promise<unknown[]>((resolve) => {
              const request = database.transaction(store).objectStore(store).getAll();
              request.onsuccess = () => resolve(request.result);
            })),
          );
        database.close();
      }
      const keys: boolean[] = [];
      const walk = (value: unknown): void => {
        if (value instanceof CryptoKey) keys.push(value.type === "public" ? false : value.extractable);
        else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value))
          Object.values(value).forEach(walk);
      };
      values.forEach(walk);
      return { text: JSON.stringify([values, { ...localStorage }, document.cookie, location.href]), keys };
    });
    assert.ok(kept.keys.length > 0, "there are keys");
    assert.ok(
      kept.keys.every((extractable) => !extractable),
      "no private key can be read out",
    );
    assert.ok(!kept.text.includes(secret), "the offer's secret is not kept");
    await first.close();

    const again = await launch();
    const { page: back } = await openPage(again, home());
    await back.goto(`${home()}sessions`);
    await back.getByRole("heading", { name: "Sessions" }).waitFor();
    await back.goto(`${home()}devices`);
    await back.getByText("test host").and(back.locator(":visible")).first().waitFor();
    await again.close();
    rmSync(folder, { recursive: true, force: true });
  });
});

describe("a session with Claude Code, driven from the phone", () => {
  let model: Anthropic;
  let world: World;
  let browser: Browser;
  let phone: Page;
  let desk: Page;
  let repository: string;
  let shell: ChildProcess | undefined;
  /** The kinds of the entries that the attached shell printed. */
  const inShell: string[] = [];
  const faults: string[][] = [];

  before(async () => {
    const claude = findClaude();
    assert.ok(claude, "Claude Code is not here; `npm test` brings it");
    model = await startAnthropic();
    const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
    world = await startWorld({ env: { ...env, PATH: `${dirname(claude)}:${process.env["PATH"]}` } });
    repository = join(world.home, "project");
    mkdirSync(repository);
    execFileSync("git", ["init", "-q", "-b", "main", repository]);
    browser = await launchChromium();
    for (const look of [PHONE, DESKTOP]) {
      const context = await browser.newContext(look);
      context.setDefaultTimeout(WAIT_MS);
      const opened = await openPage(context, `http://127.0.0.1:${world.port}/`);
      await pairByLink(opened.page, (await offerOf(world)).link);
      faults.push(opened.faults);
      if (look === PHONE) phone = opened.page;
      else desk = opened.page;
    }
  });
  after(async () => {
    shell?.kill();
    await browser?.close();
    await world?.[Symbol.asyncDispose]();
    await model?.close();
  });

  const card = (page: Page) => page.getByRole("region", { name: "What needs you" });
  const send = async (text: string): Promise<void> => {
    await phone.getByLabel("Prompt", { exact: true }).fill(text);
    await phone.getByRole("button", { name: "Send", exact: true }).tap();
  };
  /** Both pages show words, outside the bubble of the prompt that asked for them. */
  const said = async (text: string): Promise<void> => {
    for (const page of [phone, desk]) await page.locator(".words", { hasText: text }).first().waitFor();
  };
  const told = (): string => toldIn(model.requests.at(-1));
  const turnsEnded = async (page: Page): Promise<void> => {
    await page.getByLabel("Stop the turn").waitFor({ state: "detached" });
  };
  const pids = async (): Promise<Set<number>> => {
    const shell = await world.shell();
    const [summary] = (await shell.call("session.list", {})).sessions;
    assert.ok(summary);
    await shell.call("session.follow", { session: summary.session, from: 1 });
    await shell.untilEntry(summary.session, ({ seq }) => seq >= summary.last);
    shell.close();
    return new Set(
      shell.entriesOf(summary.session).flatMap(({ fact }) => (fact.kind === "agent.started" ? [fact.pid] : [])),
    );
  };

  it("[A03] [A04] [A05] [A06] [E29] [E30] [E31] starts in a repository, sends the exact prompt, and watches words grow", async () => {
    await phone.getByRole("button", { name: "New session" }).last().tap();
    const prompt =
      "[[slow 150]] [[text The words of this answer arrive one after the other, so that a person can read along.]]";
    await phone.getByLabel("First prompt").fill(prompt);
    await phone.getByText("Claude Code", { exact: true }).tap();
    await phone.getByRole("button", { name: "Another folder" }).tap();
    await phone.getByRole("button", { name: "project" }).tap();
    await phone
      .getByRole("button", { name: /this folder|Choose|Use/u })
      .first()
      .tap();
    await phone.getByRole("button", { name: "Start", exact: true }).tap();
    await phone.waitForURL(/\/session\//u);
    const words = phone.locator(".words").first();
    await words.waitFor();
    const lengths = new Set<number>();
    while (!(await words.innerText()).includes("read along.")) lengths.add((await words.innerText()).length);
    assert.ok(lengths.size >= 3, `grew in ${lengths.size} steps`);
    assert.match(told(), /The words of this answer arrive/u);
    await desk.goto(phone.url().replace(/\/session\/[^/]+\//u, (path) => path));
    await said("read along.");
    await desk
      .getByRole("link", { name: /The words|\[\[slow/u })
      .first()
      .waitFor();
    await desk.getByText("project").first().waitFor();
  });

  it("is attached to from a shell of the host's machine, which is told what was before", async () => {
    const session = phone.url().split("/").at(-1) ?? "";
    const main = join(import.meta.dirname, "..", "cli", "main.ts");
    shell = spawn(process.execPath, [main, "attach", session, "--json"], {
      env: { ...process.env, FLYBRIDGE_HOME: world.state },
      stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(shell.stdout);
    const lines = createInterface(shell.stdout);
    await new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        inShell.push(/"kind":"([a-z.]+)"/u.exec(line)?.[1] ?? line);
        if (inShell.includes("turn.ended")) resolve();
      });
    });
    assert.equal(inShell[0], "session.opened");
  });

  it("approves one command, which then runs; the desktop sees who answered", async () => {
    await turnsEnded(phone);
    await send('[[tool Bash {"command":"touch approved.txt && echo made it","description":"Make a file"}]]');
    await card(phone).getByText("touch approved.txt && echo made it").first().waitFor();
    await card(desk).getByText("touch approved.txt && echo made it").first().waitFor();
    assert.ok(!existsSync(join(repository, "approved.txt")), "not before the answer");
    await card(phone).getByRole("button", { name: "Allow once" }).tap();
    await said("Last result: made it");
    assert.ok(existsSync(join(repository, "approved.txt")));
  });

  it("denies another with a reason, which the model is told", async () => {
    await turnsEnded(phone);
    await send('[[tool Bash {"command":"touch denied.txt","description":"Make another"}]]');
    await card(phone).getByRole("button", { name: "Deny" }).tap();
    await card(phone).getByRole("textbox").fill("Not in this repository");
    await card(phone).getByRole("button", { name: "Deny" }).tap();
    await said("Not in this repository");
    assert.match(told(), /Not in this repository/u);
    assert.ok(!existsSync(join(repository, "denied.txt")));
  });

  it("allows one always: it is written where the choice says, and not asked again", async () => {
    await turnsEnded(phone);
    await send(
      '[[tool Bash {"command":"mkdir -p always","description":"Make a folder"}]][[tool Bash {"command":"mkdir -p always","description":"Again"}]][[text The folder is there.]]',
    );
    await card(phone).getByRole("button", { name: "Other ways to allow" }).tap();
    await phone
      .getByRole("menuitem", { name: /mkdir.*in this project/u })
      .first()
      .tap();
    await said("The folder is there.");
    const rules = JSON.parse(readFileSync(join(repository, ".claude", "settings.local.json"), "utf8")) as {
      permissions: { allow: string[] };
    };
    assert.deepEqual(rules.permissions.allow.filter((rule) => rule.includes("mkdir")).length, 1);
    assert.equal(await card(phone).getByRole("button", { name: "Allow once" }).count(), 0);
  });

  it("[A07] [A08] [D35] [D36] [D37] answers several questions: many picks, own words, a note", async () => {
    await turnsEnded(phone);
    const questions = [
      {
        question: "Which database?",
        header: "Store",
        multiSelect: false,
        options: [
          { label: "SQLite", description: "one file" },
          { label: "Postgres", description: "a server" },
        ],
      },
      {
        question: "Which features?",
        header: "Features",
        multiSelect: true,
        options: [
          { label: "Auth", description: "who" },
          { label: "Search", description: "what" },
          { label: "Export", description: "out" },
        ],
      },
      {
        question: "Which name?",
        header: "Name",
        multiSelect: false,
        options: [
          { label: "A", description: "a" },
          { label: "B", description: "b" },
        ],
      },
    ];
    await send(`[[tool AskUserQuestion ${JSON.stringify({ questions })}]][[text It is noted.]]`);
    await card(phone).getByText("Postgres").tap();
    await card(phone).getByRole("button", { name: "Add a note" }).tap();
    await card(phone).getByPlaceholder("Note beside the answer").fill("with WAL");
    await card(phone).getByRole("button", { name: "Next" }).tap();
    await card(phone).getByText("Auth", { exact: true }).tap();
    await card(phone).getByText("Export", { exact: true }).tap();
    await card(phone).getByText("2 chosen").waitFor();
    await card(phone).getByRole("button", { name: "Next" }).tap();
    await card(phone).getByPlaceholder("Or in your own words").fill('Ängström "quoted" 名前');
    await card(phone).getByRole("button", { name: "Answer", exact: true }).tap();
    await said("It is noted.");
    await turnsEnded(phone);
    assert.match(told(), /"Which database\?"="Postgres"/u);
    assert.match(told(), /with WAL/u);
    assert.match(told(), /"Which features\?"="Auth, Export"/u);
    assert.match(told(), /Ängström "quoted" 名前/u);
  });

  it("[A09] [A10] sends a plan back with feedback, then approves it edited", async () => {
    await phone.getByRole("button", { name: "Model, mode, usage" }).tap();
    await phone.getByLabel("Mode", { exact: true }).selectOption("plan");
    await phone.keyboard.press("Escape");
    await send(
      '[[tool Write {"file_path":"{{PLAN_FILE}}","content":"# The plan\\n\\n1. Begin\\n2. End"}]][[tool ExitPlanMode {}]][[tool ExitPlanMode {}]][[text Off we go.]]',
    );
    await card(phone).getByRole("heading", { name: "The plan" }).waitFor();
    await card(phone).getByRole("button", { name: "Send back" }).tap();
    await card(phone).getByRole("textbox").last().fill("Say who does it");
    await card(phone).getByRole("button", { name: "Send back" }).tap();
    await phone.waitForFunction(() => document.querySelectorAll(".ask-card, .pinned > *").length > 0);
    await card(phone).getByRole("button", { name: "Edit", exact: true }).tap();
    assert.match(told(), /Say who does it/u);
    await card(phone).getByRole("textbox", { name: "Plan" }).fill("# A better plan\n\n1. We do it");
    await card(phone).getByRole("button", { name: "Other ways to approve" }).tap();
    await phone.getByRole("menuitem", { name: /ask for each edit/u }).tap();
    await said("Off we go.");
    await turnsEnded(phone);
    assert.match(told(), /Approved Plan \(edited by user\):\n# A better plan/u);
  });

  it("interrupts a turn, and steers a running one", async () => {
    await send(
      "[[slow 200]] [[text This would go on for a very long time if nobody stopped it, word after word after word after word.]]",
    );
    await phone.getByText("This would go").last().waitFor();
    await phone.getByLabel("Stop the turn").tap();
    for (const page of [phone, desk])
      await page
        .getByText(/Interrupted|Stopped/u)
        .last()
        .waitFor();
    await turnsEnded(phone);
    await send('[[tool Bash {"command":"touch steered.txt","description":"Wait here"}]][[text The end.]]');
    await card(phone).getByRole("button", { name: "Allow once" }).waitFor();
    await phone.getByRole("radio", { name: "Steer" }).tap();
    await send("Look into the other folder first");
    await phone.getByText("Look into the other folder first").last().waitFor();
    await card(phone).getByRole("button", { name: "Allow once" }).tap();
    await said("The end.");
    await turnsEnded(phone);
    assert.match(told(), /Look into the other folder first/u);
  });

  it("[A41] [D38] [D39] an ask shows on every device; put away it stays open; the first answer wins", async () => {
    await send('[[tool Bash {"command":"touch once.txt","description":"One more"}]][[text Once is done.]]');
    await card(desk).getByText("touch once.txt").first().waitFor();
    await card(phone)
      .getByRole("button", { name: /put away|dismiss/iu })
      .tap();
    await card(desk)
      .getByRole("button", { name: /1 ask put away/u })
      .waitFor();
    assert.ok(!existsSync(join(repository, "once.txt")), "the agent was told nothing");
    await phone.reload();
    await card(phone)
      .getByRole("button", { name: /1 ask put away/u })
      .tap();
    const requests = model.requests.length;
    await card(phone).getByRole("button", { name: "Allow once" }).tap();
    await said("Once is done.");
    await turnsEnded(desk);
    assert.equal(model.requests.length, requests + 1, "the agent heard one answer");
    assert.ok(existsSync(join(repository, "once.txt")));
  });

  it("[A14] [A15] [A40] was one process all along, on the host, with the host's own account", async () => {
    assert.equal((await pids()).size, 1);
    const assets = await phone.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
    for (const asset of assets.filter((name) => name.endsWith(".js")))
      assert.doesNotMatch(await (await fetch(asset)).text(), /child_process/u);
    assert.ok(model.requests.length > 10);
  });

  it("was seen by the attached shell as it happened", () => {
    const count = (kind: string): number => inShell.filter((one) => one === kind).length;
    assert.ok(count("ask.opened") >= 8, inShell.join(" "));
    assert.equal(count("ask.settled"), count("ask.opened"));
    assert.equal(count("ask.dismissed"), 1);
    assert.ok(count("turn.ended") >= 8);
  });

  it("nothing broke the page's policy or threw", () => {
    assert.deepEqual(faults.flat(), []);
  });
});
