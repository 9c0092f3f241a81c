/** The relays of a host from a shell: the real command, the real host, a real relay. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BareDevice, newIntent } from "@flybridge/testing/bare.ts";
import { type RunningRelay, startRelay } from "@flybridge/testing/relay.ts";
import { openShell, type Outcome, type Shell } from "@flybridge/testing/shell.ts";

describe("flybridge remote", { timeout: 180_000 }, () => {
  let relay: RunningRelay;
  let shell: Shell;

  const remote = (words: readonly string[], stdin?: string): Promise<Outcome> =>
    shell.run(["remote", ...words], stdin === undefined ? {} : { stdin });
  const done = async (words: readonly string[], stdin?: string): Promise<Outcome> => {
    const outcome = await remote(words, stdin);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  /** An owner's device, which does what the app does. */
  const device = async (): Promise<BareDevice> => {
    const { code, stdout, stderr } = await shell.run(["show-connection-string"]);
    assert.equal(code, 0, stderr);
    return BareDevice.pair(stdout.trim());
  };

  before(async () => {
    relay = await startRelay({ env: { FLYBRIDGE_RELAY_REGISTRATION: "invitation" } });
    shell = openShell();
    const { code, stderr } = await shell.run(["up", "--port", "0", "--no-open"]);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    await shell?.[Symbol.asyncDispose]();
    await relay?.[Symbol.asyncDispose]();
  });

  it("says how to have one where there is none", async () => {
    const { stdout, stderr } = await done([]);
    assert.equal(stdout, "");
    assert.match(stderr, /uses no relay\. Add one with: flybridge remote add/u);
  });

  const wrong: readonly (readonly [words: readonly string[], says: RegExp])[] = [
    [["ad", "https://relay.example"], /ad is none of add, remove and distrust/u],
    [["add"], /Name the relay: flybridge remote add https/u],
    [["add", "relay.example"], /https:\/\//u],
    [["add", "http://relay.example"], /https/u],
    [["remove", "https://relay.example"], /does not use https:\/\/relay\.example/u],
    [["distrust", "https://relay.example"], /does not use https:\/\/relay\.example/u],
    [["remove", "https://relay.example", "--invitation-file", "-"], /--invitation-file is about/u],
    [["add", "https://relay.example", "--invitation-file", "/nowhere/at all"], /cannot be read/u],
  ];
  for (const [words, says] of wrong)
    it(`says what is wrong with: ${words.join(" ")}`, async () => {
      const { code, stderr } = await remote(words);
      assert.notEqual(code, 0);
      assert.match(stderr, says);
    });

  it("is let in by an invitation from a file, and says why not without one", async () => {
    const { code, stderr } = await remote(["add", relay.origin]);
    assert.notEqual(code, 0);
    assert.match(stderr, /needs an invitation/u);
    const listed = await done(["--json"]);
    assert.deepEqual(
      listed.json.map(({ origin, status }) => [origin, (status as { kind: string; code?: string }).kind]),
      [[relay.origin, "refused"]],
    );
    const { stdout } = await done(["add", relay.origin, "--invitation-file", "-"], `${relay.invitation}\n`);
    assert.match(stdout, /This host is reached by .*\. Pair a device with: flybridge pair/u);
    assert.match((await done([])).stdout, /connected, since/u);
  });

  it("lets no further devices of an account in, when it is told so, and keeps the relay", async () => {
    assert.match((await remote(["distrust", relay.origin])).stderr, /No account at .* is trusted here/u);
    const owner = await device();
    const key = Buffer.alloc(32, 7).toString("base64url");
    const trust = { origin: relay.origin, account: key, pairing: key, endorsement: "a".repeat(86) };
    await owner.call("account.trust", trust, newIntent());
    assert.match((await done([])).stdout, /connected, .* · lets its account's devices in/u);
    const { stdout, stderr } = await done(["distrust", relay.origin]);
    assert.match(stdout, /No further device of the account at .* is let in/u);
    assert.match(stderr, /Those that are in stay: flybridge devices/u);
    const { relays } = await owner.call("relay.list", {});
    assert.deepEqual(
      relays.map(({ account, status }) => [account, status.kind]),
      [[undefined, "live"]],
    );
    owner.close();
  });

  it("is given up, and the log has all of it", async () => {
    await done(["remove", relay.origin]);
    assert.equal((await done(["--json"])).stdout, "");
    const { json } = await shell.run(["audit", "--json"]);
    const events = json.flatMap(({ event }) => (/^(?:relay|account)\./u.test(String(event)) ? [event] : []));
    assert.deepEqual(events, ["relay.added", "relay.added", "account.trusted", "account.distrusted", "relay.removed"]);
  });
});
