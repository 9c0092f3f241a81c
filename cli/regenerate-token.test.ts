/** Connection strings from a shell, and the end of every device but it, while the host runs on. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BareDevice } from "@flybridge/testing/bare.ts";
import { hostPid, openShell, type Outcome, type Shell } from "@flybridge/testing/shell.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";

const refused = (error: unknown): boolean => error instanceof HandshakeError && error.fault === "refused";

describe("connection strings from a shell", { timeout: 300_000 }, () => {
  let shell: Shell;
  let pid: number;
  const devices: BareDevice[] = [];

  const done = async (...words: string[]): Promise<Outcome> => {
    const outcome = await shell.run(words);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  const string = async (): Promise<string> => (await done("show-connection-string")).stdout.trim();
  const pair = async (connection: string): Promise<BareDevice> => {
    const device = await BareDevice.pair(connection, "phone");
    devices.push(device);
    return device;
  };

  before(async () => {
    shell = openShell();
    await done("up", "--port", "0", "--no-open");
    pid = hostPid(shell.home);
  });
  after(async () => {
    for (const device of devices) device.close();
    await shell[Symbol.asyncDispose]();
  });

  it("[A31] [B18] show-connection-string prints one alone, without a restart, and it pairs", async () => {
    const { stdout, stderr } = await done("show-connection-string");
    assert.match(stdout, /^flybridge:\/\/127\.0\.0\.1:\d+\/\S+\n$/u);
    assert.match(stderr, /once, in the next 5 min\. .*like a password/u);
    await pair(stdout.trim());
    assert.equal(hostPid(shell.home), pid);
    process.kill(pid, 0);
  });

  it("[A27] a string that was used is refused, and the audit log has it", async () => {
    const used = await string();
    await pair(used);
    await assert.rejects(BareDevice.pair(used), refused);
    const rows = (await done("audit", "--json")).json;
    assert.deepEqual(
      rows.filter(({ event }) => event === "offer.refused").map(({ detail }) => detail),
      ["used again, by loopback"],
    );
    assert.match((await done("audit")).stdout, / {2}offer refused {6}used again, by loopback\n/u);
  });

  it("regenerate-token asks first", async () => {
    const { code, stderr } = await shell.run(["regenerate-token"]);
    assert.deepEqual([code, /Cut off every device but this shell.*add --yes/u.test(stderr)], [2, true]);
    assert.equal((await done("devices", "--json")).json.filter(({ kind }) => kind === "phone").length, 2);
  });

  it("[A28] [A39] [B17] regenerate-token cuts every device, refuses the old string, and gives one that pairs", async () => {
    const old = await string();
    const live = devices.slice();
    const { stdout } = await done("regenerate-token", "--yes");
    assert.match(stdout, /^2 devices were cut off\. No open invitation is left\.\n/u);
    for (const device of live) {
      assert.deepEqual(await device.ended, { kind: "bye", by: "them", reason: "revoked" });
      await assert.rejects(BareDevice.reconnect(device.keys), refused);
    }
    await assert.rejects(BareDevice.pair(old), refused);
    const fresh = /^ {2}(flybridge:\/\/\S+)$/mu.exec(stdout)?.[1];
    assert.ok(fresh !== undefined && fresh !== old);
    await (await pair(fresh)).call("host.read", {});
    assert.equal(hostPid(shell.home), pid, "the host is the one that ran before");
    process.kill(pid, 0);
  });
});
