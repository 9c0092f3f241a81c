/** Each kind of ask, answered in a real browser: what was tapped is what is intended. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { DESKTOP, inWorld, makeStage, PHONE, type Stage } from "../gallery/stage.contract.ts";

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

const SESSION = "01900000-0000-7000-8000-000000000001";
const intents = (page: Page) => inWorld(page, (world) => world.intents.filter((one) => one.method.startsWith("ask.")));
const answerOf = async (page: Page): Promise<unknown> => {
  const [intent, ...more] = await intents(page);
  assert.equal(more.length, 0, "one tap, one intent");
  assert.equal(intent?.method, "ask.answer");
  const { session, answer } = intent.params as { session: string; answer: unknown };
  assert.equal(session, SESSION);
  return answer;
};

for (const where of ["inbox", "session"] as const)
  describe(`asks in the ${where}`, () => {
    const open = (kind: string) => stage.open(`${where}-${kind}`, PHONE);

    it("[D35] allows once, and the card leaves when the host has it", async () => {
      const { page, faults } = await open("approval");
      await page.getByText("npm test -- --run src/checkout").first().waitFor();
      await page.getByRole("button", { name: "Allow once" }).tap();
      await page.locator(".ask").waitFor({ state: "detached" });
      assert.deepEqual(await answerOf(page), { kind: "allow", choice: "once" });
      assert.deepEqual(faults, []);
    });

    it("says that an answer is on its way, and takes no other meanwhile", async () => {
      const { page } = await open("approval");
      await inWorld(page, (world) => world.behave("hold"));
      await page.getByRole("button", { name: "Allow once" }).tap();
      await page.getByText("Sending: Allow once").waitFor();
      for (const name of ["Allow once", "Deny", "Other ways to allow"])
        assert.equal(await page.getByRole("button", { name }).isDisabled(), true, name);
    });

    it("spells out wider choices in the menu", async () => {
      const { page } = await open("approval");
      await page.getByRole("button", { name: "Other ways to allow" }).tap();
      await page.getByText("in every session in harbour-shop").waitFor();
      await page.getByRole("menuitem", { name: /Always allow npm test/ }).tap();
      assert.deepEqual(await answerOf(page), { kind: "allow", choice: "always" });
    });

    it("denies with a reason that is written in place", async () => {
      const { page } = await open("approval");
      await page.getByRole("button", { name: "Deny" }).tap();
      await page.getByLabel(/Reason/).fill("Use the fixtures instead");
      await page.getByRole("button", { name: "Deny" }).tap();
      assert.deepEqual(await answerOf(page), { kind: "deny", reason: "Use the fixtures instead" });
    });

    it("[D36] [D37] answers several questions, with picks, own words and a note", async () => {
      const { page } = await open("question");
      await page.getByRole("radio", { name: /Per line/ }).check();
      await page.getByRole("button", { name: "Add a note" }).tap();
      await page.getByRole("textbox", { name: "Note" }).fill('for "now" —\n日本');
      await page.getByRole("button", { name: "Next" }).tap();
      await page.getByText("2 of 2").waitFor();
      await page.getByRole("checkbox", { name: "Cart page" }).check();
      await page.getByRole("checkbox", { name: /Invoice PDF/ }).check();
      await page.getByText("2 chosen").waitFor();
      await page.getByLabel("In your own words").fill("and the mails");
      await page.getByRole("button", { name: "Answer", exact: true }).tap();
      assert.deepEqual(await answerOf(page), {
        kind: "replies",
        replies: [
          { question: "q1", picks: ["Per line"], note: 'for "now" —\n日本' },
          { question: "q2", picks: ["Cart page", "Invoice PDF"], text: "and the mails" },
        ],
      });
    });

    it("approves a plan as it is, and asks for each edit when that is chosen", async () => {
      const { page } = await open("plan");
      await page.locator(".plan-text table").waitFor();
      await page.getByRole("button", { name: "Other ways to approve" }).tap();
      await page.getByRole("menuitem", { name: /ask for each edit/ }).tap();
      assert.deepEqual(await answerOf(page), { kind: "approve", choice: "ask" });
    });

    it("approves a plan as edited", async () => {
      const { page } = await open("plan");
      await page.getByRole("button", { name: "Edit", exact: true }).tap();
      await page.getByRole("textbox", { name: "Plan" }).fill("Only the tests.");
      await page.getByRole("button", { name: "Approve and start" }).tap();
      assert.deepEqual(await answerOf(page), { kind: "approve", choice: "start", edited: "Only the tests." });
    });

    it("sends a plan back, never without words", async () => {
      const { page } = await open("plan");
      await page.getByRole("button", { name: "Send back" }).tap();
      assert.equal(await page.getByRole("button", { name: "Send back" }).isDisabled(), true);
      await page.getByLabel(/What should be different/).fill("Smaller steps");
      await page.getByRole("button", { name: "Send back" }).tap();
      assert.deepEqual(await answerOf(page), { kind: "revise", feedback: "Smaller steps" });
    });

    it("[D39] says who answered elsewhere, and leaves after four seconds", async () => {
      const { page } = await open("approval");
      await page.locator(".ask").waitFor();
      await inWorld(page, (world, session) => world.settleElsewhere(session as never, "ask-approval"), SESSION);
      await page.getByText(/Answered by Chrome on Linux at/).waitFor();
      await page.locator(".ask").waitFor({ state: "detached", timeout: 6_000 });
      assert.deepEqual(await intents(page), []);
    });

    it("[D38] is put away, with a way back; the agent is told nothing", async () => {
      const { page } = await open("approval");
      await page.getByRole("button", { name: "Put away", exact: true }).tap();
      await page.locator(".ask").waitFor({ state: "detached" });
      await page.getByRole("button", { name: "Undo" }).tap();
      await page.locator(".ask").waitFor();
      assert.deepEqual(await intents(page), []);
      await page.getByRole("button", { name: "Put away", exact: true }).tap();
      await page.getByText("1 ask put away, still waiting").waitFor();
      await page.waitForFunction(
        () => window.gallery?.world.intents.some((one) => one.method === "ask.dismiss"),
        undefined,
        { timeout: 8_000 },
      );
    });

    it("shows why the host refused an answer, and can answer again", async () => {
      const { page } = await open("approval");
      await inWorld(page, (world) => world.behave({ refuse: "The disk of the host is full: nothing was done." }));
      await page.getByRole("button", { name: "Allow once" }).tap();
      await page.getByText("The disk of the host is full").waitFor();
      await inWorld(page, (world) => world.behave("accept"));
      await page.getByRole("button", { name: "Allow once" }).tap();
      await page.locator(".ask").waitFor({ state: "detached" });
    });
  });

describe("evidence", () => {
  it("shows command, folder and what to look at, without a tap", async () => {
    const { page } = await stage.open("inbox-danger", DESKTOP);
    const marks = await page.locator(".ask mark").allTextContents();
    assert.ok(
      marks.some((mark) => mark.startsWith("rm")),
      String(marks),
    );
    assert.ok(marks.includes("../shared-cache") && marks.includes("sudo") && marks.includes("curl"), String(marks));
    assert.match((await page.locator(".evidence-dangers").textContent()) ?? "", /uses the network/);
    assert.ok(await page.getByText("/home/ada/work/harbour-shop", { exact: true }).isVisible());
  });

  it("shows bidi marks for what they are", async () => {
    const { page } = await stage.open("inbox-long", PHONE);
    assert.match((await page.locator(".evidence-box").first().textContent()) ?? "", /user⟨U\+202E⟩txt\.exe/);
  });

  it("decides by keyboard alone", async () => {
    const { page } = await stage.open("inbox-approval", DESKTOP);
    await page.locator(".ask").waitFor();
    await inWorld(page, (world) => world.behave("hold"));
    await page.keyboard.press("a");
    await page.keyboard.press("Enter");
    await page.getByText("Sending: Allow once").waitFor();
  });
});

describe("asks with more to say", () => {
  it("offers rules apart from the agent's own choices, with the request they are for", async () => {
    const { page, faults } = await stage.open("inbox-rule", PHONE);
    await page.getByRole("button", { name: "Other ways to allow" }).tap();
    await page.getByText("What Claude Code offers").waitFor();
    await page.getByText("Exactly this request").waitFor();
    assert.match((await page.locator(".menu-request").textContent()) ?? "", /^npm test -- --run/u);
    await page.getByText(/until you revoke the rule/).waitFor();
    await page.getByRole("menuitem", { name: /Always allow this exact request/ }).tap();
    assert.deepEqual(await answerOf(page), { kind: "allow", choice: "flybridge.always" });
    assert.deepEqual(faults, []);
  });

  it("offers rules alone where the agent has nothing of its own", async () => {
    const { page } = await stage.open("inbox-rule-mcp", DESKTOP);
    await page.getByRole("button", { name: "Other ways to allow" }).click();
    assert.equal(await page.getByText("What Claude Code offers").count(), 0);
    await page.getByRole("menuitem", { name: /for this session/ }).click();
    assert.deepEqual(await answerOf(page), { kind: "allow", choice: "flybridge.session" });
  });

  it("masks a secret, shows it on request, sends it whole and says it nowhere", async () => {
    const { page, faults } = await stage.open("inbox-secret", PHONE);
    const field = page.getByLabel("In your own words");
    assert.equal(await field.getAttribute("type"), "password");
    assert.equal(await field.getAttribute("autocomplete"), "off");
    assert.equal(await page.getByRole("button", { name: "Answer", exact: true }).isDisabled(), true);
    await field.fill(" two spaces ");
    await page.getByRole("button", { name: "Show what is typed" }).tap();
    assert.equal(await field.getAttribute("type"), "text");
    await page.getByRole("button", { name: "Hide what is typed" }).tap();
    assert.equal(await field.getAttribute("type"), "password");
    assert.equal(await page.getByRole("button", { name: "Add a note" }).count(), 0);
    await inWorld(page, (world) => world.behave("hold"));
    await page.getByRole("button", { name: "Answer", exact: true }).tap();
    await page.getByText("Sending: •••").waitFor();
    assert.deepEqual(await answerOf(page), {
      kind: "replies",
      replies: [{ question: "q1", picks: [], text: " two spaces " }],
    });
    assert.ok(!(await page.content()).includes("two spaces"));
    assert.deepEqual(faults, []);
  });

  it("says that it was read from the screen", async () => {
    const { page } = await stage.open("inbox-screen", PHONE);
    await page.getByText("Read from the screen").waitFor();
    await page.getByRole("radio", { name: "Yes" }).check();
    await page.getByRole("button", { name: "Answer", exact: true }).tap();
    assert.deepEqual(await answerOf(page), { kind: "replies", replies: [{ question: "q1", picks: ["Yes"] }] });
  });

  it("shows what can only be answered elsewhere, says where, and leads to the terminal where there is one", async () => {
    const { page } = await stage.open("inbox-elsewhere", PHONE);
    await page.getByText(/in the terminal pts\/4 on studio/).waitFor();
    await page.getByText("npm test -- --run src/checkout").first().waitFor();
    for (const name of ["Allow once", "Deny"]) assert.equal(await page.getByRole("button", { name }).count(), 0);
    assert.equal(await page.getByRole("link", { name: "Open the terminal" }).count(), 0);
    await inWorld(page, (world) =>
      world.host().change((host) => Object.values(host.sessions).forEach((one) => (one.terminal = true))),
    );
    await page.getByRole("link", { name: "Open the terminal" }).waitFor();
  });

  it("turns between several that are open, and stays with the one that was turned to", async () => {
    const { page } = await stage.open("session-many-asks", PHONE);
    await page.getByText("1 of 3 that wait for you").waitFor();
    await page.getByRole("button", { name: "The next one" }).tap();
    await page.getByText("2 of 3 that wait for you").waitFor();
    await page.getByRole("heading", { name: "Has 2 questions" }).waitFor();
    await inWorld(page, (world, session) => world.settleElsewhere(session as never, "ask-approval"), SESSION);
    await page.getByText("1 of 2 that wait for you").waitFor();
    assert.equal(await page.getByRole("heading", { name: "Has 2 questions" }).count(), 1);
    await page.getByRole("button", { name: "The one before" }).tap();
    await page.getByRole("heading", { name: /Wants to change/ }).waitFor();
  });

  it("tells in the transcript what a rule allowed, and what made one", async () => {
    const { page } = await stage.open("session-attached", DESKTOP);
    await page.getByText("allowed by a rule, without asking").waitFor();
    await page.getByText("Allow once · and from now on without asking").waitFor();
  });
});
