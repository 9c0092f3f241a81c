/** Every method of the table: who may, with what, and what of another's account one reaches by it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { sign } from "@flybridge/crypto/identity.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import {
  ACCOUNT_METHODS,
  type AccountCode,
  type AccountMethod,
  AccountReply,
} from "@flybridge/protocol/relay/account.ts";
import { decode, encode, RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { registrationsIn } from "../store/registrations.ts";
import { hostNamed, keyOf } from "../store/samples.contract.ts";
import { onBoth } from "../store/stores.contract.ts";
import type { MemberCaller } from "./accounts.ts";
import {
  addHost,
  authOf,
  codeOf,
  emailOf,
  endorsementOf,
  get,
  labelOf,
  openWorld,
  publicKeyOf,
  signIn,
  signingKeyOf,
  signUp,
  signUpOf,
  socketOf,
  stretchingOf,
  type World,
} from "./people.contract.ts";

const METHODS = Object.keys(ACCOUNT_METHODS) as AccountMethod[];
type AnyParams = Record<string, unknown>;

/** What is right for each, of a person on a device, where there is nothing of either yet or all of it. */
async function rightParams(person: string, device: string, host: string): Promise<Record<AccountMethod, AnyParams>> {
  const { host: id = "", rendezvous = "" } = hostNamed(host);
  const email = emailOf(person);
  return {
    "account.begin": { email },
    "account.signUp": await signUpOf(person, device),
    "account.signIn": { email, auth: authOf(person) },
    "account.recover": { email, auth: authOf(person, "recovery") },
    "account.enrol": { endorsement: await endorsementOf(person, device), label: labelOf(device) },
    "account.kept": {},
    "account.renew": { session: keyOf("none") },
    "account.read": {},
    "account.change": {
      stretching: stretchingOf("new"),
      lock: { auth: authOf(person, "new"), sealed: "x" },
      recovery: { auth: authOf(person, "new code"), sealed: "y" },
    },
    "account.putHost": { host: id, rendezvous, label: labelOf(host) },
    "account.removeHost": { host: id },
    "account.removeDevice": { key: publicKeyOf(device) },
    "account.signOutOthers": {},
    "account.dismiss": {},
    "account.delete": {},
  };
}

const call = (world: World, caller: MemberCaller, method: string, params: unknown) =>
  codeOf(world.accounts, caller, method as "account.begin", params as { email: string });

onBoth((open) => {
  /** Ann and Bob, each with a phone and a host, both of them signed in and with nothing opened. */
  const openTwo = async () => {
    const world = await openWorld(open);
    const people = { ann: await signUp(world, "ann", "annphone"), bob: await signUp(world, "bob", "bobphone") };
    const hosts = { ann: await addHost(world, "anndesk", "ann"), bob: await addHost(world, "bobdesk", "bob") };
    for (const person of ["ann", "bob"] as const)
      await get(world.accounts, people[person], "account.putHost", {
        ...hosts[person],
        label: labelOf(`${person}desk`),
      });
    return { world, ...people, hosts };
  };

  describe("a call", () => {
    it("is what the table has, and nothing that every object has", async () => {
      await using world = await openWorld(open);
      for (const method of [
        "",
        "account",
        "account.",
        "Account.read",
        "account.read ",
        "__proto__",
        "constructor",
        "toString",
        "x".repeat(10_000),
      ])
        assert.equal(await call(world, socketOf("x"), method, {}), "unknown_method");
      assert.deepEqual(world.failed, []);
    });

    it("is a call, or an answer says that it is none", async () => {
      await using world = await openWorld(open);
      const bytes = (text: string) => new TextEncoder().encode(text);
      for (const frame of [
        new Uint8Array(),
        new Uint8Array([0xff, 0xfe, 0x00]),
        new Uint8Array(RELAY_FRAME_BYTES),
        bytes("null"),
        bytes("[]"),
        bytes('{"t":"call"'),
        bytes("[".repeat(RELAY_FRAME_BYTES)),
        encode({ t: "call", id: 1, method: "account.read" }),
        encode({ t: "reply", id: 1, method: "account.read", params: {} }),
        encode({ t: "call", id: "1", method: "account.read", params: {} }),
        encode({ t: "call", id: 1.5, method: "account.read", params: {} }),
        encode({ t: "call", id: 2 ** 60, method: "account.read", params: {} }),
        encode({ t: "call", id: 1, method: 7, params: {} }),
        encode({ t: "call", id: 1, method: "account.begin", params: { email: "a@b", more: "x".repeat(60_000) } }),
      ]) {
        const reply = decode(AccountReply, await world.accounts.callOf(frame, socketOf("x")));
        assert.equal(reply?.id, 0);
        assert.equal(reply.error?.code, "bad_params");
      }
      assert.deepEqual(world.failed, []);
    });

    for (const method of METHODS)
      it(`of ${method} is refused with anything wrong in it, and leaves all as it was`, async () => {
        const { world, ann } = await openTwo();
        await using _ = world;
        await get(world.accounts, ann, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
        const right = (await rightParams("ann", "annphone", "anndesk"))[method];
        const before = await world.stored();
        let tried = 0;
        for (const params of wrongParams(right)) {
          // Each from elsewhere, so that it is not refused for being too much.
          const caller = { ...ann, from: `10.1.${++tried >> 8}.${tried & 255}` };
          assert.equal(await call(world, caller, method, params), "bad_params", JSON.stringify(params)?.slice(0, 300));
        }
        assert.ok(tried >= 4);
        assert.deepEqual(await world.stored(), before);
        assert.deepEqual([world.failed, world.ended], [[], []]);
      });

    it("has what its method needs, whoever calls", async () => {
      const { world, ann, bob } = await openTwo();
      await using _ = world;
      const held = await signIn(world, "ann", "held");
      await registrationsIn(world.database).setHeld(held.key, true);
      const removed = await signIn(world, "ann", "removed");
      await registrationsIn(world.database).remove(removed.key);
      const email = emailOf("ann");
      /** Sockets of whom, and whether the account was opened on it: by its own passphrase, or by another account's. */
      const callers: readonly (readonly [string, MemberCaller, { ann?: true; bob?: true }])[] = [
        ["a stranger", socketOf("stranger"), {}],
        ["a host's key", socketOf("anndesk"), {}],
        ["one that is held", socketOf("held"), {}],
        ["one that was removed", socketOf("removed"), {}],
        ["a stranger with the passphrase", socketOf("stranger"), { ann: true }],
        ["one that is held, with the passphrase", socketOf("held"), { ann: true }],
        ["a member", socketOf("annphone"), {}],
        ["a member with another's passphrase", socketOf("bobphone"), { ann: true }],
        ["a member with the passphrase", socketOf("annphone"), { ann: true }],
      ];
      const before = await world.stored("account", "registration");
      for (const [who, caller, opened] of callers) {
        if (opened.ann) await get(world.accounts, caller, "account.signIn", { email, auth: authOf("ann") });
        const isMember = who.startsWith("a member");
        const isFresh = caller.key === ann.key && opened.ann === true;
        for (const method of METHODS) {
          const { needs } = ACCOUNT_METHODS[method];
          if (needs === "nothing" || (needs === "opened" && opened.ann) || (needs === "member" && isMember) || isFresh)
            continue;
          const right = (await rightParams(caller.key === bob.key ? "bob" : "ann", "annphone", "anndesk"))[method];
          const expected: AccountCode = needs === "fresh" && isMember ? "not_fresh" : "not_signed_in";
          assert.equal(await call(world, caller, method, right), expected, `${method} by ${who}`);
        }
      }
      assert.deepEqual(await world.stored("account", "registration"), before);
      assert.deepEqual(world.failed, []);
    });

    it("is made twice: what is done is done, and the rest says so", async () => {
      const { world, ann } = await openTwo();
      await using _ = world;
      const right = await rightParams("ann", "annphone", "anndesk");
      const twice = async (method: AccountMethod, params: AnyParams = right[method]) => [
        await call(world, ann, method, params),
        await call(world, ann, method, params),
      ];
      for (const method of [
        "account.begin",
        "account.signIn",
        "account.recover",
        "account.enrol",
        "account.kept",
        "account.read",
        "account.putHost",
        "account.signOutOthers",
        "account.dismiss",
      ] as const)
        assert.deepEqual(await twice(method), ["ok", "ok"], method);
      assert.deepEqual(await twice("account.signUp"), ["email_taken", "email_taken"]);
      assert.deepEqual(await twice("account.removeHost"), ["ok", "not_found"]);
      await signIn(world, "ann", "tablet");
      assert.deepEqual(await twice("account.removeDevice", { key: publicKeyOf("tablet") }), ["ok", "not_found"]);
      assert.deepEqual(await twice("account.change"), ["ok", "ok"]);
      assert.deepEqual(await twice("account.delete"), ["ok", "not_signed_in"]);
    });
  });

  describe("two accounts", () => {
    it("do not reach each other's hosts and devices by any method", async () => {
      const { world, ann, bob, hosts } = await openTwo();
      await using _ = world;
      const tablet = await signIn(world, "ann", "anntablet");
      await get(world.accounts, bob, "account.signIn", { email: emailOf("bob"), auth: authOf("bob") });
      const anns = await rightParams("ann", "annphone", "anndesk");
      const label = labelOf("mine now");
      const before = await world.stored("account", "registration", "family", "token");
      const tries: readonly (readonly [AccountMethod, AnyParams, AccountCode])[] = [
        ["account.signUp", { ...(await signUpOf("bob", "bobphone")), email: emailOf("ann") }, "email_taken"],
        ["account.signUp", { ...(await signUpOf("ann", "bobphone")), email: emailOf("other") }, "email_taken"],
        ["account.signUp", { ...(await signUpOf("ann", "annphone")), email: emailOf("other") }, "bad_params"],
        ["account.signIn", { email: emailOf("ann"), auth: authOf("bob") }, "wrong_passphrase"],
        ["account.recover", { email: emailOf("ann"), auth: authOf("bob", "recovery") }, "wrong_passphrase"],
        ["account.enrol", { endorsement: await endorsementOf("ann", "bobphone"), label }, "bad_params"],
        ["account.enrol", { endorsement: await endorsementOf("bob", "annphone"), label }, "bad_params"],
        ["account.enrol", anns["account.enrol"], "bad_params"],
        ["account.putHost", { ...hosts.ann, label }, "not_found"],
        ["account.putHost", { ...hosts.bob, rendezvous: hosts.ann.rendezvous, label }, "not_found"],
        ["account.putHost", { ...hosts.bob, host: hosts.ann.host, label }, "not_found"],
        ["account.putHost", { ...hostNamed("nowhere"), label }, "not_found"],
        ["account.removeHost", { host: hosts.ann.host }, "not_found"],
        ["account.removeHost", { host: hostNamed("nowhere").host }, "not_found"],
        ["account.removeDevice", { key: ann.key }, "not_found"],
        ["account.removeDevice", { key: tablet.key }, "not_found"],
        ["account.removeDevice", { key: publicKeyOf("anndesk") }, "not_found"],
        // Its own host is no device.
        ["account.removeDevice", { key: publicKeyOf("bobdesk") }, "not_found"],
        ["account.removeDevice", { key: keyOf("nobody") }, "not_found"],
      ];
      for (const [at, [method, params, code]] of tries.entries()) {
        const caller = { ...bob, from: `10.0.${at}.1`, opened: bob.opened };
        assert.equal(await call(world, caller, method, params), code, `${method} ${JSON.stringify(params)}`);
      }
      assert.deepEqual(await world.stored("account", "registration", "family", "token"), before);
      await turn();
      assert.deepEqual(world.ended, []);

      const [annReads, bobReads] = [
        await get(world.accounts, ann, "account.read", {}),
        await get(world.accounts, bob, "account.read", {}),
      ];
      assert.deepEqual([annReads.devices.length, annReads.hosts.length], [2, 1]);
      assert.deepEqual([bobReads.devices.length, bobReads.hosts.length], [1, 1]);
      assert.ok(!JSON.stringify(bobReads).includes(ann.key) && !JSON.stringify(bobReads).includes(hosts.ann.host));
      assert.ok(!JSON.stringify(annReads).includes(bob.key));

      // What takes all takes all of its own.
      await get(world.accounts, bob, "account.signOutOthers", {});
      await get(world.accounts, bob, "account.dismiss", {});
      await get(world.accounts, bob, "account.change", { recovery: { auth: authOf("bob", "new"), sealed: "x" } });
      await get(world.accounts, bob, "account.delete", {});
      await turn();
      assert.deepEqual(world.ended, [bob.key]);
      assert.deepEqual(await get(world.accounts, ann, "account.read", {}), annReads);
    });

    it("end the other's sign-in where one uses the other's session, and only that", async () => {
      const { world, ann, bob } = await openTwo();
      await using _ = world;
      await get(world.accounts, ann, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      const enrolled = { endorsement: await endorsementOf("ann", "annphone"), label: "x" };
      const { session } = await get(world.accounts, ann, "account.enrol", enrolled);
      assert.equal(await call(world, bob, "account.renew", { session: session.session }), "not_signed_in");
      assert.deepEqual(world.ended, [ann.key]);
      assert.equal(await call(world, ann, "account.read", {}), "not_signed_in");
      await get(world.accounts, bob, "account.read", {});
      const anew = await signIn(world, "ann", "annphone");
      const { notices } = await get(world.accounts, anew, "account.read", {});
      assert.ok(notices.some(({ kind, key }) => kind === "session_reused" && key === ann.key));
    });

    it("do not get each other's key by a signature that was made for something else", async () => {
      const { world } = await openTwo();
      await using _ = world;
      const { key, from } = socketOf("thief");
      const caller = { key, from };
      await get(world.accounts, caller, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      const signed = async (purpose: string) =>
        toBase64Url(await sign(signingKeyOf("ann"), purpose, signingKeyOf("thief").publicKey));
      for (const purpose of ["account host", "account pairing", "relay opening", "relay ticket", "Account device"])
        assert.equal(
          await call(world, caller, "account.enrol", { endorsement: await signed(purpose), label: "x" }),
          "bad_params",
        );
      assert.equal(
        await call(world, caller, "account.enrol", { endorsement: await signed("account device"), label: "x" }),
        "ok",
      );
    });

    it("never have a host's key for a device", async () => {
      const { world } = await openTwo();
      await using _ = world;
      const before = await world.stored("registration");
      const host = socketOf("bobdesk");
      assert.equal(await call(world, host, "account.signUp", await signUpOf("eve", "bobdesk")), "bad_params");
      await get(world.accounts, host, "account.signIn", { email: emailOf("bob"), auth: authOf("bob") });
      const enrolled = { endorsement: await endorsementOf("bob", "bobdesk"), label: "x" };
      assert.equal(await call(world, host, "account.enrol", enrolled), "bad_params");
      assert.deepEqual(await world.stored("registration"), before);
      assert.equal((await world.database.query("SELECT key FROM account")).length, 2);
    });
  });
});

const HUGE = "x".repeat(12_000);
/** For any text of which there is a form. */
const WRONG: readonly unknown[] = [
  undefined,
  null,
  true,
  7,
  {},
  [],
  "",
  " ",
  "a\u0000b@mail.example",
  "\ud800@mail.example",
  "no e-mail",
  HUGE,
  `${HUGE}@mail.example`,
  "=".repeat(43),
];
const WRONG_NUMBERS: readonly unknown[] = [undefined, null, "7", 1.5, -1, 0, 2 ** 53, 1e300];

/** The right ones with one thing wrong, wherever it is in them, and what are none at all. */
function* wrongParams(right: AnyParams): Iterable<unknown> {
  yield* [null, 7, "x", true];
  for (const [name, value] of Object.entries(right)) {
    if (typeof value === "object" && value !== null) {
      for (const wrong of wrongParams(value as AnyParams)) yield { ...right, [name]: wrong };
    } else for (const wrong of typeof value === "number" ? WRONG_NUMBERS : WRONG) yield { ...right, [name]: wrong };
  }
}
