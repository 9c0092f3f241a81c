import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { newStretching } from "@flybridge/crypto/account.ts";
import { endorseHost } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { FRESH_MS, MAX_MEMBERS, MAX_NOTICES, type Notice, Stretching } from "@flybridge/protocol/relay/account.ts";
import { encode, RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import { invitationsIn } from "../store/invitations.ts";
import { noticesIn } from "../store/notices.ts";
import { registrationsIn } from "../store/registrations.ts";
import { deviceNamed, hostNamed, keyOf, NOW } from "../store/samples.contract.ts";
import { onBoth } from "../store/stores.contract.ts";
import { setHostAccount } from "./host-account.ts";
import {
  addHost,
  ask,
  authOf,
  codeOf,
  emailOf,
  endorsementOf,
  get,
  labelOf,
  openWorld,
  publicKeyOf,
  SECRET,
  signIn,
  signingKeyOf,
  signUp,
  signUpOf,
  socketOf,
  stretchingOf,
  type World,
} from "./people.contract.ts";
import { makeAccounts } from "./accounts.ts";

const AT_ONCE = 20;
const kinds = (notices: readonly Notice[]) => notices.map(({ kind }) => kind);

onBoth((open) => {
  const read = async (world: World, caller: ReturnType<typeof socketOf>) =>
    get(world.accounts, caller, "account.read", {});

  describe("an account", () => {
    it("is made on a device, which is signed in by that", async () => {
      await using world = await openWorld(open);
      const phone = socketOf("phone");
      const { session } = await get(world.accounts, phone, "account.signUp", await signUpOf("ann", "phone"));
      assert.equal((await world.sessions.use(session.session, phone.key, phone.from)).kind, "good");
      assert.deepEqual(await read(world, phone), {
        email: emailOf("ann"),
        account: publicKeyOf("ann"),
        devices: [{ key: phone.key, label: labelOf("phone"), created: NOW, seen: NOW, self: true }],
        hosts: [],
        notices: [{ at: NOW, kind: "signed_in", key: phone.key, from: "192.0.0.0/16" }],
      });
      assert.deepEqual(kinds(world.told.map(([, notice]) => notice)), ["signed_in"]);
    });

    it("is opened on another device by its passphrase, which is then one of its devices", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const tablet = socketOf("tablet", "2001:db8::7");
      const { stretching } = await get(world.other, tablet, "account.begin", { email: " ANN@mail.Example " });
      assert.deepEqual(stretching, stretchingOf("ann"));
      const opened = await get(world.other, tablet, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      assert.deepEqual(opened, { account: publicKeyOf("ann"), sealed: labelOf("ann by passphrase") });
      assert.equal(await codeOf(world.other, tablet, "account.read", {}), "not_signed_in");
      const { session } = await get(world.other, tablet, "account.enrol", {
        endorsement: await endorsementOf("ann", "tablet"),
        label: labelOf("tablet"),
      });
      assert.equal((await world.sessions.use(session.session, tablet.key, tablet.from)).kind, "good");
      const { devices, notices } = await read(world, tablet);
      assert.deepEqual(
        new Map(devices.map(({ key, self }) => [key, self])),
        new Map([
          [publicKeyOf("phone"), false],
          [publicKeyOf("tablet"), true],
        ]),
      );
      assert.ok(
        notices.some(({ kind, key, from }) => kind === "signed_in" && key === tablet.key && from === "2001:db8::/32"),
      );
    });

    it("is opened by its recovery code, and gets another passphrase by that", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const tablet = socketOf("tablet");
      const email = emailOf("ann");
      // One does not open what the other does.
      assert.equal(
        await codeOf(world.accounts, tablet, "account.recover", { email, auth: authOf("ann") }),
        "wrong_passphrase",
      );
      const code = authOf("ann", "recovery");
      assert.equal(await codeOf(world.accounts, tablet, "account.signIn", { email, auth: code }), "wrong_passphrase");
      const opened = await get(world.accounts, tablet, "account.recover", { email, auth: code });
      assert.deepEqual(opened, { account: publicKeyOf("ann"), sealed: labelOf("ann by recovery") });
      const enrolled = { endorsement: await endorsementOf("ann", "tablet"), label: labelOf("tablet") };
      await get(world.accounts, tablet, "account.enrol", enrolled);
      const lock = { auth: authOf("ann", "new"), sealed: labelOf("sealed anew") };
      await get(world.accounts, tablet, "account.change", { stretching: stretchingOf("new"), lock });
      assert.deepEqual((await get(world.accounts, tablet, "account.begin", { email })).stretching, stretchingOf("new"));
      assert.equal(
        await codeOf(world.accounts, socketOf("x"), "account.signIn", { email, auth: authOf("ann") }),
        "wrong_passphrase",
      );
      const again = await get(world.accounts, socketOf("x"), "account.signIn", { email, auth: lock.auth });
      assert.equal(again.sealed, lock.sealed);
      assert.deepEqual(kinds((await read(world, tablet)).notices).toSorted(), [
        "passphrase_changed",
        "recovered",
        "signed_in",
        "signed_in",
      ]);
    });

    it("keeps nothing that opens it, and no address", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      await signIn(world, "ann", "tablet", "203.0.113.77");
      await codeOf(world.accounts, phone, "account.signIn", { email: emailOf("ann"), auth: authOf("ann", "wrong") });
      await codeOf(world.accounts, phone, "account.signIn", { email: emailOf("nobody"), auth: authOf("nobody") });
      const stored = JSON.stringify(await world.stored());
      for (const secret of [
        authOf("ann"),
        authOf("ann", "recovery"),
        authOf("ann", "wrong"),
        emailOf("nobody"),
        "203.0.113",
      ])
        assert.ok(!stored.includes(secret), secret);
      assert.ok(stored.includes(emailOf("ann")) && stored.includes("203.0.0.0/16"));
    });

    it("of an e-mail that there is not is stretched as if there were, the same at every time and node", async () => {
      await using world = await openWorld(open);
      const { memory, passes } = newStretching(new Uint8Array(16));
      const begun = async (node: World["accounts"], email: string) =>
        (await get(node, socketOf("x"), "account.begin", { email })).stretching;
      const first = await begun(world.accounts, emailOf("nobody"));
      assert.deepEqual({ ...first, salt: "" }, { salt: "", memory, passes });
      assert.ok(v.is(Stretching, first));
      world.now += 365 * 24 * 3_600_000;
      assert.deepEqual(await begun(world.other, " Nobody@mail.example"), first);
      assert.notEqual((await begun(world.other, emailOf("somebody"))).salt, first.salt);
      const elsewhere = makeAccounts({
        ...world,
        secret: `${SECRET}!`,
        registration: "open",
        now: () => world.now,
        connected: () => false,
        ended() {},
        told() {},
        failed: assert.fail,
      });
      assert.notEqual((await begun(elsewhere, emailOf("nobody"))).salt, first.salt);
      // Nothing is stored for having been asked.
      assert.deepEqual(await world.stored("account", "attempt"), { account: [], attempt: [] });
    });

    it("has an e-mail and a key of its own, however many want them at once", async () => {
      await using world = await openWorld(open);
      const wanted = await signUpOf("ann", "device 0");
      const codes = await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, at) => {
          const own = await signUpOf(`person ${at}`, `device ${at}`);
          const node = at % 2 === 0 ? world.accounts : world.other;
          return codeOf(node, socketOf(`device ${at}`, `10.0.0.${at}`), "account.signUp", {
            ...own,
            email: wanted.email,
          });
        }),
      );
      assert.deepEqual(
        codes.toSorted(),
        [...Array.from({ length: AT_ONCE - 1 }, () => "email_taken"), "ok"].toSorted(),
      );
      const [account] = await world.database.query<{ key: string }>("SELECT key FROM account");
      assert.equal((await world.database.query("SELECT key FROM registration")).length, 1);
      const person = codes.indexOf("ok");
      assert.equal(account?.key, publicKeyOf(`person ${person}`));
      const again = { ...(await signUpOf(`person ${person}`, "laptop")), email: emailOf("other") };
      assert.equal(await codeOf(world.accounts, socketOf("laptop"), "account.signUp", again), "email_taken");
    });
  });

  describe("who may be new", () => {
    it("is nobody where the relay is closed, but an account's further devices", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const closed = makeAccounts({
        ...world,
        secret: SECRET,
        registration: "closed",
        now: () => world.now,
        connected: () => false,
        ended() {},
        told() {},
        failed: assert.fail,
      });
      assert.equal(await codeOf(closed, socketOf("x"), "account.signUp", await signUpOf("bob", "x")), "closed");
      const tablet = socketOf("tablet");
      await get(closed, tablet, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      await get(closed, tablet, "account.enrol", {
        endorsement: await endorsementOf("ann", "tablet"),
        label: labelOf("t"),
      });
    });

    it("is who was invited to make an account, once, and not for an e-mail that is taken", async () => {
      await using world = await openWorld(open, "invitation");
      const invitations = invitationsIn(world.database);
      const tried = async (person: string, invitation?: string) =>
        codeOf(world.accounts, socketOf(`${person} phone`), "account.signUp", {
          ...(await signUpOf(person, `${person} phone`)),
          ...(invitation === undefined ? {} : { invitation }),
        });
      assert.equal(await tried("ann"), "not_invited");
      assert.equal(await tried("ann", "0000-0000-0000-0000"), "not_invited");
      assert.equal(await tried("ann", await invitations.make("host", NOW + 1)), "not_invited");
      assert.equal(await tried("ann", await invitations.make("account", NOW)), "not_invited");
      const code = await invitations.make("account", NOW + 1);
      assert.equal(await tried("ann", code), "ok");
      assert.equal(await tried("bob", code), "not_invited");
      const either = await invitations.make("either", NOW + 1);
      assert.equal(await tried("ann", either), "email_taken");
      // An e-mail is not asked after without an invitation.
      assert.equal(await tried("ann", "0000-0000-0000-0000"), "not_invited");
      assert.equal(await tried("bob", either), "ok");
    });

    it("is one of all who come with one invitation at once", async () => {
      await using world = await openWorld(open, "invitation");
      const invitation = await invitationsIn(world.database).make("account", NOW + 1);
      const codes = await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, at) =>
          codeOf(at % 2 === 0 ? world.accounts : world.other, socketOf(`d${at}`, `10.0.0.${at}`), "account.signUp", {
            ...(await signUpOf(`p${at}`, `d${at}`)),
            invitation,
          }),
        ),
      );
      assert.equal(codes.filter((code) => code === "ok").length, 1);
      assert.equal((await world.database.query("SELECT key FROM account")).length, 1);
    });
  });

  describe("a device of an account", () => {
    it("renews its session, and keeps the newest that it was given", async () => {
      await using world = await openWorld(open);
      const phone = socketOf("phone");
      const first = await get(world.accounts, phone, "account.signUp", await signUpOf("ann", "phone"));
      await get(world.accounts, phone, "account.kept", {});
      const second = await get(world.accounts, phone, "account.renew", { session: first.session.session });
      assert.deepEqual(await get(world.other, phone, "account.renew", { session: first.session.session }), second);
      await get(world.accounts, phone, "account.kept", {});
      await get(world.accounts, phone, "account.kept", {});
      world.now += 60_000;
      assert.equal(await codeOf(world.accounts, phone, "account.renew", { session: keyOf("none") }), "not_signed_in");
      await get(world.accounts, phone, "account.renew", { session: second.session.session });
      assert.deepEqual(world.ended, []);
      // The first is replaced: there are two who have it.
      assert.equal(
        await codeOf(world.accounts, phone, "account.renew", { session: first.session.session }),
        "not_signed_in",
      );
      await turn();
      assert.deepEqual(world.ended, [phone.key]);
      assert.equal(await codeOf(world.accounts, phone, "account.read", {}), "not_signed_in");
      assert.equal(await codeOf(world.accounts, phone, "account.kept", {}), "not_signed_in");
      // A person signs it in anew.
      const anew = await signIn(world, "ann", "phone");
      assert.ok(kinds((await read(world, anew)).notices).includes("session_reused"));
    });

    it("has nothing to keep on a socket that was given nothing", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      assert.deepEqual(await get(world.accounts, socketOf("phone"), "account.kept", {}), {});
    });

    it("is signed in again under the same account: what it had ends, and it is listed once", async () => {
      await using world = await openWorld(open);
      const phone = socketOf("phone");
      const first = await get(world.accounts, phone, "account.signUp", await signUpOf("ann", "phone"));
      world.now += 1;
      await signIn(world, "ann", "phone");
      assert.equal((await world.sessions.use(first.session.session, phone.key, phone.from)).kind, "ended");
      const { devices } = await read(world, phone);
      assert.deepEqual(
        devices.map(({ key, created }) => [key, created]),
        [[phone.key, NOW]],
      );
      assert.deepEqual(world.ended, []);
    });

    it("goes over to another account when it is signed in there, and the first is told", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      await signIn(world, "ann", "tablet");
      await signUp(world, "bob", "laptop");
      const moved = await signIn(world, "bob", "phone");
      await turn();
      assert.deepEqual(world.ended, [phone.key]);
      assert.equal((await read(world, moved)).account, publicKeyOf("bob"));
      const { devices, notices } = await read(world, socketOf("tablet"));
      assert.deepEqual(
        devices.map(({ key }) => key),
        [publicKeyOf("tablet")],
      );
      assert.ok(notices.some(({ kind, key }) => kind === "device_removed" && key === phone.key));
    });

    it("is not more than there is room for, however many come at once", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      const account = publicKeyOf("ann");
      for (let at = 0; at < MAX_MEMBERS - 3; at++)
        await registrationsIn(world.database).put({ ...deviceNamed(`device ${at}`), account, label: "x" });
      const sockets = Array.from({ length: AT_ONCE }, (_, at) => socketOf(`late ${at}`));
      for (const socket of sockets)
        await get(world.accounts, socket, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      const codes = await Promise.all(
        sockets.map(async (socket, at) =>
          codeOf(at % 2 === 0 ? world.accounts : world.other, socket, "account.enrol", {
            endorsement: await endorsementOf("ann", `late ${at}`),
            label: "x",
          }),
        ),
      );
      assert.equal(codes.filter((code) => code === "ok").length, 2);
      assert.equal(codes.filter((code) => code === "too_many").length, AT_ONCE - 2);
      // One that is in is signed in again nevertheless.
      await signIn(world, "ann", "phone");
    });

    it("is removed by another, or by itself, and its sockets with it, after the answer", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      const tablet = await signIn(world, "ann", "tablet");
      const { session } = await get(world.accounts, tablet, "account.enrol", {
        endorsement: await endorsementOf("ann", "tablet"),
        label: "t",
      });
      await get(world.accounts, phone, "account.removeDevice", { key: tablet.key });
      assert.deepEqual(world.ended, [tablet.key]);
      assert.equal((await world.sessions.use(session.session, tablet.key, tablet.from)).kind, "ended");
      assert.equal((await world.sessions.begin(tablet.key, tablet.from)).kind, "unregistered");
      assert.equal(await codeOf(world.accounts, tablet, "account.read", {}), "not_signed_in");
      assert.equal(await codeOf(world.accounts, phone, "account.removeDevice", { key: tablet.key }), "not_found");
      assert.ok(
        (await read(world, phone)).notices.some(({ kind, key }) => kind === "device_removed" && key === tablet.key),
      );
      await get(world.accounts, phone, "account.removeDevice", { key: phone.key });
      assert.deepEqual(world.ended, [tablet.key]);
      await turn();
      assert.deepEqual(world.ended, [tablet.key, phone.key]);
      assert.equal(await codeOf(world.accounts, phone, "account.read", {}), "not_signed_in");
      // The account is still there for whoever has the passphrase.
      await signIn(world, "ann", "phone");
    });

    it("signs out all others, and none of another account", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      for (const device of ["tablet", "laptop"]) await signIn(world, "ann", device);
      const bobs = await signUp(world, "bob", "bobs phone");
      await addHost(world, "desk", "ann");
      assert.deepEqual(await get(world.accounts, phone, "account.signOutOthers", {}), { ended: 2 });
      assert.deepEqual(world.ended.toSorted(), [publicKeyOf("laptop"), publicKeyOf("tablet")].toSorted());
      assert.deepEqual(await get(world.accounts, phone, "account.signOutOthers", {}), { ended: 0 });
      assert.equal((await read(world, phone)).devices.length, 1);
      assert.equal((await read(world, bobs)).devices.length, 1);
      assert.equal((await registrationsIn(world.database).byKey(publicKeyOf("desk")))?.account, publicKeyOf("ann"));
      assert.equal(kinds((await read(world, phone)).notices).filter((kind) => kind === "device_removed").length, 1);
    });

    it("is gone in the middle of others' removing each other: one of them is left", async () => {
      await using world = await openWorld(open);
      const devices = ["phone", "tablet", "laptop", "desk"];
      await signUp(world, "ann", "phone");
      for (const device of devices.slice(1)) await signIn(world, "ann", device);
      const codes = await Promise.all(
        devices.flatMap((one) =>
          devices
            .filter((other) => other !== one)
            .map((other, at) =>
              codeOf(at % 2 === 0 ? world.accounts : world.other, socketOf(one), "account.removeDevice", {
                key: publicKeyOf(other),
              }),
            ),
        ),
      );
      assert.ok(
        codes.every((code) => ["ok", "not_found", "not_signed_in"].includes(code)),
        codes.join(" "),
      );
      assert.equal(codes.filter((code) => code === "ok").length, devices.length - 1);
      assert.equal((await world.database.query("SELECT key FROM registration")).length, 1);
      assert.deepEqual(world.failed, []);
    });
  });

  describe("a host of an account", () => {
    it("is listed once it is named, with whether it is there, until it is removed", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      const desk = await addHost(world, "desk", "ann");
      assert.deepEqual((await read(world, phone)).hosts, []);
      await get(world.accounts, phone, "account.putHost", { ...desk, label: labelOf("desk") });
      const listed = { ...desk, label: labelOf("desk"), created: NOW, connected: false };
      assert.deepEqual((await read(world, phone)).hosts, [listed]);
      world.connected.add(desk.rendezvous);
      await get(world.accounts, phone, "account.putHost", { ...desk, label: labelOf("new") });
      assert.deepEqual((await read(world, phone)).hosts, [{ ...listed, label: labelOf("new"), connected: true }]);
      await get(world.accounts, phone, "account.removeHost", { host: desk.host });
      assert.deepEqual((await read(world, phone)).hosts, []);
      assert.equal(await codeOf(world.accounts, phone, "account.removeHost", { host: desk.host }), "not_found");
      assert.equal(await codeOf(world.accounts, phone, "account.putHost", { ...desk, label: "x" }), "not_found");
      // It is still a host of this relay.
      assert.equal((await registrationsIn(world.database).byKey(publicKeyOf("desk")))?.rendezvous, desk.rendezvous);
    });

    it("is one by the account's word for it at its rendezvous, and for as long as it says so", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      await signUp(world, "bob", "laptop");
      const { database } = world;
      const key = publicKeyOf("desk");
      const { rendezvous } = await addHost(world, "desk", "ann");
      const word = async (person: string, host: string, where: string) => ({
        key: publicKeyOf(person),
        endorsement: toBase64Url(await endorseHost(signingKeyOf(person), signingKeyOf(host).publicKey, where)),
      });
      const good = await word("ann", "desk", rendezvous);
      for (const bad of [
        await word("ann", "other", rendezvous),
        await word("ann", "desk", "x".repeat(16)),
        await word("stranger", "desk", rendezvous),
        { ...good, key: publicKeyOf("bob") },
        { ...good, endorsement: "A".repeat(86) },
        { ...good, key: "A".repeat(43) },
      ]) {
        assert.equal(await setHostAccount(database, key, good), publicKeyOf("ann"));
        assert.equal(await setHostAccount(database, key, bad), undefined);
        assert.equal((await registrationsIn(database).byKey(key))?.account, undefined);
      }
      assert.equal(await setHostAccount(database, key, good), publicKeyOf("ann"));
      assert.equal(await setHostAccount(database, key, undefined), undefined);
      assert.equal((await registrationsIn(database).byKey(key))?.account, undefined);
      // Neither a device nor a stranger is a host.
      assert.equal(
        await setHostAccount(database, publicKeyOf("phone"), await word("ann", "phone", rendezvous)),
        undefined,
      );
      assert.equal(
        await setHostAccount(database, publicKeyOf("none"), await word("ann", "none", rendezvous)),
        undefined,
      );
      assert.equal((await registrationsIn(database).byKey(publicKeyOf("phone")))?.account, publicKeyOf("ann"));
    });

    it("is not more than there is room for", async () => {
      await using world = await openWorld(open);
      await signUp(world, "ann", "phone");
      for (let at = 1; at < MAX_MEMBERS; at++)
        await registrationsIn(world.database).put({ ...hostNamed(`host${at}`), account: publicKeyOf("ann") });
      await assert.rejects(addHost(world, "desk", "ann"));
      await registrationsIn(world.database).remove(keyOf("host1"));
      await addHost(world, "desk", "ann");
      // One that is in stays in.
      await addHost(world, "desk", "ann");
    });
  });

  describe("what is dangerous", () => {
    it("needs the passphrase once more, of a moment ago and on the same socket", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      const email = emailOf("ann");
      const recovery = { auth: authOf("ann", "new code"), sealed: "x" };
      assert.equal(await codeOf(world.accounts, phone, "account.change", { recovery }), "not_fresh");
      await get(world.accounts, phone, "account.signIn", { email, auth: authOf("ann") });
      assert.equal(await codeOf(world.accounts, socketOf("phone"), "account.change", { recovery }), "not_fresh");
      world.now += FRESH_MS;
      assert.equal(await codeOf(world.accounts, phone, "account.change", { recovery }), "not_fresh");
      assert.equal(await codeOf(world.accounts, phone, "account.delete", {}), "not_fresh");
      await get(world.accounts, phone, "account.signIn", { email, auth: authOf("ann") });
      world.now += FRESH_MS - 1;
      await get(world.accounts, phone, "account.change", { recovery });
      assert.equal(
        await codeOf(world.accounts, socketOf("x"), "account.recover", { email, auth: authOf("ann", "recovery") }),
        "wrong_passphrase",
      );
      await get(world.accounts, socketOf("x"), "account.recover", { email, auth: recovery.auth });
    });

    it("is not done, and no device is added, on a socket that opened a lock which was changed since", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      const email = emailOf("ann");
      const thief = socketOf("thief");
      for (const caller of [phone, thief])
        await get(world.accounts, caller, "account.signIn", { email, auth: authOf("ann") });
      const changed = { stretching: stretchingOf("new"), lock: { auth: authOf("ann", "new"), sealed: "x" } };
      await get(world.accounts, phone, "account.change", changed);
      const enrolled = { endorsement: await endorsementOf("ann", "thief"), label: "x" };
      assert.equal(await codeOf(world.accounts, thief, "account.enrol", enrolled), "not_signed_in");
      // Who changed it goes on.
      await get(world.accounts, phone, "account.change", { recovery: { auth: authOf("ann", "newest"), sealed: "x" } });
      await get(world.accounts, phone, "account.delete", {});
      assert.equal(await codeOf(world.accounts, thief, "account.enrol", enrolled), "not_signed_in");
    });

    it("changes both locks or none, and a passphrase with how it is stretched", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      await get(world.accounts, phone, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      const before = await world.stored("account", "notice");
      const lock = { auth: authOf("ann", "new"), sealed: "x" };
      for (const params of [{}, { lock }, { stretching: stretchingOf("new") }, { lock, recovery: lock }])
        assert.equal(await codeOf(world.accounts, phone, "account.change", params), "bad_params");
      assert.deepEqual(await world.stored("account", "notice"), before);
      const both = { stretching: stretchingOf("new"), lock, recovery: { auth: authOf("ann", "code"), sealed: "y" } };
      await get(world.accounts, phone, "account.change", both);
      await get(world.accounts, socketOf("x"), "account.signIn", { email: emailOf("ann"), auth: lock.auth });
      await get(world.accounts, socketOf("x"), "account.recover", { email: emailOf("ann"), auth: both.recovery.auth });
    });

    it("deletes an account with all that hangs on it, and leaves hosts and others alone", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      await signIn(world, "ann", "tablet");
      const bobs = await signUp(world, "bob", "laptop");
      await addHost(world, "desk", "ann");
      await addHost(world, "server", "bob");
      await get(world.accounts, phone, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") });
      await get(world.accounts, phone, "account.delete", {});
      await turn();
      assert.deepEqual(world.ended.toSorted(), [publicKeyOf("phone"), publicKeyOf("tablet")].toSorted());
      const { account, registration, family, notice } = await world.stored();
      assert.deepEqual(account?.length, 1);
      assert.equal(family?.length, 1);
      assert.ok(notice?.length === 1 && !JSON.stringify(notice).includes(publicKeyOf("ann")));
      assert.equal(registration?.length, 3);
      assert.ok(!JSON.stringify([registration, family]).includes(publicKeyOf("ann")));
      assert.equal((await registrationsIn(world.database).byKey(publicKeyOf("desk")))?.account, undefined);
      assert.equal((await registrationsIn(world.database).byKey(publicKeyOf("server")))?.account, publicKeyOf("bob"));
      assert.equal((await read(world, bobs)).devices.length, 1);
      for (const method of ["account.read", "account.delete", "account.kept"] as const)
        assert.equal(await codeOf(world.accounts, phone, method, {}), "not_signed_in");
      assert.equal(
        await codeOf(world.accounts, phone, "account.signIn", { email: emailOf("ann"), auth: authOf("ann") }),
        "wrong_passphrase",
      );
      // The e-mail is free again.
      await signUp(world, "ann", "phone");
    });
  });

  describe("what an account reads", () => {
    it("fits into one frame, however much there is", async () => {
      await using world = await openWorld(open);
      const email = `${"é".repeat(127)}@mail.example`.slice(0, 254);
      const phone = socketOf("phone");
      const params = { ...(await signUpOf("ann", "phone")), email, label: "x".repeat(1_024) };
      await get(world.accounts, phone, "account.signUp", params);
      const account = publicKeyOf("ann");
      for (let at = 1; at < MAX_MEMBERS; at++)
        await registrationsIn(world.database).put({ ...hostNamed(`host${at}`), account, label: "x".repeat(1_024) });
      for (let at = 0; at < MAX_NOTICES; at++)
        await noticesIn(world.database).add(account, {
          at: NOW + at,
          kind: "passphrase_changed",
          key: phone.key,
          from: "2001:db8ff::/32",
        });
      const frame = encode({ t: "call", id: Number.MAX_SAFE_INTEGER, method: "account.read", params: {} });
      const reply = await world.accounts.callOf(frame, phone);
      assert.ok(reply.length <= RELAY_FRAME_BYTES, `${reply.length} bytes`);
      const { hosts, notices } = await read(world, phone);
      assert.deepEqual([hosts.length, notices.length], [MAX_MEMBERS - 1, MAX_NOTICES]);
    });

    it("has no notices any more once they are dismissed", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      const bobs = await signUp(world, "bob", "laptop");
      for (let time = 0; time < 2; time++) await get(world.accounts, phone, "account.dismiss", {});
      assert.deepEqual((await read(world, phone)).notices, []);
      assert.equal((await read(world, bobs)).notices.length, 1);
    });
  });

  describe("a store that is away", () => {
    it("is an answer to every call, and nothing is lost of who calls", async () => {
      await using world = await openWorld(open);
      const phone = await signUp(world, "ann", "phone");
      await world.database[Symbol.asyncDispose]();
      for (const method of ["account.read", "account.dismiss"] as const)
        assert.deepEqual(await ask(world.accounts, phone, method, {}), { code: "unavailable", after: 2_000 });
      const signedIn = await ask(world.accounts, phone, "account.signIn", {
        email: emailOf("ann"),
        auth: authOf("ann"),
      });
      assert.deepEqual(signedIn, { code: "unavailable", after: 2_000 });
      assert.equal(phone.opened, undefined);
      assert.equal(world.failed.length, 3);
    });
  });
});
