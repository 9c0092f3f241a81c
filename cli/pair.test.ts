import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Bridge, PairingError } from "@flybridge/client/bridge.ts";
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { nodePlatform } from "@flybridge/client/platform-node.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { openShell, type Shell } from "@flybridge/testing/shell.ts";

describe("pairing from a shell", { timeout: 300_000 }, () => {
  let shell: Shell;
  const bridges: Bridge[] = [];

  const device = async (): Promise<Bridge> => {
    const bridge = await makeBridge(await nodePlatform({ folder: join(shell.home, "..", `device ${bridges.length}`) }));
    bridges.push(bridge);
    return bridge;
  };

  before(async () => {
    shell = openShell();
    assert.equal((await shell.run(["up", "--port", "0", "--no-open"])).code, 0);
  });
  after(async () => {
    for (const bridge of bridges) bridge.close();
    await shell[Symbol.asyncDispose]();
  });

  it("[A01] pair prints a string that pairs, and says who came", async () => {
    const pair = shell.start(["pair"]);
    const string = (await pair.line((line) => line.startsWith("  flybridge://"))).trim();
    await (await device()).pair(parseConnection(string), { name: "Ada's \u202ephone", kind: "phone" });
    const { code, stdout } = await pair.ended;
    assert.equal(code, 0);
    assert.match(stdout, /Paired: Ada's ⟨U\+202E⟩phone \(phone\)\.\n$/u);
    await assert.rejects(
      async () => (await device()).pair(parseConnection(string), { name: "second", kind: "phone" }),
      (error) => error instanceof PairingError && error.fault === "refused",
    );
  });

  it("devices lists it; revoke asks first, then cuts it off", async () => {
    const { json } = await shell.run(["devices", "--json"]);
    const phone = json.find(({ kind }) => kind === "phone");
    assert.ok(phone);
    const asked = await shell.run(["revoke", String(phone["device"]).slice(0, 8)]);
    assert.deepEqual([asked.code, /add --yes/u.test(asked.stderr)], [2, true]);
    assert.equal((await shell.run(["revoke", String(phone["device"]).slice(0, 8), "--yes"])).code, 0);
    // The invitation of `up` is still open.
    const left = (await shell.run(["devices", "--json"])).json.filter((line) => line["offer"] === undefined);
    assert.deepEqual(
      left.map(({ kind }) => kind),
      ["cli"],
    );
    const own = await shell.run(["revoke", String(left[0]?.["device"]), "--yes"]);
    assert.deepEqual([own.code, /the shell you are using/u.test(own.stderr)], [2, true]);
  });

  it("[A27] what was shown no longer pairs after Ctrl-C", async () => {
    const pair = shell.start(["pair", "--json"]);
    const { offer } = JSON.parse(await pair.line(() => true)) as { offer: { connection: string } };
    pair.child.kill("SIGINT");
    const { code, stderr } = await pair.ended;
    assert.equal(code, 130);
    assert.match(stderr, /no longer pairs/u);
    await assert.rejects(
      async () => (await device()).pair(parseConnection(offer.connection), { name: "late", kind: "phone" }),
      (error) => error instanceof PairingError && error.fault === "refused",
    );
  });

  it("an offer that nobody takes in time ends with 1", async () => {
    const { code, stderr } = await shell.run(["pair", "--life", "1", "--json"]);
    assert.equal(code, 1);
    assert.match(stderr, /Nobody paired in time/u);
  });
});
