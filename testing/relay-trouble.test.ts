/** What a relay meets with: clocks that are wrong, a disk that is full, a database that is slow, and devices that are silent. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { signTicket } from "@flybridge/crypto/proof.ts";
import { AGENTS } from "@flybridge/host/agents/catalogue.ts";
import { startHost } from "@flybridge/host/host.ts";
import { homeOf } from "@flybridge/host/machine/home.ts";
import { hostIdOf } from "@flybridge/crypto/identity.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { TicketBody } from "@flybridge/protocol/relay/words.ts";
import { configFrom } from "@flybridge/relay/config.ts";
import { invite } from "@flybridge/relay/invite.ts";
import { startRelay as startHere } from "@flybridge/relay/relay.ts";
import { BareDevice } from "./bare.ts";
import { Couple, Peer } from "./peers.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { pageOf } from "./relay-nodes.ts";
import { newProof, offerBy, RelayedDevice } from "./relayed.ts";
import { smallDisk } from "./small-disk.ts";
import { Wire } from "./wire.ts";
import { keysIn, startWorld } from "./world.ts";

const DAY_MS = 24 * 3_600_000;
const LOOK_MS = 20;
const PATIENCE_MS = 20_000;
/** What needs no look into the store, on a busy machine. */
const AT_ONCE_MS = 500;
/** The promise: from the moment there is room again, or an answer. */
const BACK_MS = 5_000;
/** Connections of a relay to its database, and somebody more. */
const MANY = 14;
const SLOW_S = 3;
const DISK = "2m";

const random = (bytes: number): string => toBase64Url(new Uint8Array(randomBytes(bytes)));

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    assert.ok(performance.now() < late, `never: ${what}`);
    await delay(LOOK_MS);
  }
}

describe("a host whose clock is not the relay's", { timeout: 60_000 }, () => {
  let relay: RunningRelay;
  before(async () => {
    relay = await startRelay({ env: { FLYBRIDGE_RELAY_APP: "no" } });
  });
  after(() => relay[Symbol.asyncDispose]());

  /** One whose clock is off by so much, and may jump. */
  async function startOff(off: number) {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-"));
    const env = { ...process.env, HOME: folder, FLYBRIDGE_HOME: join(folder, "state") };
    mkdirSync(env.FLYBRIDGE_HOME, { mode: 0o700 });
    const home = homeOf(env);
    const clock = { off };
    const host = await startHost({
      home,
      port: 0,
      origins: [],
      relays: [relay.origin],
      direct: false,
      confirm: "never",
      app: folder,
      agents: AGENTS,
      env,
      umask: 0o022,
      log: { info() {}, warn() {} },
      now: () => Date.now() + clock.off,
    });
    const shell = await BareDevice.reconnect(keysIn(home.shell));
    return {
      clock,
      shell,
      async [Symbol.asyncDispose]() {
        shell.close();
        await host.stop(true);
        rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      },
    };
  }
  const endOf = (ticket: string): number =>
    (JSON.parse(Buffer.from(ticket.split(".")[0]!, "base64url").toString()) as TicketBody).until;
  const given = (): number => {
    using db = new DatabaseSync(join(relay.folder, "data", "relay.db"), { readOnly: true });
    return Number(db.prepare("SELECT max(given) AS given FROM family").get()?.["given"]);
  };

  for (const [what, off] of [
    ["a day ahead", DAY_MS],
    ["a day behind", -DAY_MS],
  ] as const)
    it(`${what}, lets devices in by offers and tickets that end by the relay's, and renews no session before its time`, async () => {
      await using host = await startOff(off);
      await untilRelayed(host.shell);
      const device = await RelayedDevice.pair(await offerBy(host.shell), "phone");
      const left = endOf(device.way!.ticket) - Date.now();
      assert.ok(Math.abs(left - DAY_MS) < 60_000, `${left} ms`);
      device.device.close();
      await device.device.ended;
      await device.reconnect();
      assert.equal((await device.device.call("host.read", {})).name.length > 0, true);
      assert.equal(given(), 1);
      device.device.close();
    });

  for (const [what, jump] of [
    ["forward", DAY_MS],
    ["back", -DAY_MS],
  ] as const)
    it(`because it jumped a day ${what} while it was connected, lets devices in as before`, async () => {
      await using host = await startOff(0);
      await untilRelayed(host.shell);
      const device = await RelayedDevice.pair(await offerBy(host.shell), "phone");
      host.clock.off = jump;
      const before = device.way!.ticket;
      const { ticket } = await device.takeWay();
      assert.notEqual(ticket, before);
      const left = endOf(ticket) - Date.now();
      assert.ok(Math.abs(left - DAY_MS) < 60_000, `${left} ms`);
      device.device.close();
      await device.device.ended;
      await device.reconnect();
      device.device.close();
      await device.device.ended;
      // By a new invitation, too.
      const next = await RelayedDevice.pair(await offerBy(host.shell), "tablet");
      next.device.close();
    });
});

describe(
  "a relay whose disk is full",
  { timeout: 60_000, skip: process.platform !== "linux" && "tmpfs is Linux's" },
  () => {
    it("keeps who is there, lets devices in, refuses what it cannot store, and goes on by itself", async () => {
      using disk = smallDisk(DISK);
      using wire = await Wire.open();
      const env = {
        FLYBRIDGE_RELAY_DATA: join(disk.path, "data"),
        FLYBRIDGE_RELAY_ORIGIN: `http://127.0.0.1:${wire.port}`,
        FLYBRIDGE_RELAY_APP: "no",
      };
      await using relay = await startRelay({ env });
      wire.to = relay.port;
      await using world = await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] });
      const shell = await world.shell();
      await untilRelayed(shell);
      const device = await RelayedDevice.pair(await offerBy(shell), "phone");
      const { pid } = relay;

      disk.fill();
      await device.device.call("host.read", {});
      device.device.close();
      await device.device.ended;
      await device.reconnect();
      await assert.rejects(invite(configFrom(env), "host", Date.now() + DAY_MS), /disk is full/u);
      // Its log may have room that it took before: what is stored there is stored.
      await until("the host is refused", async () => {
        const { status } = (await shell.call("relay.list", {})).relays[0]!;
        if (status.kind === "live") wire.cut();
        return status.kind === "away" && /cannot look up/u.test(status.reason);
      });
      assert.match(relay.log(), /disk is full/u);
      assert.deepEqual([relay.pid, (await pageOf(relay, "/health")).status], [pid, 200]);

      disk.free();
      const began = performance.now();
      await untilRelayed(shell);
      assert.ok(performance.now() - began < BACK_MS);
      await device.reconnect();
      assert.equal((await device.device.call("host.read", {})).name, "test host");
      device.device.close();
      shell.close();
    });

    it("says so when it starts on it, and starts when there is room", async () => {
      using disk = smallDisk(DISK);
      const env = { FLYBRIDGE_RELAY_DATA: join(disk.path, "data"), FLYBRIDGE_RELAY_APP: "no" };
      disk.fill();
      await assert.rejects(startRelay({ env }), /did not start[\s\S]*(?:disk|space)/iu);
      disk.free();
      await using relay = await startRelay({ env });
      (await Couple.meet(relay)).close();
    });
  },
);

describe("a relay whose database is slow", { timeout: 60_000 }, () => {
  let postgres: Postgres;
  let relay: RunningRelay;
  before(async () => {
    postgres = await startPostgres();
    relay = await startRelay({
      env: { DATABASE_URL: postgres.url, FLYBRIDGE_RELAY_SECRET: "s".repeat(48), FLYBRIDGE_RELAY_APP: "no" },
    });
  });
  after(async () => {
    await relay?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });

  it("lets devices in by tickets as quickly as ever, and hosts as soon as it answers", async () => {
    const [identity, proof] = [newProof(), newProof()];
    const opening = { t: "host", hs: random(32), rendezvous: random(12) } as const;
    const { peer: host } = await Peer.open(relay, identity, opening);
    const ticket = (): Promise<string> =>
      signTicket(identity, {
        relay: relay.origin,
        host: hostIdOf(Buffer.from(opening.hs, "base64url"), identity.publicKey) as TicketBody["host"],
        rendezvous: opening.rendezvous,
        device: toBase64Url(proof.publicKey),
        until: Date.now() + DAY_MS / 2,
        id: random(12),
      });
    const lock = postgres.query(
      postgres.url,
      `LOCK TABLE registration IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${SLOW_S})`,
    );
    const isLocked = async (): Promise<boolean> =>
      (await postgres.query(postgres.url, "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'")).length > 0;
    await until("it is locked", isLocked);
    const waiting = Array.from({ length: MANY }, () =>
      Peer.open(relay, newProof(), { t: "host", hs: random(32), rendezvous: random(12) }),
    );
    await until("all connections wait", async () => {
      const [row] = await postgres.query(
        postgres.url,
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
      );
      return Number(row?.[0]) >= 10;
    });
    const began = performance.now();
    const by = { kind: "ticket", ticket: await ticket() } as const;
    const { peer: device, answer } = await Peer.open(relay, proof, { t: "join", rendezvous: opening.rendezvous, by });
    assert.equal(answer.t, "welcome");
    assert.ok(performance.now() - began < AT_ONCE_MS, `${performance.now() - began} ms`);
    // A balancer that waits two seconds learns it in that time.
    const asked = performance.now();
    const health = await pageOf(relay, "/health");
    assert.ok(performance.now() - asked < 1_900, `${performance.now() - asked} ms`);
    assert.deepEqual([health.status, (JSON.parse(health.body) as { store: string }).store], [200, "away"]);
    assert.ok(await isLocked(), "all of that was meanwhile");
    await lock;
    for (const { peer, answer: late } of await Promise.all(waiting)) {
      assert.equal(late.t, "welcome", JSON.stringify(late));
      peer.socket.terminate();
    }
    host.socket.terminate();
    device.socket.terminate();
  });

  it("says to a host that it cannot look it up, when no answer comes", async () => {
    const locking = postgres.query(
      postgres.url,
      "LOCK TABLE registration IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)",
    );
    const over = assert.rejects(locking, /terminat/u);
    await until(
      "it is locked",
      async () =>
        (await postgres.query(postgres.url, "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock'")).length > 0,
    );
    const { peer, answer } = await Peer.open(relay, newProof(), { t: "host", hs: random(32), rendezvous: random(12) });
    assert.deepEqual(
      [answer.t, answer.t === "refused" && answer.code, answer.t === "refused" && answer.after],
      ["refused", "unavailable", 2_000],
    );
    await peer.closed;
    await postgres.query(
      postgres.url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
    );
    await over;
    (await Couple.meet(relay)).close();
  });
});

describe("a device that does not answer", { timeout: 60_000 }, () => {
  it("is let go after three quarters of a minute, and its host told; one that answers is not", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-silent-"));
    const config = configFrom({
      FLYBRIDGE_RELAY_LISTEN: "127.0.0.1:0",
      FLYBRIDGE_RELAY_DATA: folder,
      FLYBRIDGE_RELAY_REGISTRATION: "open",
      FLYBRIDGE_RELAY_APP: "no",
    });
    let ahead = 0;
    const relay = await startHere(config, { info() {}, warn() {} }, () => Date.now() + ahead);
    try {
      const [quiet, stuck] = [await Couple.meet(relay), await Couple.meet(relay)];
      let pings = 0;
      quiet.device.socket.on("ping", () => (pings += 1));
      stuck.device.socket.pause();
      // Its clock runs fast: between two looks at who is silent a quarter of a minute, in which a host pings, as hosts do.
      const running = setInterval(() => {
        ahead += 200;
        for (const { host } of [quiet, stuck]) host.socket.ping();
      }, 100);
      try {
        await until("it is gone", () => stuck.host.frames.some((frame) => frame[0] === 2));
      } finally {
        clearInterval(running);
      }
      assert.ok(pings > 0);
      await quiet.trip();
      quiet.close();
      stuck.close();
    } finally {
      await relay.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
