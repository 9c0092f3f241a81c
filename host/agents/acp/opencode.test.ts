/** The adapter against the real opencode; only the model behind it is played. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findAgent } from "@flybridge/testing/acp.ts";
import type { Recording } from "@flybridge/testing/driven.ts";
import { agentContract } from "../agent.contract.ts";
import { Desk, known, playReturn, playStory, spoken, tools } from "./real.fixture.ts";

const skip = findAgent("opencode") === undefined ? "opencode is not in .cache/agents; npm test brings it" : undefined;

/** The story as it was lived once: the contract hears it again. */
let recorded: Promise<{ recording: Recording; written: readonly string[]; notices: string[] }> | undefined;

function story(): typeof recorded & object {
  recorded ??= (async () => {
    await using at = await Desk.at("opencode");
    await using driven = await at.sit();
    await playStory(at, driven);
    const notices = driven.entries.flatMap(({ fact }) => (fact.kind === "notice" ? [fact.text] : []));
    return { recording: driven.recording, written: driven.written, notices };
  })();
  return recorded;
}

describe("acp with the real opencode", { skip: skip ?? false }, () => {
  it("is found with its version", async () => {
    await using at = await Desk.at("opencode");
    const info = await known("opencode").look(at.env);
    assert.equal(info.problem, undefined);
    assert.match(info.version ?? "1.18.33", /^\d+\.\d+\.\d+/u);
    assert.deepEqual(info.install, ["npm", "install", "-g", "opencode-ai"]);
  });

  it("prompts, asks once, always and is refused; shows diffs; is interrupted while it asks; asks twice at once", async () => {
    await story();
  });

  it("calls fs/write_text_file although it was told that nobody writes for it: refused, and no one is bothered", async () => {
    const { recording, written } = await story();
    const called = recording.given.filter((one) => one.kind === "line" && one.line.includes("fs/write_text_file"));
    assert.equal(called.length, 1);
    assert.equal(written.filter((line) => line.includes("-32601")).length, 1);
  });

  it("ends the turn without a word when it is refused, which is said, and nothing else is", async () => {
    const { notices } = await story();
    assert.deepEqual(notices, ["opencode ended its turn when it was told no. Send a prompt to go on."]);
  });

  it("brings the reason of a refusal to the model, goes on in a new process, and copies what was said before", async () => {
    await using at = await Desk.at("opencode");
    const todos = [
      { content: "Begin", status: "completed", priority: "high", id: "1" },
      { content: "End", status: "in_progress", priority: "low", id: "2" },
    ];
    const conversation = await playReturn(at, `[[tool todowrite ${JSON.stringify({ todos })}]]`);
    await using copy = await at.sit({ from: { conversation, fork: true } });
    await copy.fact("agent.reported", (fact) => fact.version !== undefined);
    assert.ok(copy.items().some((item) => item.kind === "prompt" && item.body.startsWith("Begin.")));
    assert.ok(spoken(copy).includes("Begun."));
    // Its list of steps is kept by a tool, and shown as a list.
    const steps = copy.items().flatMap((item) => (item.kind === "todo" ? item.steps : []));
    assert.deepEqual(
      steps.map(({ state }) => state),
      ["done", "doing"],
    );
    assert.ok(!tools(copy).some(({ tool }) => tool.name === "todowrite"));
    await copy.turn("More. [[text More.]]");
    assert.notEqual((copy.memory() as { conversation?: string }).conversation, conversation);
    assert.match(at.told(), /Use mkdir instead\./u);
  });

  agentContract("opencode", { agent: known("opencode"), skip, record: async () => (await story()).recording });
});
