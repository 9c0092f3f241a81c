/** A wall clock that jumps, as after sleep, at a border, or when it was never set: order is kept by numbers, not by time. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AGENTS } from "@flybridge/host/agents/catalogue.ts";
import { startHost } from "@flybridge/host/host.ts";
import { homeOf } from "@flybridge/host/machine/home.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { OFFER_MS } from "@flybridge/protocol/limits.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { BareDevice } from "./bare.ts";
import { keysIn } from "./world.ts";

const HOUR_MS = 3_600_000;

describe("a clock that jumps", { timeout: 30_000 }, () => {
  it("back an hour and forward a day ends offers rather than prolonging them, and disturbs nothing else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-"));
    const env = { ...process.env, HOME: folder, FLYBRIDGE_HOME: join(folder, "state") };
    mkdirSync(env.FLYBRIDGE_HOME, { mode: 0o700 });
    let jump = 0;
    const home = homeOf(env);
    const host = await startHost({
      home,
      port: 0,
      origins: [],
      confirm: "never",
      app: folder,
      agents: AGENTS,
      env,
      umask: 0o022,
      log: { info() {}, warn() {} },
      now: () => Date.now() + jump,
    });
    const shell = await BareDevice.reconnect(keysIn(home.shell));
    const offer = async (): Promise<string> => (await shell.call("offer.make", {})).connection;
    const refused = (connection: string): Promise<void> =>
      assert.rejects(
        BareDevice.pair(connection),
        (error: unknown) => error instanceof HandshakeError && error.fault === "refused",
      );
    try {
      const { session } = await shell.call("session.create", { workspace: folder, agent: "demo" as AgentName });
      await shell.call("session.follow", { session, from: 1 });
      const turns = (): number => shell.entriesOf(session).filter(({ fact }) => fact.kind === "turn.ended").length;
      const turn = async (): Promise<void> => {
        const before = turns();
        await shell.call("session.prompt", { session, text: "flood 2", delivery: "queue" });
        await shell.until(() => turns() > before || undefined);
      };
      await turn();
      const waiting = shell.call("session.prompt", { session, text: "ask", delivery: "queue" });
      await waiting;
      const asked = await shell.untilEntry(session, ({ fact }) => fact.kind === "ask.opened" && fact);

      const early = await offer();
      jump = -HOUR_MS;
      // It was made an hour from now: nobody can say how long ago that is.
      await refused(early);
      (await BareDevice.pair(await offer(), "in the past")).close();
      await shell.call("ask.answer", { session, ask: asked.ask.ask, answer: { kind: "deny" } });
      await shell.until(() => turns() >= 2 || undefined);
      await turn();

      const late = await offer();
      jump = 24 * HOUR_MS;
      await refused(late);
      const device = await BareDevice.pair(await offer(), "in the future");
      await turn();
      jump += OFFER_MS - 1_000;
      await device.call("host.read", {});

      const entries = shell.entriesOf(session);
      assert.deepEqual(
        entries.map(({ seq }) => seq),
        entries.map((_, index) => index + 1),
      );
      assert.ok(
        entries.some(({ at }, index) => at < (entries[index - 1]?.at ?? 0)),
        "the clock did go back between entries",
      );
      const summary = (await shell.call("session.list", {})).sessions.find((one) => one.session === session);
      assert.equal(summary?.status.kind, "idle");
      const { devices } = await shell.call("device.list", {});
      assert.equal(devices.length, 3);
      await shell.call("host.check", {});
      await assert.rejects(
        shell.call("session.resume", { session }),
        (error: unknown) => error instanceof CallError && error.code === "wrong_state",
      );
      device.close();
    } finally {
      shell.close();
      await host.stop(true);
      rmSync(folder, { recursive: true });
    }
  });
});
