/** A guest, who has a grant on one session, by every method of the table: its own session, another's, and one that is not. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { CallError } from "@flybridge/protocol/error.ts";
import { Verb } from "@flybridge/protocol/grant.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { METHODS, type Method } from "@flybridge/protocol/methods.ts";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import { BareDevice, newIntent } from "../bare.ts";
import { Place, WAYS } from "./ways.ts";

const GOLDEN = join(import.meta.dirname, "..", "..", "protocol", "golden", "v1.jsonl");
const ABSENT = "01980000-0000-7000-8000-0000000000cc" as SessionId;
const methods = Object.keys(METHODS) as Method[];
/** How much longer the quickest of many answers may take for a session that is there than for one that is not. */
const SAME_TIME = 1.6;

/** Parameters that fit each method, as the golden messages have them. */
const golden = new Map<string, object>(
  readFileSync(GOLDEN, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { message: { method?: string; params?: object } }).message)
    .flatMap(({ method, params }) => (method === undefined || params === undefined ? [] : [[method, params] as const])),
);

/** What a call comes to: "fine", or the fault as the device sees it. */
async function tried(
  device: BareDevice,
  method: Method,
  session: SessionId | undefined,
  more: object = {},
): Promise<string> {
  const params = { ...golden.get(method), ...(session === undefined ? {} : { session }), ...more };
  try {
    await device.call(method, params as never, newIntent());
    return "fine";
  } catch (error) {
    assert.ok(error instanceof CallError, `${method}: ${String(error)}`);
    return `${error.code}: ${error.message} ${JSON.stringify(error.details ?? null)}`;
  }
}

const sets: readonly (readonly Verb[])[] = [...Verb.options.map((verb) => [verb]), Verb.options];

for (const way of WAYS)
  describe(`a guest, ${way}`, { timeout: 120_000 }, () => {
    let place: Place;
    let owner: BareDevice;
    let own: SessionId;
    let other: SessionId;

    before(async () => {
      place = await Place.open(way);
      owner = await place.pair("owner");
      const open = async (): Promise<SessionId> =>
        (await owner.call("session.create", { agent: "demo" as never, workspace: place.world.home })).session;
      [own, other] = [await open(), await open()];
    });
    after(async () => {
      owner?.close();
      await place?.[Symbol.asyncDispose]();
    });

    for (const verbs of sets)
      it(`[C02] [C10] [C17] [C18] [C19] [C20] [C21] with ${verbs.length > 1 ? "every verb" : verbs[0]} is refused by every method that needs more, wherever it points`, async () => {
        const guest = await place.share(own, verbs, `guest ${verbs.join(" ")}`);
        for (const method of methods) {
          const { verb } = METHODS[method];
          const hasSession = "session" in (golden.get(method) ?? {});
          // A way in is everybody's who may come in.
          if (verb === "any") continue;
          const allowed = verb !== "owner" && verbs.includes(verb);
          const [there, elsewhere] = [await tried(guest, method, other), await tried(guest, method, ABSENT)];
          assert.match(there, /^forbidden: /u, `${method} of another session`);
          assert.equal(there, elsewhere, `${method}: a session that is there and one that is not look alike`);
          // What it may, it does in other tests; giving its grant back would end this one.
          if (!allowed || method === "session.detach") {
            if (!allowed)
              assert.match(await tried(guest, method, hasSession ? own : undefined), /^forbidden: /u, method);
            continue;
          }
          const more = method === "session.share" ? { verbs } : {};
          assert.doesNotMatch(await tried(guest, method, own, more), /^forbidden: /u, method);
        }
        guest.close();
      });

    it("cannot tell a session that is there from one that is not by the time it takes", async () => {
      const guest = await place.share(own, ["read"], "a guest with a watch");
      const quickest = { there: Number.POSITIVE_INFINITY, absent: Number.POSITIVE_INFINITY };
      for (let time = 0; time < 300; time++)
        for (const [which, session] of [
          ["there", other],
          ["absent", ABSENT],
        ] as const) {
          const began = performance.now();
          await tried(guest, "session.page", session);
          quickest[which] = Math.min(quickest[which], performance.now() - began);
        }
      const [low = 1, high = 1] = Object.values(quickest).sort((a, b) => a - b);
      assert.ok(high < low * SAME_TIME, JSON.stringify(quickest));
      guest.close();
    });

    it("comes no further through the shell's socket: the door changes nothing about who it is", async () => {
      const guest = await place.share(own, ["read"], "a guest within");
      guest.close();
      await guest.ended;
      const within = await BareDevice.reconnect({
        ...guest.keys,
        continuity: guest.keys.continuity,
        url: `ws+unix://${place.world.socket}:${LINK_PATH}`,
      });
      assert.match(await tried(within, "session.list", undefined), /^forbidden: /u);
      assert.match(await tried(within, "session.follow", other), /^forbidden: /u);
      assert.doesNotMatch(await tried(within, "session.follow", own), /^forbidden: /u);
      within.close();
    });

    it("[E43] finds nothing over HTTP that the handshake keeps", async () => {
      const paths = [
        "/",
        LINK_PATH,
        "/api/sessions",
        `/session/${own}`,
        "/pair",
        ...methods.flatMap((method) => [`/${method}`, `/api/${method.replace(".", "/")}`]),
      ];
      for (const path of paths) {
        const body = await got(place.origin, path);
        assert.ok(!body.includes(place.world.home) && !body.includes("owner"), path);
        for (const secret of [own, other]) if (path !== `/session/${own}`) assert.ok(!body.includes(secret), path);
      }
    });

    it("passes on what it has, or less: no verb more, no hour more, no other session; and with its own grant goes what it passed on", async () => {
      const guest = await place.share(own, ["read", "share"], "a generous guest");
      const wider = (verbs: Verb[], session = own) => guest.call("session.share", { session, verbs });
      await assert.rejects(wider(["read", "answer"]), { code: "forbidden" });
      await assert.rejects(wider(["read"], other), { code: "forbidden" });
      const { devices } = await owner.call("device.list", {});
      const grantOf = (name: string) => devices.find((one) => one.name === name)?.grant;
      const mine = grantOf("a generous guest");
      assert.ok(mine?.kind === "session");
      const { connection } = await guest.call("session.share", {
        session: own,
        verbs: ["read"],
        life: 29 * 86_400_000,
      });
      const heir = await place.redeem(connection, "an heir");
      const heirs = (await owner.call("device.list", {})).devices.find(({ name }) => name === "an heir");
      assert.ok(heirs?.grant.kind === "session");
      assert.ok(heirs.grant.until <= mine.until, "it ends no later than what it comes from");
      await assert.rejects(heir.call("session.share", { session: own, verbs: ["read"] }), { code: "forbidden" });
      const guestId = (await owner.call("device.list", {})).devices.find(
        ({ name }) => name === "a generous guest",
      )?.device;
      assert.ok(guestId);
      await owner.call("device.revoke", { device: guestId });
      assert.deepEqual(await heir.ended, { kind: "bye", by: "them", reason: "revoked" });
    });

    it("has no use of an invitation whose giver lost meanwhile what it gives", async () => {
      const guest = await place.share(own, ["read", "share"], "a hasty guest");
      const { connection } = await guest.call("session.share", { session: own, verbs: ["read"] });
      const id = (await owner.call("device.list", {})).devices.find(({ name }) => name === "a hasty guest")?.device;
      assert.ok(id);
      await owner.call("device.revoke", { device: id });
      await assert.rejects(place.redeem(connection, "too late"));
    });

    it("[C15] gives its grant back, and the session goes on; [C09] is told when the session ends, and is refused then", async () => {
      const leaver = await place.share(own, ["read", "detach"], "leaves");
      await leaver.call("session.detach", { session: own }).catch(() => {});
      assert.deepEqual(await leaver.ended, { kind: "bye", by: "them", reason: "detached" });
      await assert.rejects(place.reconnect(leaver.keys));
      const { session } = await owner.call("session.create", { agent: "demo" as never, workspace: place.world.home });
      const guest = await place.share(session, ["read"], "stays");
      await guest.call("session.follow", { session, from: 1 });
      await owner.call("session.stop", { session });
      assert.deepEqual(await guest.ended, { kind: "bye", by: "them", reason: "session_ended" });
      assert.ok(
        guest.entriesOf(session).some(({ fact }) => fact.kind === "agent.ended"),
        "and has read how it ended",
      );
      await assert.rejects(place.reconnect(guest.keys));
      await assert.rejects(owner.call("session.share", { session, verbs: ["read"] }), { code: "wrong_state" });
      assert.equal(
        (await owner.call("session.list", {})).sessions.some((one) => one.session === own),
        true,
      );
    });

    it("[C27] whose key, secret or host is another's is refused", async () => {
      const guest = await place.share(own, ["read"], "tampered");
      guest.close();
      await guest.ended;
      const { keys } = guest;
      const chance = (): Uint8Array => new Uint8Array(randomBytes(32));
      for (const wrong of [
        { secret: chance() },
        { continuity: chance() },
        { hostKey: chance() },
        { host: "a".repeat(56) },
      ])
        await assert.rejects(
          place.reconnect({ ...keys, continuity: keys.continuity, ...wrong }),
          JSON.stringify(Object.keys(wrong)),
        );
      (await place.reconnect(keys)).close();
    });
  });

async function got(origin: string, path: string): Promise<string> {
  return (await fetch(`${origin}${path}`)).text();
}
