/** The scenes the demo can play, by the first word of the prompt. They tell of a small project that is not there. */
import type { Answer, Question } from "@flybridge/protocol/ask.ts";
import type { ItemId } from "@flybridge/protocol/ids.ts";
import type { Edit } from "@flybridge/protocol/item.ts";
import { flood, probe, speak, tick } from "./instruments.ts";
import { SceneFault, type Stage, type Steps } from "./stage.ts";

export type Scene = (stage: Stage) => Promise<void>;

/** What each word plays; the line is what the tour says of it. */
const SCENES: Record<string, readonly [scene: Scene, says: string]> = {
  tour: [tour, "Everything, one thing after the other"],
  ask: [askScene, "A command that needs your word, with several ways to say yes"],
  question: [questionScene, "Three questions: one pick, many picks, your own words"],
  plan: [planScene, "A plan to approve, edit or send back"],
  edit: [editScene, "Reads, a search, and an edit with its diff"],
  run: [runScene, "A command with live output and an exit code"],
  fail: [failScene, "A command that fails, and how I go on from it"],
  agent: [agentScene, "A sub-agent that looks around for me"],
  todo: [todoScene, "A list of steps that I keep up to date"],
  notice: [noticeScene, "The three kinds of notice"],
  long: [longScene, "A long answer: stop me, or steer me while I talk"],
  error: [errorScene, "A turn that ends with an error"],
  crash: [crashScene, "The process dies; resume the session and go on"],
};

/** Each word is a command as well. */
export const COMMANDS = Object.entries(SCENES).map(([name, [, detail]]) => ({ name, detail }));

/** For benches and tests; not in the tour. */
const INSTRUMENTS: Record<string, Scene> = { flood, tick, speak, probe, hello };

export function sceneFor(prompt: string): { readonly scene: Scene; readonly rest: string } {
  const [word = "", ...rest] = prompt.trim().split(/\s+/u);
  const name = word.toLowerCase().replaceAll(/[^a-z]/gu, "");
  const own = Object.hasOwn(SCENES, name) ? SCENES[name]?.[0] : undefined;
  const instrument = Object.hasOwn(INSTRUMENTS, name) ? INSTRUMENTS[name] : undefined;
  return { scene: own ?? instrument ?? hello, rest: rest.join(" ") };
}

async function hello(stage: Stage): Promise<void> {
  await stage.thought("Someone new. I say who I am, what I can show, and that nothing here is real.");
  const rows = Object.entries(SCENES).map(([word, [, says]]) => `| \`${word}\` | ${says} |`);
  await stage.words(
    [
      "Hello! I am the **demo agent**. I show what working with an agent looks like from here, without an account and without touching a file.",
      "",
      "Send me one of these words:",
      "",
      "| say | and you see |",
      "|---|---|",
      ...rows,
      "",
      "A real agent writes code too. For instance the tide at an hour, from two known heights:",
      "",
      "```ts",
      "export function tideAt(hour: number, low: number, high: number): number {",
      "  const phase = (hour % 12.4) / 12.4;",
      "  return low + ((high - low) * (1 - Math.cos(2 * Math.PI * phase))) / 2;",
      "}",
      "```",
      "",
      "While I work you can _stop_ me, _steer_ me, or queue the next prompt. Try `ask` first.",
    ].join("\n"),
  );
}

async function tour(stage: Stage): Promise<void> {
  await stage.words("Here is all I can show, in the order a day's work might have it.");
  for (const scene of [
    todoScene,
    editScene,
    runScene,
    askScene,
    agentScene,
    questionScene,
    planScene,
    failScene,
    noticeScene,
  ]) {
    await scene(stage);
    await stage.pause(400);
  }
  await stage.words("That was the tour. Say `long` to try stopping me, or `crash` to see a session come back.");
}

async function askScene(stage: Stage): Promise<void> {
  const command = "npm publish --dry-run --tag next";
  await stage.words("To see what a release would hold, I would like to run one command. It needs your word.");
  const running = await stage.call({ name: "Bash", kind: "command", object: command });
  const answer = stage.free
    ? { kind: "allow" as const, choice: "once" }
    : await stage.approval(
        {
          evidence: {
            tool: "Bash",
            kind: "command",
            purpose: "Shows what would be published, without publishing it",
            command,
            directory: process.cwd(),
            edits: [],
            reason: "The command reaches the network.",
            input: JSON.stringify({ command, timeout: 60_000 }),
          },
          choices: [
            { choice: "once", label: "Allow once", scope: "once" },
            {
              choice: "session",
              label: "Allow `npm publish --dry-run` in this session",
              detail: "Not asked again for commands that begin with `npm publish --dry-run`, until the session ends.",
              scope: "session",
            },
            {
              choice: "always",
              label: "Always allow `npm publish --dry-run` in this project",
              detail: "Stored with the project. You can take it back in its settings.",
              scope: "always",
            },
          ],
        },
        running.item,
      );
  if (answer.kind !== "allow") {
    await running.end("refused");
    await stage.words(`Understood, I leave it.${reasonIn(answer)} The release can wait.`);
    return;
  }
  for (const line of [
    "npm notice 📦  harbour@0.4.0",
    "npm notice 1.2kB README.md",
    "npm notice 6.8kB src/tide.ts",
    "npm notice total files: 2",
  ]) {
    await stage.pause(220);
    await running.print(`${line}\n`);
  }
  await running.end("done", { exit: 0 });
  const lasting = answer.choice === "once" ? "" : " I will not ask for this one again.";
  await stage.words(`Two files, 8 kB: the release is as it should be.${lasting}`);
}

const QUESTIONS: Question[] = [
  {
    question: "q1",
    header: "Units",
    text: "Which unit should heights be in?",
    options: [
      { label: "Metres", detail: "What the tables of most countries use" },
      { label: "Feet", detail: "What charts of the United States use" },
    ],
    many: false,
    secret: false,
  },
  {
    question: "q2",
    header: "Outputs",
    text: "Which outputs do you want? Take as many as you like.",
    options: [
      { label: "A table", detail: "Hour by hour" },
      { label: "A curve", detail: "As an SVG" },
      { label: "A calendar", detail: "An .ics file with high and low water" },
    ],
    many: true,
    secret: false,
  },
  {
    question: "q3",
    header: "Name",
    text: "What should the command be called? Use your own words, or add a note.",
    options: [{ label: "tide" }, { label: "harbour" }],
    many: false,
    secret: false,
  },
];

async function questionScene(stage: Stage): Promise<void> {
  await stage.words("Before I go on I need three decisions from you.");
  const answer = await stage.question({ questions: QUESTIONS });
  if (answer.kind !== "replies") {
    await stage.words(`Then I decide myself: metres, a table, and \`tide\`.${reasonIn(answer)}`);
    return;
  }
  const lines = QUESTIONS.map((question) => {
    const reply = answer.replies.find((one) => one.question === question.question);
    const said = [...(reply?.picks ?? []), ...(reply?.text ? [`“${reply.text}”`] : [])];
    const note = reply?.note ? ` _(${reply.note})_` : "";
    return `- **${question.header}**: ${said.length === 0 ? "left to me" : said.join(", ")}${note}`;
  });
  await stage.words(["Thank you. This is what I heard:", "", ...lines].join("\n"));
}

async function planScene(stage: Stage): Promise<void> {
  await stage.thought("Three files are involved. Better to agree on the way before I change any of them.");
  let plan = planText([]);
  const wishes: string[] = [];
  for (;;) {
    const answer = await stage.plan({
      plan,
      path: "plans/units.md",
      choices: [
        { choice: "start", label: "Approve and start", detail: "Edits are made without asking.", scope: "session" },
        { choice: "careful", label: "Approve and ask for each edit", scope: "session" },
      ],
    });
    if (answer.kind === "revise") {
      wishes.push(answer.feedback);
      await stage.words(`I see: _${answer.feedback}_. Here is the plan with that in it.`);
      plan = planText(wishes);
      continue;
    }
    if (answer.kind !== "approve") {
      await stage.words(`No plan, then.${reasonIn(answer)}`);
      return;
    }
    const edited = answer.edited === undefined ? "" : " I follow your version of it.";
    const how = answer.choice === "careful" ? "and ask before each edit" : "and edit without asking";
    await stage.words(`Approved: I begin ${how}.${edited}`);
    await todoScene(stage);
    return;
  }
}

function planText(wishes: readonly string[]): string {
  return [
    "# Heights in both units",
    "",
    "1. Give `tideAt` a `unit` of `metres` or `feet`.",
    "2. Convert at the edge, in `src/cli.ts`; the sums stay in metres.",
    "3. Test both units at high and low water.",
    ...wishes.map((wish, place) => `${place + 4}. ${wish}`),
    "",
    "> Nothing is published in this step.",
  ].join("\n");
}

const EDIT: Edit = {
  path: "src/tide.ts",
  diff: [
    "@@ -1,5 +1,7 @@",
    " /** Height of the water at an hour after low water, in metres. */",
    "-export function tideAt(hour: number, low: number, high: number): number {",
    "-  const phase = hour / 12;",
    "+export function tideAt(hour: number, low: number, high: number): number {",
    "+  // The moon is late by 50 minutes a day: a tide takes 12.4 hours, not 12.",
    "+  const phase = (hour % TIDE_HOURS) / TIDE_HOURS;",
    "+",
    "   return low + ((high - low) * (1 - Math.cos(2 * Math.PI * phase))) / 2;",
    " }",
  ].join("\n"),
  added: 4,
  removed: 2,
};

async function editScene(stage: Stage): Promise<void> {
  await stage.words("I look at how the height is worked out.");
  await stage.read(
    { name: "Read", kind: "read", object: "src/tide.ts" },
    "1\t/** Height of the water at an hour after low water, in metres. */\n2\texport function tideAt(…",
  );
  await stage.read(
    { name: "Grep", kind: "search", object: "tideAt\\(" },
    "src/cli.ts:14\nsrc/tide.ts:2\ntest/tide.test.ts:8",
  );
  await stage.read({ name: "Read", kind: "read", object: "test/tide.test.ts" }, "8\tassert.equal(tideAt(6, 0, 4), 4);");
  await stage.words("A tide takes 12.4 hours, not 12. This mends it:");
  const running = await stage.call({
    name: "Edit",
    kind: "edit",
    object: EDIT.path,
    input: { file_path: EDIT.path, old_string: "const phase = hour / 12;", new_string: "…" },
    edits: [EDIT],
  });
  const answer = stage.free
    ? { kind: "allow" as const, choice: "once" }
    : await stage.approval(
        {
          evidence: {
            tool: "Edit",
            kind: "edit",
            purpose: "Counts a tide as 12.4 hours",
            directory: process.cwd(),
            path: EDIT.path,
            edits: [EDIT],
            input: JSON.stringify({ file_path: EDIT.path }),
          },
          choices: [
            { choice: "once", label: "Allow once", scope: "once" },
            {
              choice: "session",
              label: "Allow, and stop asking for edits in this session",
              detail: "Edits in the workspace are made without asking until the session ends.",
              scope: "session",
            },
          ],
        },
        running.item,
      );
  if (answer.kind === "allow") {
    await running.print("src/tide.ts was changed.");
    await running.end();
    await stage.words("Done: the curve now keeps pace with the moon.");
  } else {
    await running.end("refused");
    await stage.words(`I leave the file as it is.${reasonIn(answer)}`);
  }
}

async function runScene(stage: Stage): Promise<void> {
  const running = await stage.call({ name: "Bash", kind: "command", object: "npm test" });
  for (const line of [
    "",
    "> harbour@0.4.0 test",
    "> node --test",
    "",
    "✔ low water (0.9 ms)",
    "✔ high water (0.2 ms)",
    "✔ half tide (0.2 ms)",
    "",
    "ℹ pass 3",
    "ℹ fail 0",
  ]) {
    await stage.pause(180);
    await running.print(`${line}\n`);
  }
  await running.end("done", { exit: 0 });
  await stage.words("All three tests pass.");
}

async function failScene(stage: Stage): Promise<void> {
  const running = await stage.call({ name: "Bash", kind: "command", object: "npm run lint" });
  await stage.pause(400);
  await running.print("src/cli.ts:21:7  error  'unit' is never used\n\n✖ 1 problem\n");
  await running.end("failed", { exit: 1 });
  await stage.words("The linter is right: `unit` in `src/cli.ts:21` is left over. I would remove it next.");
}

async function agentScene(stage: Stage): Promise<void> {
  const running = await stage.call({
    name: "Agent",
    kind: "agent",
    object: "Find every place that rounds",
    input: { task: "Find every place that rounds" },
  });
  const parent = { parent: running.item } satisfies { parent: ItemId };
  await stage.thought("Rounding hides in formatting too; I look for both.", running.item);
  await stage.read(
    { name: "Grep", kind: "search", object: "Math\\.round|toFixed", ...parent },
    "src/cli.ts:33\nsrc/table.ts:12",
  );
  await stage.read({ name: "Read", kind: "read", object: "src/table.ts", ...parent }, "12\treturn height.toFixed(1);");
  await stage.words("Two places round: `src/cli.ts:33` and `src/table.ts:12`.", running.item);
  await running.print("Two places round: src/cli.ts:33 and src/table.ts:12.");
  await running.end();
  await stage.words("My sub-agent found two places that round. They agree, so nothing needs doing.");
}

async function todoScene(stage: Stage): Promise<void> {
  const texts = ["Read the code", "Change the sums", "Test both units"];
  const at = (doing: number): Steps =>
    texts.map((text, place) => ({ text, state: place < doing ? "done" : place === doing ? "doing" : "open" }));
  for (let doing = 0; doing <= texts.length; doing += 1) {
    await stage.steps(at(doing));
    await stage.pause(600);
  }
  await stage.words("Every step is done.");
}

async function noticeScene(stage: Stage): Promise<void> {
  await stage.notice("info", "The conversation was compacted: the agent goes on from a summary.");
  await stage.notice("warning", "The model's service is overloaded. The agent tries again in 2 s (1 of 10).");
  await stage.notice("error", "The conversation could not be stored: the disk is full. Make room and go on.");
  await stage.words("Those were the three kinds of notice. None of them was true.");
}

async function longScene(stage: Stage): Promise<void> {
  const verses = [
    "The harbour wakes before the town does.",
    "A rope creaks, a gull complains, and somewhere a kettle is put on.",
    "By six the ferry has turned its bow to the channel, where the water runs out faster than one would think.",
    "Its captain knows every stone below, and still looks at the table: the moon does not care what one knows.",
    "At the end of the pier a child drops a stick and counts how long it takes to reach the sea.",
  ];
  for (let part = 1; part <= 12; part += 1) {
    await stage.words(`**${part}.** ${verses.join(" ")}`);
  }
}

function errorScene(): Promise<void> {
  return Promise.reject(
    new SceneFault(
      "The model's service cannot answer now. Send the prompt again in a while. (This is a demonstration.)",
    ),
  );
}

async function crashScene(stage: Stage): Promise<void> {
  await stage.words("I am about to end unexpectedly. Resume the session and we go on.");
  process.stderr.write("The demo was told to crash, and did. Resume the session to go on.\n", () => process.exit(70));
  await stage.pause(60_000);
}

function reasonIn(answer: Answer): string {
  return answer.kind === "deny" && answer.reason ? ` You said: _${answer.reason}_.` : "";
}
