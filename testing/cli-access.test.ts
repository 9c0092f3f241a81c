/** What a shell hands out, on a host whose clock a test sets. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { describe, it } from "node:test";
import { AGENTS } from "@flybridge/host/agents/catalogue.ts";
import { startHost } from "@flybridge/host/host.ts";
import { homeOf } from "@flybridge/host/machine/home.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { OFFER_MS } from "@flybridge/protocol/limits.ts";
import { formatConnection, parseConnection } from "@flybridge/protocol/offer.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { BareDevice } from "./bare.ts";
import { openShell } from "./shell.ts";

const HOUR_MS = 3_600_000;

describe("what a shell hands out", { timeout: 120_000 }, () => {
  it("[C25] [E08] ends by the host's clock; late, used or with another secret it is refused", async () => {
    await using shell = openShell();
    mkdirSync(shell.home, { mode: 0o700 });
    const env = { ...process.env, HOME: shell.home, FLYBRIDGE_HOME: shell.home };
    let ahead = 0;
    const host = await startHost({
      home: homeOf(env),
      port: 0,
      origins: [],
      confirm: "remote",
      app: shell.home,
      agents: AGENTS,
      env,
      umask: 0o022,
      log: { info() {}, warn() {} },
      now: () => Date.now() + ahead,
    });
    const first = async (...words: string[]): Promise<Record<string, unknown>> => {
      const { code, stderr, json } = await shell.run([...words, "--json"]);
      assert.equal(code, 0, stderr);
      return json[0] ?? {};
    };
    const refused = (connection: string): Promise<void> =>
      assert.rejects(
        BareDevice.pair(connection),
        (error: unknown) => error instanceof HandshakeError && error.fault === "refused",
      );
    try {
      const session = String((await first("run", "demo"))["session"]) as SessionId;
      const share = async (...words: string[]): Promise<string> =>
        ((await first("share", session, "--no-wait", ...words))["offer"] as { connection: string }).connection;
      const [shared, late] = [await share("--for", "2h"), await share()];
      const owned = String((await first("show-connection-string"))["connection"]);

      const { secret, ...rest } = parseConnection(shared);
      await refused(formatConnection({ ...rest, secret: secret.map((byte) => byte ^ 1) }));
      const guest = await BareDevice.pair(shared, "guest");
      await refused(shared);

      ahead = OFFER_MS;
      await refused(late);
      await refused(owned);

      await guest.call("session.follow", { session, from: 1 });
      ahead = 2 * HOUR_MS;
      await assert.rejects(
        guest.call("session.follow", { session, from: 1 }),
        (error: unknown) => error instanceof CallError && error.code === "forbidden",
      );
      guest.close();
    } finally {
      await host.stop(true);
    }
  });
});
