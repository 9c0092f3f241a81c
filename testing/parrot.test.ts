/** An agent that is added exactly as `docs/agents.md` says: its two blocks of code, run as they stand there. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { agentContract } from "@flybridge/host/agents/agent.contract.ts";
import type { Agent } from "@flybridge/host/agents/agent.ts";
import type { QuestionAsk } from "@flybridge/protocol/ask.ts";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import { DEVICE, drive, type Driven } from "./driven.ts";

const ROOT = join(import.meta.dirname, "..");
const AGENTS = join(ROOT, "host", "agents");
/** Lines of an agent and its program, all told. */
const MOST_LINES = 130;

const document = readFileSync(join(ROOT, "docs", "agents.md"), "utf8");
const [program = "", adapter = ""] = ["js", "ts"].map(
  (language) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "u").exec(document)?.[1],
);

// Inside the repository, so that it finds the packages; a folder beside the other agents would be seen by the checks.
const cache = join(ROOT, ".cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "parrot-"));
writeFileSync(join(folder, "parrot.mjs"), program);
writeFileSync(join(folder, "parrot.ts"), adapter.replaceAll('from "../', `from "${pathToFileURL(AGENTS).href}/`));
after(() => rmSync(folder, { recursive: true, force: true }));
// Not an import: no module of ours is loaded from a path that is computed, and this one is a document's.
const { parrot } = createRequire(import.meta.url)(join(folder, "parrot.ts")) as { parrot: Agent };

const session = uuid7From(1, new Uint8Array(10)) as string as SessionId;

function sit(): Promise<Driven> {
  return drive(parrot, { session, workspace: ROOT, env: { PATH: process.env["PATH"] ?? "" } });
}

async function turnAfter(driven: Driven, work: () => void): ReturnType<Driven["turn"]> {
  const before = driven.entries.length;
  work();
  return driven.fact("turn.ended", undefined, before);
}

async function asking(driven: Driven, text: string): Promise<QuestionAsk> {
  const asked = driven.ask();
  driven.prompt(text);
  return (await asked) as QuestionAsk;
}

function reply(pick: string): { kind: "replies"; replies: { question: string; picks: string[] }[] } {
  return { kind: "replies", replies: [{ question: "say", picks: [pick] }] };
}

describe("an agent added as docs/agents.md says", () => {
  it("is as short as it is said to be", () => {
    const lines = adapter.trim().split("\n").length;
    assert.ok(lines > 50 && lines <= 100, `${lines} lines`);
    assert.ok(lines + program.trim().split("\n").length <= MOST_LINES);
  });

  it("repeats, asks, hears the answer and is interrupted", async () => {
    await using driven = await sit();
    await driven.turn("Pieces of eight");
    const yes = await asking(driven, "Oh damn it");
    await turnAfter(driven, () => driven.answer(yes, reply("Yes")));
    const no = await asking(driven, "Oh damn it");
    await turnAfter(driven, () => driven.answer(no, reply("No")));
    await asking(driven, "Oh damn it");
    const ended = await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
    assert.equal(ended.outcome, "interrupted");
    assert.deepEqual(
      driven.items().map((item) => item.body.trim()),
      ["Pieces of eight", "Oh damn it", "Oh **** it", "Oh"],
    );
  });

  agentContract("parrot", {
    agent: parrot,
    record: async () => {
      await using driven = await sit();
      for (let times = 0; times < 6; times += 1) await driven.turn("one two three four five six seven");
      const ask = await asking(driven, "Oh damn it");
      await turnAfter(driven, () => driven.answer(ask, reply("No")));
      await asking(driven, "damn");
      await turnAfter(driven, () => driven.give({ kind: "interrupt.asked", by: DEVICE }));
      return driven.recording;
    },
  });
});
