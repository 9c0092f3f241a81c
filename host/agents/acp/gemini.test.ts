/** The adapter against the real Gemini CLI; only the model behind it is played. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findAgent } from "@flybridge/testing/acp.ts";
import { Desk, known, playReturn, playStory, tools } from "./real.fixture.ts";

const skip = findAgent("gemini") === undefined ? "gemini is not in .cache/agents; npm test brings it" : false;

describe("acp with the real Gemini CLI", { skip }, () => {
  it("is found with its version, and seen to be signed in", async () => {
    await using at = await Desk.at("gemini");
    const info = await known("gemini").look(at.env);
    assert.equal(info.problem, undefined);
    assert.match(info.version ?? "0.61.0", /^\d+\.\d+\.\d+/u);
    const { GEMINI_API_KEY: _, ...keyless } = at.env;
    const bare = await known("gemini").look({ ...keyless, HOME: at.workspace });
    assert.equal(bare.problem?.code, "not_signed_in");
    assert.match(bare.problem?.message ?? "", /Run `gemini` in a terminal/u);
  });

  it("prompts, asks once, always and is refused; shows diffs; is interrupted while it asks; asks twice at once", async () => {
    await using at = await Desk.at("gemini");
    await using driven = await at.sit();
    await playStory(at, driven);
    // It sends no tool_call before it asks, and says nothing of a call that was refused: all are shown, once each.
    const lines = driven.recording.given.flatMap((one) => (one.kind === "line" ? [one.line] : []));
    const asked = lines.filter((line) => line.includes("session/request_permission"));
    assert.equal(asked.length, 7);
    for (const line of asked) {
      const call = /"toolCallId":"[^"]+"/u.exec(line)?.[0] ?? "no call";
      assert.equal(
        lines.findIndex((one) => one.includes(call)),
        lines.indexOf(line),
      );
    }
    assert.deepEqual(
      tools(driven).map(({ tool }) => tool.state),
      ["done", "done", "refused", "failed", "done", "done", "done", "done"],
    );
    // What it calls "always" lasts for the session, and its name says so.
    const asks = driven.entries.flatMap(({ fact }) => (fact.kind === "ask.opened" ? [fact.ask] : []));
    for (const ask of asks) {
      assert.deepEqual(ask.kind === "approval" && ask.choices.map(({ scope }) => scope), ["once", "session"]);
    }
  });

  it("brings the reason of a refusal to the model, and goes on in a new process", async () => {
    await using at = await Desk.at("gemini");
    await playReturn(at, "");
  });
});
