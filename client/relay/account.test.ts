import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accountKeys, pairingOfferOf } from "@flybridge/crypto/account.ts";
import { isEndorsedHost, isEndorsedPairing } from "@flybridge/crypto/proof.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import { type FakeClock, fakeClock } from "@flybridge/transport/fake-clock.ts";
import { memoryKeys } from "../keys-memory.contract.ts";
import type { Keys } from "../keys.ts";
import { seededRandom } from "../small-host.contract.ts";
import { StoreError } from "../store.ts";
import { type Account, openAccount } from "./account.ts";
import { keptAccount } from "./kept-account.ts";
import { smallDevice } from "./small-device.contract.ts";
import { ORIGIN, SESSION_MS, SmallRelay } from "./small-relay.contract.ts";

const EMAIL = "nora@example.org";
const PASSPHRASE = "walnut boat lamp seventeen";
const NEXT_PASSPHRASE = "violet anchor paper chimney";
const HOUR_MS = 3_600_000;
/** Milliseconds of the fake clock between looks. */
const LOOK_MS = 5;
const MOST_LOOKS = 20_000;
const HOST = "h".repeat(56);
const RENDEZVOUS = "r".repeat(16);
const HOST_KEY = toBase64Url(new Uint8Array(32).fill(7));
const PHONE = { name: "Nora's phone", kind: "phone" } as const;
const LAPTOP = { name: "Nora's laptop", kind: "desktop" } as const;

/**
 * Stretching a passphrase makes breaks, which are as long as this machine is busy; meanwhile the test's clock would run away.
 * Here it makes none: no time passes by that clock while it is at work.
 */
Object.assign(globalThis, { scheduler: { yield: () => Promise.resolve() } });

/** A relay, and as many devices as a test wants; each may have several windows, and be copied. */
class World {
  readonly clock: FakeClock = fakeClock();
  readonly relay = new SmallRelay(this.clock, seededRandom(99));
  #seed = 0;
  readonly #open: Account[] = [];
  /** The network came back. */
  awake: () => void = () => {};

  device(): Keys {
    this.#seed += 1;
    return memoryKeys(seededRandom(this.#seed));
  }

  /** A window of a device, or the device after a restart. */
  async window(keys: Keys): Promise<Account> {
    this.#seed += 1;
    const platform = smallDevice(this.relay, {
      clock: this.clock,
      keys,
      seed: this.#seed,
      onNetwork: (awake) => {
        this.awake = awake;
      },
    });
    const account = await openAccount(platform, ORIGIN);
    this.#open.push(account);
    return account;
  }

  /** What a promise comes to, while time goes on. */
  async outcome<T>(promise: Promise<T>): Promise<T> {
    let isDone = false;
    promise.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    for (let look = 0; look < MOST_LOOKS && !isDone; look += 1) await this.clock.turn(LOOK_MS);
    assert.ok(isDone, "it never came to anything");
    return promise;
  }

  async until(what: string, met: () => boolean): Promise<void> {
    for (let look = 0; look < MOST_LOOKS && !met(); look += 1) await this.clock.turn(LOOK_MS);
    assert.ok(met(), `never: ${what}`);
  }

  async live(account: Account): Promise<void> {
    account.start();
    await this.until("live", () => isLive(account));
  }

  async signedUp(keys = this.device()): Promise<{ keys: Keys; account: Account; recoveryCode: string }> {
    const account = await this.window(keys);
    const signing = account.signUp({ email: ` ${EMAIL.toUpperCase()}\n`, passphrase: PASSPHRASE, self: LAPTOP });
    const { recoveryCode } = await this.outcome(signing);
    await this.live(account);
    return { keys, account, recoveryCode };
  }

  async signedIn(keys = this.device()): Promise<{ keys: Keys; account: Account }> {
    const account = await this.window(keys);
    await this.outcome(account.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: PHONE }));
    await this.live(account);
    return { keys, account };
  }

  close(): void {
    for (const account of this.#open) account.close();
    this.relay.cut();
  }
}

function isLive(account: Account): boolean {
  const { state } = account.view.value;
  return state.kind === "in" && state.line?.kind === "live";
}

function story(name: string, tell: (world: World) => Promise<void>): void {
  it(name, { timeout: 120_000 }, async () => {
    const world = new World();
    try {
      await tell(world);
    } finally {
      world.close();
    }
  });
}

describe("an account at a relay", () => {
  story("is made with a passphrase that no relay sees, and is there after a restart", async (world) => {
    const { keys, account, recoveryCode } = await world.signedUp();
    assert.match(recoveryCode, /^(?:[0-9a-z]{9}-){3}[0-9a-z]{9}$/u);
    await world.outcome(account.putHost({ host: HOST, rendezvous: RENDEZVOUS, name: "the mill", hostKey: HOST_KEY }));
    const kept = await keptAccount(keys, ORIGIN);
    assert.ok(kept?.kind === "in");
    assert.equal(kept.email, EMAIL);
    for (const word of [PASSPHRASE, recoveryCode, kept.secret, LAPTOP.name, "the mill", HOST_KEY])
      assert.ok(!world.relay.heard.includes(word), `the relay heard ${word}`);
    assert.ok(world.relay.heard.includes(EMAIL), "what it heard was looked at");

    account.close();
    const later = await world.window(keys);
    assert.deepEqual(later.view.value.state, { kind: "in", email: EMAIL });
    const contents = await world.outcome(later.read());
    assert.equal(contents.email, EMAIL);
    assert.deepEqual(
      contents.devices.map(({ name, kind, self }) => ({ name, kind, self })),
      [{ ...LAPTOP, self: true }],
    );
    assert.deepEqual(
      contents.hosts.map(({ host, rendezvous, name, hostKey }) => ({ host, rendezvous, name, hostKey })),
      [{ host: HOST, rendezvous: RENDEZVOUS, name: "the mill", hostKey: HOST_KEY }],
    );
    await world.outcome(later.removeHost(HOST));
    assert.deepEqual((await world.outcome(later.read())).hosts, []);
  });

  story("is opened on another device, and gives both the same with a host", async (world) => {
    const first = await world.signedUp();
    const second = await world.signedIn();
    const { devices } = await world.outcome(second.account.read());
    assert.deepEqual(
      devices.map(({ name, self }) => [name, self]),
      [
        [LAPTOP.name, false],
        [PHONE.name, true],
      ],
    );
    const ds = new Uint8Array(32).fill(5);
    const hi = new Uint8Array(32).fill(6);
    const trust = await first.account.trust(HOST, hi, RENDEZVOUS);
    const pairing = await world.outcome(second.account.pairing(HOST, ds, async (one) => one));
    const account = fromBase64Url(trust.account, 32)!;
    assert.equal(toBase64Url(pairing.secret), trust.pairing);
    assert.deepEqual(pairing.offer, pairingOfferOf(account, HOST));
    assert.ok(isEndorsedPairing(account, fromBase64Url(pairing.endorsement, 64)!, ds, HOST));
    assert.ok(isEndorsedHost(account, fromBase64Url(trust.endorsement, 64)!, hi, RENDEZVOUS));
    assert.equal(trust.origin, ORIGIN);
    const kept = await keptAccount(second.keys, ORIGIN);
    assert.ok(kept?.kind === "in");
    assert.equal(pairing.session, kept.session?.session);
    assert.equal(toBase64Url(accountKeys(fromBase64Url(kept.secret, 32)!).key.publicKey), trust.account);
  });

  story("says what is wrong with what was typed, before it says anything to a relay", async (world) => {
    const account = await world.window(world.device());
    const self = PHONE;
    const wrong: [() => Promise<unknown>, string][] = [
      [() => account.signUp({ email: "nora", passphrase: PASSPHRASE, self }), "bad_email"],
      [() => account.signUp({ email: EMAIL, passphrase: "password123!", self }), "weak_passphrase"],
      [() => account.signUp({ email: EMAIL, passphrase: "nora@example.org", self }), "weak_passphrase"],
      [() => account.recover({ email: EMAIL, passphrase: "short", code: "x", self }), "weak_passphrase"],
      [() => account.recover({ email: EMAIL, passphrase: PASSPHRASE, code: "x", self }), "mistyped_code"],
      [() => account.read(), "not_signed_in"],
      [() => account.pairing(HOST, new Uint8Array(32), async () => {}), "not_signed_in"],
      [() => account.deleteAccount(PASSPHRASE), "not_signed_in"],
    ];
    for (const [asked, fault] of wrong)
      await assert.rejects(world.outcome(asked()), { name: "AccountError", fault, message: /\.$/u }, fault);
    assert.equal(world.relay.openings, 0);

    await world.signedUp();
    await assert.rejects(world.outcome(account.signIn({ email: EMAIL, passphrase: "another one", self })), {
      fault: "wrong_passphrase",
    });
    await assert.rejects(world.outcome(account.signIn({ email: "no@example.org", passphrase: PASSPHRASE, self })), {
      fault: "wrong_passphrase",
    });
    await assert.rejects(world.outcome(account.signUp({ email: EMAIL, passphrase: PASSPHRASE, self })), {
      fault: "email_taken",
      message: /Sign in instead/u,
    });
    assert.deepEqual(account.view.value.state, { kind: "out" });
    assert.equal(world.relay.connected, 1, "no connection was left over");
  });

  story("opens by the recovery code, which is used up with it", async (world) => {
    const { account: first, recoveryCode } = await world.signedUp();
    const account = await world.window(world.device());
    const recover = (code: string) =>
      world.outcome(account.recover({ email: EMAIL, code, passphrase: NEXT_PASSPHRASE, self: PHONE }));
    const { recoveryCode: next } = await recover(recoveryCode.toUpperCase().replaceAll("-", " "));
    assert.notEqual(next, recoveryCode);
    await world.live(account);
    assert.equal((await world.outcome(account.read())).devices.length, 2);
    assert.equal((await world.outcome(first.read())).devices.length, 2, "the first device is still in");

    const third = await world.window(world.device());
    const signIn = (passphrase: string) => world.outcome(third.signIn({ email: EMAIL, passphrase, self: PHONE }));
    await assert.rejects(signIn(PASSPHRASE), { fault: "wrong_passphrase" });
    await signIn(NEXT_PASSPHRASE);
    await assert.rejects(recover(recoveryCode), { fault: "wrong_passphrase" });
    await recover(next);
  });

  story("takes another passphrase and another recovery code, for the one it has", async (world) => {
    const { account, recoveryCode } = await world.signedUp();
    await assert.rejects(world.outcome(account.changePassphrase("not this one", NEXT_PASSPHRASE)), {
      fault: "wrong_passphrase",
    });
    await assert.rejects(world.outcome(account.changePassphrase(PASSPHRASE, "short")), { fault: "weak_passphrase" });
    await world.outcome(account.changePassphrase(PASSPHRASE, NEXT_PASSPHRASE));
    await assert.rejects(world.outcome(account.newRecoveryCode(PASSPHRASE)), { fault: "wrong_passphrase" });
    const { recoveryCode: next } = await world.outcome(account.newRecoveryCode(NEXT_PASSPHRASE));
    const other = await world.window(world.device());
    const recover = (code: string) =>
      world.outcome(other.recover({ email: EMAIL, code, passphrase: PASSPHRASE, self: PHONE }));
    await assert.rejects(recover(recoveryCode), { fault: "wrong_passphrase" });
    await recover(next);
    assert.ok(isLive(account), "nobody was signed out by it");
  });

  story("is left by signing out here, on the others, or altogether", async (world) => {
    const first = await world.signedUp();
    const second = await world.signedIn();
    const third = await world.signedIn();
    assert.deepEqual(await world.outcome(third.account.signOut()), { ended: true });
    assert.deepEqual(third.account.view.value.state, { kind: "out" });
    assert.equal(await keptAccount(third.keys, ORIGIN), undefined);
    assert.equal(world.relay.registrations.size, 2);

    assert.equal(await world.outcome(first.account.signOutOthers()), 1);
    await world.until("signed out", () => second.account.view.value.state.kind === "ended");
    const { state } = second.account.view.value;
    assert.ok(state.kind === "ended" && state.reason === "signed_out");
    assert.match(state.message, /signed out.*Sign in again\.$/u);
    assert.deepEqual(await keptAccount(second.keys, ORIGIN), { kind: "ended", email: EMAIL, reason: "signed_out" });
    assert.deepEqual((await world.window(second.keys)).view.value.state, state, "also after a restart");
    await assert.rejects(world.outcome(second.account.read()), { fault: "not_signed_in" });
    await world.outcome(second.account.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: PHONE }));
    await world.live(second.account);

    const phone = toBase64Url((await second.keys.proof()).publicKey);
    await world.outcome(first.account.removeDevice(phone));
    await world.until("removed", () => second.account.view.value.state.kind === "ended");
    assert.deepEqual(await world.outcome(second.account.signOut()), { ended: false });
    assert.deepEqual(second.account.view.value.state, { kind: "out" });

    await assert.rejects(world.outcome(first.account.deleteAccount(NEXT_PASSPHRASE)), { fault: "wrong_passphrase" });
    assert.equal((await world.outcome(first.account.read())).devices.length, 1, "nothing happened by that");
    await world.outcome(first.account.deleteAccount(PASSPHRASE));
    assert.deepEqual(first.account.view.value.state, { kind: "out" });
    assert.equal(await keptAccount(first.keys, ORIGIN), undefined);
    assert.equal(world.relay.accounts.size, 0);
    assert.equal(world.relay.connected, 0);
  });

  story("is forgotten here also where the relay is away, and says that it did not hear of it", async (world) => {
    const { keys, account } = await world.signedUp();
    world.relay.away = true;
    world.relay.cut();
    assert.deepEqual(await world.outcome(account.signOut()), { ended: false });
    assert.equal(await keptAccount(keys, ORIGIN), undefined);
    assert.deepEqual(account.view.value.state, { kind: "out" });
  });
});

describe("a session at a relay", () => {
  story("is renewed for as long as the device is connected, in two windows, without an alarm", async (world) => {
    const { keys, account } = await world.signedUp();
    const other = await world.window(keys);
    // Not in step: each comes upon what the other renewed minutes ago.
    await world.clock.turn(SESSION_MS / 2);
    await world.live(other);
    const sessions = new Set<string | undefined>();
    for (let minute = 0; minute < 150; minute += 1) {
      await world.clock.turn(60_000);
      const kept = await keptAccount(keys, ORIGIN);
      sessions.add(kept?.kind === "in" ? kept.session?.session : undefined);
      assert.ok(isLive(account) && isLive(other));
    }
    assert.ok(sessions.size > 15, `${sessions.size} sessions`);
    assert.equal(world.relay.openings, 3, "nobody had to come again");
    // Others that come later begin with what is kept now.
    await world.live(await world.window(keys));
  });

  story("is followed by another after its half day, or after a night asleep", async (world) => {
    const { keys, account } = await world.signedUp();
    for (let hour = 0; hour < 13; hour += 1) for (let ten = 0; ten < 6; ten += 1) await world.clock.turn(600_000);
    await world.until("live", () => isLive(account));
    account.close();
    world.relay.cut();
    await world.clock.turn(8 * HOUR_MS);
    const later = await world.window(keys);
    await world.live(later);
    assert.equal((await world.outcome(later.read())).devices.length, 1);
    assert.equal([...world.relay.registrations.values()].filter(({ held }) => held).length, 0);
  });

  story("survives a crash at any point of its renewal", async (world) => {
    const { keys, account } = await world.signedUp();
    account.close();
    for (const lost of ["the answer", "what would be kept", "the word that it is kept"] as const) {
      let isUnlucky = false;
      const window = await world.window({
        ...keys,
        keepText(name, text) {
          if (isUnlucky && lost === "what would be kept") return Promise.reject(new StoreError("full", "no room"));
          return keys.keepText(name, text);
        },
      });
      await world.live(window);
      isUnlucky = true;
      let isLost = false;
      world.relay.tricks = {
        "account.renew": (_params, honest) => {
          const answer = honest();
          isLost ||= lost !== "the word that it is kept";
          return lost === "the answer" ? "silence" : answer;
        },
        "account.kept": (_params, honest) => {
          if (lost !== "the word that it is kept") return honest();
          isLost = true;
          return "silence";
        },
      };
      await world.clock.turn(SESSION_MS * 0.75);
      await world.until(lost, () => isLost);
      window.close();
      world.relay.cut();
      world.relay.tricks = {};
      // Comes back within the session's life, and long after it.
      for (const wait of [10_000, 60_000, SESSION_MS]) {
        await world.clock.turn(wait);
        const next = await world.window(keys);
        await world.live(next);
        next.close();
        world.relay.cut();
      }
    }
  });

  story(
    "that was copied and used elsewhere is ended on both, and says so until a person signs in again",
    async (world) => {
      const { keys, account } = await world.signedUp();
      const stolen = await keys.kept(`account ${ORIGIN}`);
      const thief = await world.window({
        ...keys,
        kept: () => Promise.resolve(stolen),
        keepText: () => Promise.resolve(),
      });
      await world.clock.turn(SESSION_MS * 0.9);
      assert.ok(isLive(account));
      thief.start();
      await world.until("the thief is told", () => thief.view.value.state.kind === "ended");
      world.relay.cut("session_reused");
      await world.until("the person is told", () => account.view.value.state.kind === "ended");
      for (const one of [account, await world.window(keys)]) {
        const { state } = one.view.value;
        assert.ok(state.kind === "ended" && state.reason === "session_reused");
        assert.match(state.message, /^This sign-in was used from somewhere else; it was ended\. Sign in again/u);
      }
      const kept = await keys.kept(`account ${ORIGIN}`);
      assert.ok(!kept?.includes("secret"), "what opens the account is gone from here");
      await world.outcome(account.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: LAPTOP }));
      await world.live(account);
    },
  );
});

describe("a relay", () => {
  story("that is away is a state with a reason, and is tried again by itself", async (world) => {
    const { account } = await world.signedUp();
    world.relay.away = true;
    world.relay.cut();
    await world.until("away", () => {
      const { state } = account.view.value;
      return state.kind === "in" && state.line?.kind === "away" && state.line.retryAt !== undefined;
    });
    const { state } = account.view.value;
    assert.ok(state.kind === "in" && state.line?.kind === "away");
    assert.match(state.line.reason, /relay\.example.*\.$/u);
    await assert.rejects(world.outcome(account.read()), { name: "AccountError", fault: "away" });
    await world.clock.turn(600_000);
    world.relay.away = false;
    await world.until("live", () => isLive(account));
    world.relay.cut("moving");
    await world.until("gone", () => !isLive(account));
    await world.until("live again", () => isLive(account));
    world.relay.refuses = "unavailable";
    world.relay.cut();
    await assert.rejects(world.outcome(account.read()), { fault: "refused", message: /cannot look up/u });
    world.relay.refuses = undefined;
    await world.until("live after all", () => isLive(account));
  });

  story("that does not answer loses the connection, and nothing that was asked is left open", async (world) => {
    const { account } = await world.signedUp();
    world.relay.tricks["account.putHost"] = () => "silence";
    const asked = account.putHost({ host: HOST, rendezvous: RENDEZVOUS, name: "x", hostKey: HOST_KEY });
    await assert.rejects(world.outcome(asked), { fault: "away", message: /does not answer\.$/u });
    await world.until("live", () => isLive(account));
    // A connection that is none any more is found out when the network is back, not by the next person who asks.
    world.relay.tricks["account.read"] = () => "silence";
    world.awake();
    await world.until("found out", () => !isLive(account));
    delete world.relay.tricks["account.read"];
    await world.until("live", () => isLive(account));
    world.relay.tricks["account.read"] = () => ({ surprise: true }) as never;
    await assert.rejects(world.outcome(account.read()), { fault: "unavailable" });
  });

  story("tells what happens to the account, once and until it is dismissed", async (world) => {
    const { account } = await world.signedUp();
    const made = world.relay.accounts.get(EMAIL)!;
    world.relay.notify(made, { at: world.relay.now, kind: "signed_in", from: "192.0" });
    await world.until("told", () => account.view.value.notices.length === 1);
    world.relay.notify(made, { at: world.relay.now, kind: "ticket_doubled" });
    await world.until("told", () => account.view.value.notices.length === 2);
    assert.deepEqual(
      account.view.value.notices.map(({ kind }) => kind),
      ["ticket_doubled", "signed_in"],
    );
    world.relay.cut();
    const other = await world.signedIn();
    await world.until("told on the other", () => other.account.view.value.notices.length === 2);
    await world.outcome(other.account.dismiss());
    assert.deepEqual(other.account.view.value.notices, []);
    assert.deepEqual((await world.outcome(other.account.read())).notices, []);
  });

  story("that is dishonest gets nothing for it", async (world) => {
    const { account } = await world.signedUp();
    const victim = await world.window(world.device());
    const signIn = () => world.outcome(victim.signIn({ email: EMAIL, passphrase: PASSPHRASE, self: PHONE }));
    const { tricks, calls } = world.relay;

    // It asks for a passphrase that is cheap to guess.
    tricks["account.begin"] = (_params, honest) => ({ stretching: { ...honest().stretching, memory: 8, passes: 1 } });
    calls.length = 0;
    await assert.rejects(signIn(), { fault: "dishonest", message: /easier to guess/u });
    assert.deepEqual(calls, ["account.begin"]);
    delete tricks["account.begin"];

    // It takes any passphrase and gives an account of its own making.
    const own = accountKeys(new Uint8Array(32).fill(1)).key.publicKey;
    for (const trick of [
      { sealed: "A".repeat(80) },
      { account: toBase64Url(own) },
      { sealed: world.relay.accounts.get(EMAIL)!.recovery.sealed },
    ]) {
      tricks["account.signIn"] = (_params, honest) => ({ ...honest(), ...trick });
      calls.length = 0;
      await assert.rejects(signIn(), { fault: "dishonest" });
      assert.ok(!calls.includes("account.enrol"));
      await assert.rejects(world.outcome(account.changePassphrase(PASSPHRASE, NEXT_PASSPHRASE)), {
        fault: "dishonest",
      });
      assert.ok(!calls.includes("account.change"));
    }
    delete tricks["account.signIn"];
    await signIn();

    // It changes names round, or puts a device on the list that nobody signed in.
    tricks["account.read"] = (_params, honest) => {
      const answer = honest();
      const [one, other] = answer.devices;
      return {
        ...answer,
        devices: [
          { ...one!, label: other!.label },
          { ...other!, key: HOST_KEY },
          { ...one!, label: "AAAA" },
        ],
      };
    };
    assert.deepEqual(
      (await world.outcome(account.read())).devices.map(({ name }) => name),
      [undefined, undefined, undefined],
    );
    tricks["account.read"] = (_params, honest) => ({ ...honest(), account: toBase64Url(own) });
    await assert.rejects(world.outcome(account.read()), { fault: "dishonest" });

    // Its own words are not shown.
    delete tricks["account.read"];
    await assert.rejects(
      world.outcome(account.removeHost(HOST)),
      ({ message }: Error) => !message.includes("evil.example"),
    );
  });
});
