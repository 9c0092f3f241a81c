/** Devices of one account at a real relay, over real sockets, with their keys in files. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { WatchedCell } from "@flybridge/client/cell.ts";
import { nodePlatform } from "@flybridge/client/platform-node.ts";
import { type Account, openAccount } from "@flybridge/client/relay/account.ts";
import type { AccountTrust } from "@flybridge/client/relay/credentials.ts";
import type { AccountView } from "@flybridge/client/relay/standing.ts";
import { hostIdOf, signingKey } from "@flybridge/crypto/identity.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { Circuits } from "@flybridge/transport/circuits.ts";
import { openAt } from "@flybridge/transport/relay.ts";
import { type RunningRelay, startRelay } from "./relay.ts";

const EMAIL = "nora@example.org";
const PASSPHRASE = "walnut boat lamp seventeen";
const NEXT_PASSPHRASE = "violet anchor paper chimney";
const PHONE = { name: "Nora's phone", kind: "phone" } as const;
const LAPTOP = { name: "Nora's laptop", kind: "desktop" } as const;
const HOST_KEY = new Uint8Array(32).fill(7);
const IDENTITY = signingKey(new Uint8Array(32).fill(8));
const HOST = hostIdOf(HOST_KEY, IDENTITY.publicKey);
const RENDEZVOUS = "r".repeat(16);
/** Milliseconds between tries of what comes about by itself. */
const LOOK_MS = 20;

/** Resolves once what this device knows of its account is as wanted. */
function until(account: Account, what: string, met: (view: AccountView) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const cell = account.view as WatchedCell<AccountView>;
    if (met(cell.value)) return resolve();
    const late = AbortSignal.timeout(20_000);
    const stop = cell.watch((view) => {
      if (!met(view)) return;
      stop();
      resolve();
    });
    late.onabort = () => reject(new Error(`never: ${what}; ${JSON.stringify(cell.value)}`));
  });
}

const live = (account: Account): Promise<void> => {
  account.start();
  return until(account, "live", ({ state }) => state.kind === "in" && state.line?.kind === "live");
};

describe("an account", { timeout: 180_000 }, () => {
  let folder: string;
  let relay: RunningRelay;
  const open: Account[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "flybridge-account-"));
    relay = await startRelay({ env: { FLYBRIDGE_RELAY_APP: "no" } });
  });
  after(async () => {
    for (const account of open) account.close();
    await relay?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A device by its name, or the same after a restart. */
  async function device(name: string): Promise<Account> {
    const account = await openAccount(await nodePlatform({ folder: join(folder, name) }), relay.origin);
    open.push(account);
    return account;
  }

  /** What a host does that was told to trust the account. */
  async function connectHost({ account, endorsement }: AccountTrust): Promise<Circuits> {
    const { reach } = await nodePlatform({ folder: join(folder, "host") });
    const opening = { t: "host", hs: toBase64Url(HOST_KEY), rendezvous: RENDEZVOUS } as const;
    const { origin } = relay;
    const { link } = await openAt((await reach()).relay(origin), { origin, key: IDENTITY, opening });
    const host = new Circuits(link, { opened() {}, control() {}, ended() {} });
    host.tell({ t: "kept" });
    host.tell({ t: "account", account: { key: account, endorsement } });
    return host;
  }

  it("is made, opened on another device, and lists both to both", async () => {
    const laptop = await device("laptop");
    const { recoveryCode } = await laptop.signUp({ email: EMAIL, passphrase: PASSPHRASE, self: LAPTOP });
    const place = { host: HOST, rendezvous: RENDEZVOUS, name: "the mill", hostKey: toBase64Url(HOST_KEY) };
    await assert.rejects(laptop.putHost(place), { fault: "not_found", message: /connected to it/u });
    const trust = await laptop.trust(HOST, IDENTITY.publicKey, RENDEZVOUS);
    const host = await connectHost(trust);
    // The host says it, and the relay answers nothing to that.
    while (
      !(await laptop.putHost(place).then(
        () => true,
        () => false,
      ))
    )
      await setTimeout(LOOK_MS);
    const phone = await device("phone");
    await assert.rejects(phone.signIn({ email: EMAIL, passphrase: NEXT_PASSPHRASE, self: PHONE }), {
      fault: "wrong_passphrase",
    });
    await phone.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: PHONE });
    const contents = await phone.read();
    assert.deepEqual(contents.devices.map(({ name, self }) => `${name} ${self}`).sort(), [
      `${LAPTOP.name} false`,
      `${PHONE.name} true`,
    ]);
    const [listed] = contents.hosts;
    assert.deepEqual([listed?.name, listed?.hostKey, listed?.connected], ["the mill", toBase64Url(HOST_KEY), true]);
    host.close("seen");
    const pairing = await phone.pairing(HOST, new Uint8Array(32).fill(5), async (one) => one);
    assert.equal(trust.pairing, toBase64Url(pairing.secret));
    await until(laptop, "a word of the other sign-in", ({ notices }) =>
      notices.some(({ kind }) => kind === "signed_in"),
    );

    // Nothing of it is anywhere at the relay.
    const kept = readdirSync(relay.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
    assert.ok(kept.includes(EMAIL), "what it keeps was looked at");
    for (const word of [
      PASSPHRASE,
      recoveryCode,
      LAPTOP.name,
      PHONE.name,
      "the mill",
      toBase64Url(HOST_KEY),
      trust.pairing,
    ])
      assert.ok(!kept.includes(word) && !relay.log().includes(word), `the relay has ${word}`);
  });

  it("is there after a restart of the device, and in two windows at once", async () => {
    for (const account of open.splice(0)) account.close();
    const windows = await Promise.all([device("laptop"), device("laptop"), device("laptop")]);
    await Promise.all(windows.map(live));
    for (const window of windows) assert.equal((await window.read()).email, EMAIL);
  });

  it("goes on where its relay was killed and started again", async () => {
    const [laptop] = open;
    await relay.kill();
    await until(laptop!, "away", ({ state }) => state.kind === "in" && state.line?.kind === "away");
    await relay.restart();
    laptop!.wake();
    await live(laptop!);
    assert.equal((await laptop!.read()).devices.length, 2);
  });

  it("[D47] ends a sign-in that was used from somewhere else, until a person signs in again", async () => {
    const [laptop] = open;
    const kept = await (await nodePlatform({ folder: join(folder, "laptop") })).keys.kept(`account ${relay.origin}`);
    // Somebody who is known to the relay, and shows what they took from the laptop with their own key.
    const thief = await device("thief");
    await thief.signUp({ email: "thief@example.org", passphrase: PASSPHRASE, self: PHONE });
    thief.close();
    const { keys } = await nodePlatform({ folder: join(folder, "thief") });
    await keys.keepText(`account ${relay.origin}`, kept);
    (await device("thief")).start();
    await until(laptop!, "ended", ({ state }) => state.kind === "ended" && state.reason === "session_reused");
    const { state } = laptop!.view.value;
    assert.match(
      state.kind === "ended" ? state.message : "",
      /^This sign-in was used from somewhere else; it was ended\./u,
    );
    await laptop!.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: LAPTOP });
    await until(laptop!, "the notice of it", ({ notices }) => notices.some(({ kind }) => kind === "session_reused"));
    await laptop!.dismiss();
    assert.deepEqual((await laptop!.read()).notices, []);
  });

  it("takes another passphrase, another recovery code, and opens by that", async () => {
    const laptop = await device("laptop");
    await assert.rejects(laptop.changePassphrase(NEXT_PASSPHRASE, PASSPHRASE), { fault: "wrong_passphrase" });
    await laptop.changePassphrase(PASSPHRASE, NEXT_PASSPHRASE);
    const { recoveryCode } = await laptop.newRecoveryCode(NEXT_PASSPHRASE);
    const tablet = await device("tablet");
    const what = { email: EMAIL, passphrase: PASSPHRASE, self: { name: "Nora's tablet", kind: "phone" } } as const;
    await tablet.recover({ ...what, code: recoveryCode });
    assert.equal((await tablet.read()).devices.length, 3);
    const other = await device("other");
    await assert.rejects(other.recover({ ...what, code: recoveryCode }), { fault: "wrong_passphrase" });
    await other.signIn(what);
    assert.deepEqual(await other.signOut(), { ended: true });
  });

  it("ends on the others, where one says so, and altogether", async () => {
    const [laptop, phone, tablet] = await Promise.all([device("laptop"), device("phone"), device("tablet")]);
    await Promise.all([laptop, phone, tablet].map(live));
    await laptop.removeDevice((await phone.read()).devices.find(({ self }) => self)!.key);
    await until(phone, "the phone is out", ({ state }) => state.kind === "ended" && state.reason === "signed_out");
    assert.equal(await laptop.signOutOthers(), 1);
    await until(tablet, "the tablet is out", ({ state }) => state.kind === "ended");
    await assert.rejects(laptop.deleteAccount(NEXT_PASSPHRASE), { fault: "wrong_passphrase" });
    await laptop.deleteAccount(PASSPHRASE);
    assert.deepEqual(laptop.view.value.state, { kind: "out" });
    await assert.rejects(laptop.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: LAPTOP }), {
      fault: "wrong_passphrase",
    });
  });
});
