import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import { type Grant, Verb } from "@flybridge/protocol/grant.ts";
import type { DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { METHODS, type Method } from "@flybridge/protocol/methods.ts";
import { authorize, mayRead } from "./authorize.ts";

const MINE = "01980000-0000-7000-8000-0000000000aa" as SessionId;
const OTHER = "01980000-0000-7000-8000-0000000000bb" as SessionId;
const ABSENT = "01980000-0000-7000-8000-0000000000cc" as SessionId;
const NOW = 1_000;
const methods = Object.keys(METHODS) as Method[];
const targets = { own: MINE, other: OTHER, absent: ABSENT, none: undefined };

/** Every set of verbs. */
const grants: Grant[] = Array.from({ length: 2 ** Verb.options.length }, (_, bits) => ({
  kind: "session",
  session: MINE,
  verbs: Verb.options.filter((_verb, at) => (bits & (1 << at)) !== 0),
  until: NOW + 1,
  by: "d".repeat(43) as DeviceId,
}));

function refusal(grant: Grant, method: Method, session: SessionId | undefined, now = NOW): string | undefined {
  try {
    authorize(grant, method, session === undefined ? {} : { session }, now);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CallError);
    return `${error.code}: ${error.message} ${JSON.stringify(error.details)}`;
  }
}

describe("authorization", () => {
  it("lets an owner do everything", () => {
    for (const method of methods)
      for (const session of Object.values(targets))
        assert.equal(refusal({ kind: "owner" }, method, session), undefined);
  });

  it("lets a guest do exactly what its verbs say on its own session: every method, every set of verbs", () => {
    for (const grant of grants)
      for (const method of methods)
        for (const [name, session] of Object.entries(targets)) {
          const { verb } = METHODS[method];
          const allowed =
            verb === "any" ||
            (grant.kind === "session" && name === "own" && verb !== "owner" && grant.verbs.includes(verb));
          assert.equal(
            refusal(grant, method, session) === undefined,
            allowed,
            `${method} ${name} ${JSON.stringify(grant)}`,
          );
        }
  });

  it("answers the same to what is another's, to what is not there, and to what is an owner's", () => {
    const all = grants.at(-1) as Grant;
    const ofSessions = methods.filter((method) => METHODS[method].verb !== "any");
    const answers = ofSessions.flatMap((method) => [refusal(all, method, OTHER), refusal(all, method, ABSENT)]);
    assert.equal(new Set(answers).size, 1);
    assert.match(answers[0] ?? "", /^forbidden/u);
  });

  it("never gives a guest what the design keeps for owners", () => {
    const all = grants.at(-1) as Grant;
    const reached = methods.filter((method) => refusal(all, method, MINE) === undefined);
    assert.deepEqual(reached.sort(), [
      "ask.answer",
      "ask.dismiss",
      "attachment.read",
      "direct.open",
      "relay.ways",
      "session.detach",
      "session.find",
      "session.follow",
      "session.interrupt",
      "session.page",
      "session.prompt",
      "session.share",
      "session.unfollow",
      "session.withdraw",
      "terminal.follow",
      "terminal.input",
      "terminal.page",
      "terminal.resize",
      "terminal.unfollow",
    ]);
  });

  it("ends with the grant's time, to the millisecond, also for entries on the way out", () => {
    const all = grants.at(-1) as Grant;
    assert.equal(refusal(all, "session.follow", MINE, NOW), undefined);
    assert.match(refusal(all, "session.follow", MINE, NOW + 1) ?? "", /^forbidden/u);
    assert.equal(mayRead(all, MINE, NOW), true);
    assert.equal(mayRead(all, MINE, NOW + 1), false);
    assert.equal(mayRead(all, OTHER, NOW), false);
    assert.equal(mayRead({ kind: "owner" }, OTHER, NOW), true);
    for (const grant of grants)
      assert.equal(mayRead(grant, MINE, NOW), grant.kind === "session" && grant.verbs.includes("read"));
  });

  it("is not talked into it by a session that is not a session's id", () => {
    const all = grants.at(-1) as Grant;
    for (const session of [[MINE], { toString: () => MINE }, null, 1, `${MINE} `])
      assert.throws(() => authorize(all, "session.follow", { session }, NOW), CallError);
  });
});
