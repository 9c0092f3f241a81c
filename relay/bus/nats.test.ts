import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Authority, makeAuthority } from "@flybridge/testing/authority.ts";
import { type Nats, startNats } from "@flybridge/testing/nats.ts";
import { Wire } from "@flybridge/testing/wire.ts";
import type { Bus } from "./bus.ts";
import { busContract, Heard, settled, text } from "./bus.contract.ts";
import { openNats } from "./nats.ts";

const LIMIT = { timeout: 60_000 };
const LOOK_MS = 20;
/** Milliseconds from a server's start to a bus that stands again. */
const BACK_MS = 2_500;
const USER = "relay";
/** What a password may be that is written into a URL. */
const PASSWORD = "7ÿ:@/%?#,";
/** A node may fill this much while its server does not take it. */
const MOST_BYTES = 16 * 1024 * 1024;
const FRAME = new Uint8Array(64 * 1024);

const none = (): void => {};

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await delay(LOOK_MS);
}

describe("NATS", () => {
  let nats: Nats;
  before(async () => {
    nats = await startNats();
  });
  after(() => nats[Symbol.asyncDispose]());
  busContract(() => openNats([nats.url], none));
});

describe("a node and its NATS", LIMIT, () => {
  it("goes on by itself when the server was killed, under another name, with all its hosts", async () => {
    await using nats = await startNats();
    const logs: string[] = [];
    await using one = await openNats([nats.url], (message) => logs.push(message));
    await using other = await openNats([nats.url], none);
    const [heard, others] = [new Heard(one), new Heard(other)];
    const names = [one.node, other.node];
    using _ = one.claim("host-a");
    const dropped = one.claim("host-b");
    await nats.kill();
    await Promise.all([heard.until(() => heard.cuts === 1), others.until(() => others.cuts === 1)]);
    assert.ok(!one.isConnected);
    assert.equal(one.send(names[1]!, new Uint8Array(1)), false);
    await assert.rejects(other.ask("host-a", new Uint8Array(0)), { name: "BusAway" });
    // What happens meanwhile is as if it had happened before.
    dropped[Symbol.dispose]();
    using _made = one.claim("host-c");
    await nats.start();
    const began = performance.now();
    await until(() => one.isConnected && other.isConnected);
    assert.ok(performance.now() - began < BACK_MS, `${performance.now() - began} ms`);
    await settled(heard, others);
    assert.equal(text(await other.ask("host-a", Buffer.from("x"))), "host-a x");
    assert.equal(text(await other.ask("host-c", Buffer.from("x"))), "host-c x");
    assert.equal(await other.ask("host-b", Buffer.from("x")), undefined);
    assert.notEqual(one.node, names[0]);
    assert.equal(await other.query(names[0]!, new Uint8Array(0)), undefined, "nobody has the old name");
    assert.deepEqual(logs, ["the connection to NATS was lost", "NATS is there, and other nodes with it"]);
  });

  it("rejects at once what waits for an answer when the server goes", async () => {
    await using nats = await startNats();
    await using one = await openNats([nats.url], none);
    await using other = await openNats([nats.url], none);
    const heard = new Heard(one);
    const asked = Promise.withResolvers<void>();
    heard.answer = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    using _ = one.claim("host-a");
    await settled(heard, new Heard(other));
    const waiting = assert.rejects(other.ask("host-a", new Uint8Array(0)), { name: "BusAway" });
    await asked.promise;
    const began = performance.now();
    await nats.kill();
    await waiting;
    assert.ok(performance.now() - began < 1_000);
  });

  it("is open without a server, and connected when it comes", async () => {
    await using nats = await startNats();
    using wire = await Wire.open();
    const logs: string[] = [];
    await using bus = await openNats([`nats://127.0.0.1:${wire.port}`], (message) => logs.push(message));
    new Heard(bus);
    assert.ok(!bus.isConnected);
    using _ = bus.claim("host-a");
    await assert.rejects(bus.ask("host-a", new Uint8Array(0)), { name: "BusAway" });
    const tries = wire.made;
    await until(() => wire.made >= tries + 3);
    assert.equal(logs.length, 1, "said once");
    assert.match(logs[0] ?? "", /^NATS cannot be used: /u);
    wire.to = nats.port;
    await until(() => bus.isConnected);
    assert.equal(text(await bus.ask("host-a", Buffer.from("x"))), "host-a x");
  });

  it("ends while there is no server, and in the middle of a try", async () => {
    await using nats = await startNats();
    await nats.stop();
    const bus = await openNats([nats.url], none);
    await bus[Symbol.asyncDispose]();
    // One that answers nothing.
    process.kill((await nats.start(), nats.pid), "SIGSTOP");
    const opening = openNats([nats.url], none);
    await using hanging = await opening;
    assert.ok(!hanging.isConnected);
    process.kill(nats.pid, "SIGCONT");
  });

  it("takes another of its servers when one goes", async () => {
    await using first = await startNats();
    await using second = await startNats();
    await first.stop();
    await using bus = await openNats([first.url, second.url], none);
    await until(() => bus.isConnected);
    await first.start();
    await second.stop();
    await until(() => !bus.isConnected);
    await until(() => bus.isConnected);
  });

  it("gives a host to the node that claimed it last, also when the other was away then", async () => {
    await using nats = await startNats();
    await using bus = await openNats([nats.url], none);
    await using other = await openNats([nats.url], none);
    const [heard, others] = [new Heard(bus), new Heard(other)];
    using _old = bus.claim("host-a");
    const before = bus.node;
    await settled(heard, others);
    // Both lose the server; while it is away the host goes from the one to the other.
    await nats.kill();
    await until(() => heard.cuts === 1 && others.cuts === 1);
    using _new = other.claim("host-a");
    await nats.start();
    await until(() => bus.isConnected && other.isConnected);
    await heard.until(() => heard.moves.length > 0);
    await settled(heard, others);
    assert.deepEqual([...new Set(heard.moves)], [`host-a ${other.node}`]);
    assert.deepEqual(others.moves, [`host-a ${before}`], "what was told before, and nothing since");
  });
});

describe("a server that hangs", LIMIT, () => {
  it("lets no more wait than there is room for, of a last word a little more, and is given up", async () => {
    await using nats = await startNats();
    await using bus = await openNats([nats.url], none);
    const heard = new Heard(bus);
    process.kill(nats.pid, "SIGSTOP");
    try {
      let taken = 0;
      while (bus.send("somebody", FRAME)) {
        taken += FRAME.length;
        assert.ok(taken <= MOST_BYTES);
      }
      assert.ok(taken > MOST_BYTES / 2);
      for (let word = 0; word < 1_000; word++) assert.ok(bus.send("somebody", new Uint8Array(100)));
      await heard.until(() => heard.cuts === 1);
      assert.ok(!bus.isConnected);
    } finally {
      process.kill(nats.pid, "SIGCONT");
    }
    await until(() => bus.isConnected);
    assert.ok(bus.send("somebody", FRAME), "what waited has gone");
  });

  it("does not count as waiting what a server has taken, however much that is", async () => {
    await using nats = await startNats();
    await using bus = await openNats([nats.url], none);
    new Heard(bus);
    for (let sent = 0; sent < 4 * MOST_BYTES; sent += FRAME.length) while (!bus.send("somebody", FRAME)) await delay(1);
  });
});

describe("who a node is to NATS, and who NATS is to it", LIMIT, () => {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-nats-"));
  const certificates = getCACertificates("default");
  after(() => {
    setDefaultCACertificates(certificates);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Opens one that is expected to connect, or to say why not. */
  async function tried(url: string): Promise<{ readonly isConnected: boolean; readonly log: string }> {
    const logs: string[] = [];
    await using bus: Bus = await openNats([url], (message) => logs.push(message));
    return { isConnected: bus.isConnected, log: logs.join("\n") };
  }

  it("shows the name and password, or the token, of its URL, and logs none of them", async () => {
    const config = join(folder, "password.conf");
    writeFileSync(config, `authorization { user: ${USER}, password: ${JSON.stringify(PASSWORD)} }`);
    await using nats = await startNats(["-c", config]);
    const { port } = nats;
    const at = (who: string): string => `nats://${who}127.0.0.1:${port}`;
    const right = `${USER}:${encodeURIComponent(PASSWORD)}@`;
    assert.deepEqual(await tried(at(right)), { isConnected: true, log: "" });
    for (const who of ["", `${USER}:wrong-7-word@`, "wrong-7-word@", `other:${encodeURIComponent(PASSWORD)}@`]) {
      const { isConnected, log } = await tried(at(who));
      assert.ok(!isConnected, who);
      assert.match(log, /^NATS cannot be used: .*authorization/iu);
      for (const word of ["wrong-7-word", PASSWORD, encodeURIComponent(PASSWORD)]) assert.ok(!log.includes(word));
    }

    const token = "a-token-of-42-characters";
    await using other = await startNats(["--auth", token]);
    assert.deepEqual(await tried(`nats://${token}@127.0.0.1:${other.port}`), { isConnected: true, log: "" });
    assert.equal((await tried(`nats://another@127.0.0.1:${other.port}`)).isConnected, false);
    await other.stop();
    const away = await tried(`nats://${token}@127.0.0.1:${other.port}`);
    assert.ok(!away.isConnected && !away.log.includes(token), away.log);
  });

  it("comes back with what it showed after a server forgot and knew it again", async () => {
    const config = join(folder, "changing.conf");
    const write = (password: string): void =>
      writeFileSync(config, `authorization { user: ${USER}, password: "${password}" }`);
    write("first-password");
    await using nats = await startNats(["-c", config]);
    using wire = await Wire.open(nats.port);
    await using bus = await openNats([`nats://${USER}:first-password@127.0.0.1:${wire.port}`], none);
    assert.ok(bus.isConnected);
    await nats.stop();
    write("second-password");
    await nats.start();
    const tries = wire.made;
    await until(() => wire.made >= tries + 4);
    assert.ok(!bus.isConnected);
    await nats.stop();
    write("first-password");
    await nats.start();
    await until(() => bus.isConnected);
  });

  /** A server with a certificate for these names. */
  async function secure(authority: Authority, names: readonly string[]): Promise<Nats> {
    const place = mkdtempSync(join(folder, "tls-"));
    const [certPath, keyPath] = [join(place, "cert.pem"), join(place, "key.pem")];
    const { cert, key } = await authority.sign(names);
    writeFileSync(certPath, cert);
    writeFileSync(keyPath, key, { mode: 0o600 });
    return startNats(["--tls", "--tlscert", certPath, "--tlskey", keyPath]);
  }

  it("speaks TLS to a server that it is told to, by name and by address, and knows whose certificate it is", async () => {
    const [ours, others] = await Promise.all([makeAuthority(), makeAuthority()]);
    setDefaultCACertificates([...certificates, ours.cert]);
    await using named = await secure(ours, ["localhost"]);
    assert.deepEqual(await tried(`tls://localhost:${named.port}`), { isConnected: true, log: "" });
    assert.match((await tried(`tls://127.0.0.1:${named.port}`)).log, /IP: 127\.0\.0\.1 is not in the cert/u);
    await using numbered = await secure(ours, ["127.0.0.1"]);
    assert.deepEqual(await tried(`tls://127.0.0.1:${numbered.port}`), { isConnected: true, log: "" });
    assert.match((await tried(`tls://localhost:${numbered.port}`)).log, /Host: localhost\. is not cert/u);
    await using unknown = await secure(others, ["localhost", "127.0.0.1"]);
    for (const name of ["localhost", "127.0.0.1"]) {
      const { isConnected, log } = await tried(`tls://${name}:${unknown.port}`);
      assert.ok(!isConnected);
      assert.match(log, /certificate/u);
    }
  });

  it("says no word of who it is to a server that was to speak TLS and does not", async () => {
    await using plain = await startNats(["--auth", "a-token-of-42-characters"]);
    const { isConnected, log } = await tried(`tls://a-token-of-42-characters@127.0.0.1:${plain.port}`);
    assert.ok(!isConnected);
    assert.match(log, /does not support 'tls'/u);
  });
});
