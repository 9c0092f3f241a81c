import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { type Append, type Journal, StorageError } from "../core/ports.ts";
import { makeWriter } from "./writer.ts";

const step = (name: string): Append => ({ session: name as SessionId, state: {} as Append["state"], entries: [] });

/** A journal that writes down what it is given, or fails as it is told to. */
function journal() {
  const appends: { readonly sessions: string[]; readonly flushed: boolean }[] = [];
  const told: string[] = [];
  const published: FeedEntry[][] = [];
  const state: { failure?: Error } = {};
  const append: Journal["append"] = (steps, flushed) => {
    if (state.failure !== undefined) throw state.failure;
    appends.push({ sessions: steps.map(({ session }) => session), flushed });
    return [{ seq: appends.length, fact: { kind: "session.gone", session: "x" as SessionId } }];
  };
  const writer = makeWriter({ append } as Journal, (facts) => {
    told.push("published");
    published.push([...facts]);
  });
  const write = (name: string, flushed = false) =>
    writer.write(step(name), flushed, (failure) => told.push(failure ? `${name}: ${failure.fault}` : name));
  return { appends, told, published, state, writer, write };
}

describe("the writer", () => {
  it("stores what is written in one turn together, tells each in order, and publishes last", async () => {
    const { appends, told, write } = journal();
    write("a");
    write("b", true);
    write("c");
    assert.deepEqual([appends, told], [[], []], "nothing is said before it is stored");
    await turn();
    assert.deepEqual(appends, [{ sessions: ["a", "b", "c"], flushed: true }]);
    assert.deepEqual(told, ["a", "b", "c", "published"]);
    write("d");
    await turn();
    assert.deepEqual(appends.at(-1), { sessions: ["d"], flushed: false });
  });

  it("stores in the next turn what is written while it tells", async () => {
    const { appends, writer, write } = journal();
    writer.write(step("a"), false, () => write("b"));
    await turn();
    await turn();
    assert.deepEqual(
      appends.map(({ sessions }) => sessions),
      [["a"], ["b"]],
    );
  });

  it("tells everybody when nothing could be stored, publishes nothing, and stores again afterwards", async () => {
    const { appends, told, published, state, write } = journal();
    state.failure = new StorageError("full", "The disk is full.");
    write("a", true);
    write("b");
    await turn();
    assert.deepEqual(told, ["a: full", "b: full"]);
    state.failure = new TypeError("a fault of ours");
    write("c");
    await turn();
    assert.deepEqual(told.at(-1), "c: broken");
    assert.deepEqual([appends, published], [[], []]);
    delete state.failure;
    write("d");
    await turn();
    assert.deepEqual(appends, [{ sessions: ["d"], flushed: false }]);
  });

  it("stores at once when it is asked to, and not a second time", async () => {
    const { appends, writer, write } = journal();
    writer.flush();
    write("a");
    writer.flush();
    assert.deepEqual(
      appends.map(({ sessions }) => sessions),
      [["a"]],
    );
    await turn();
    assert.equal(appends.length, 1);
  });

  it("tells the others although one fails at being told, and does not hide the fault", () => {
    const { told, writer, write } = journal();
    writer.write(step("a"), false, () => {
      throw new Error("a listener's fault");
    });
    write("b");
    assert.throws(() => writer.flush(), /a listener's fault/u);
    assert.deepEqual(told, ["b", "published"]);
  });
});
