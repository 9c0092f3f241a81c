/** A relay, a host and devices as processes: they meet there, and only there. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { signTicket } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { RefusedCode } from "@flybridge/protocol/relay/words.ts";
import { RelayRefused } from "@flybridge/transport/relay.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { joinAt, newProof, offerBy, offerIn, RelayedDevice } from "./relayed.ts";
import { startWorld, type World } from "./world.ts";

const refusedAs =
  (code: RefusedCode) =>
  (error: unknown): boolean =>
    error instanceof RelayRefused && error.code === code;

describe("a relay", { timeout: 120_000 }, () => {
  let relay: RunningRelay;
  let world: World;
  let shell: BareDevice;
  before(async () => {
    relay = await startRelay();
    world = await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] });
    shell = await world.shell();
    await untilRelayed(shell);
  });
  after(async () => {
    shell.close();
    await world[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
  });

  it("[D01] [D03] [D04] pairs a device by an invitation, takes its calls, and lets it come back", async () => {
    const device = await RelayedDevice.pair(await offerBy(shell), "phone");
    const { name } = await device.device.call("host.read", {});
    assert.equal(name, "test host");
    device.device.close();
    await device.device.ended;
    const back = await device.reconnect();
    assert.equal((await back.call("host.read", {})).name, "test host");
    const { devices } = await shell.call("device.list", {});
    assert.equal(devices.find((one) => one.name === "phone")?.way, "relay");
    back.close();
  });

  it("lets nobody join by an offer that is used, withdrawn, or none", async () => {
    const used = await offerBy(shell);
    const first = await RelayedDevice.pair(used, "first");
    await assert.rejects(RelayedDevice.pair(used, "second"), refusedAs("no_offer"));
    first.device.close();
    const { offer, connection } = await shell.call("offer.make", {}, newIntent());
    await shell.call("offer.withdraw", { offer }, newIntent());
    await assert.rejects(RelayedDevice.pair(connection), refusedAs("no_offer"));
    const { key: _, ...place } = offerIn(connection);
    await assert.rejects(joinAt(place, { kind: "offer" }, newProof()), refusedAs("no_offer"));
  });

  it("[D09] lets no ticket do but the host's own, whole, for that key, here", async () => {
    const device = await RelayedDevice.pair(await offerBy(shell), "ticketed");
    const { way, proof } = device;
    assert.ok(way);
    const by = (ticket: string) => ({ kind: "ticket", ticket }) as const;
    const place = { origin: way.origin, rendezvous: way.rendezvous };
    await assert.rejects(joinAt(place, by(way.ticket), newProof()), refusedAs("bad_ticket"), "another's key");
    for (let at = 0; at < way.ticket.length; at += 17) {
      const flipped = `${way.ticket.slice(0, at)}${way.ticket[at] === "A" ? "B" : "A"}${way.ticket.slice(at + 1)}`;
      await assert.rejects(joinAt(place, by(flipped), proof), refusedAs("bad_ticket"), `character ${at}`);
    }
    const body = {
      relay: way.origin,
      host: device.keys.host as never,
      rendezvous: way.rendezvous,
      device: toBase64Url(proof.publicKey),
      until: Date.now() + 60_000,
      id: toBase64Url(new Uint8Array(randomBytes(12))),
    };
    await assert.rejects(joinAt(place, by(await signTicket(proof, body)), proof), refusedAs("bad_ticket"), "own hand");
    const elsewhere = { ...place, rendezvous: toBase64Url(new Uint8Array(randomBytes(12))) };
    await assert.rejects(joinAt(elsewhere, by(way.ticket), proof), refusedAs("host_away"));
    device.device.close();
  });

  it("cuts both off when one ticket is on two live sockets, and tells the host", async () => {
    const device = await RelayedDevice.pair(await offerBy(shell), "copied");
    const { way, proof } = device;
    assert.ok(way);
    device.device.close();
    await device.device.ended;
    const by = { kind: "ticket", ticket: way.ticket } as const;
    const first = await joinAt(way, by, proof);
    const ended = new Promise((resolve) => first.link.listen({ frame() {}, drained() {}, ended: resolve }));
    await assert.rejects(joinAt(way, by, proof), refusedAs("ticket_doubled"));
    await ended;
    await assert.rejects(joinAt(way, by, proof), refusedAs("ticket_doubled"), "it stays so");
    const { rows } = await shell.call("audit.list", {});
    assert.ok(rows.some(({ event, detail }) => event === "ticket.doubled" && detail === "copied"));
  });

  it("ends the circuit of a device that is revoked, and its tickets with it", async () => {
    const device = await RelayedDevice.pair(await offerBy(shell), "revoked");
    const { devices } = await shell.call("device.list", {});
    const id = devices.find(({ name }) => name === "revoked")?.device;
    assert.ok(id);
    await shell.call("device.revoke", { device: id }, newIntent());
    const end = await device.device.ended;
    assert.ok(end.kind === "bye" && end.reason === "revoked", JSON.stringify(end));
    await assert.rejects(device.reconnect(), refusedAs("bad_ticket"));
    // Paired anew it has the key by which relays know it, as before.
    const anew = await RelayedDevice.pair(await offerBy(shell), "paired anew");
    const { ways } = await anew.device.call("relay.ways", { key: toBase64Url(device.proof.publicKey) });
    const [way] = ways;
    assert.ok(way);
    const { link } = await joinAt(way, { kind: "ticket", ticket: way.ticket }, device.proof);
    link.close("in");
    anew.device.close();
  });

  it("[D02] [D20] takes its host and devices back after it was killed, in under three seconds", async () => {
    const device = await RelayedDevice.pair(await offerBy(shell), "patient");
    await relay.kill();
    const end = await device.device.ended;
    assert.equal(end.kind, "cut");
    await relay.restart();
    const since = performance.now();
    await untilRelayed(shell);
    while (performance.now() - since < 10_000) {
      try {
        await device.reconnect();
        break;
      } catch (error) {
        if (!(error instanceof RelayRefused) || error.code !== "host_away") throw error;
        await setTimeout(20);
      }
    }
    assert.equal((await device.device.call("host.read", {})).name, "test host");
    device.device.close();
  });

  it("tells everybody to move on when it is stopped, and is gone", async () => {
    await relay.kill("SIGTERM");
    await relay.restart();
    await untilRelayed(shell);
    assert.match(relay.log(), /"msg":"ended"/u);
  });
});

describe("a relay that names servers for a direct way", { timeout: 60_000 }, () => {
  it("has its hosts tell them to devices that come by it, and to no others", async () => {
    await using relay = await startRelay({
      env: { FLYBRIDGE_RELAY_ICE_SERVERS: "stun:stun.example:3478,turn:ann:secret@turn.example:3478" },
    });
    await using world = await startWorld({ args: ["--relay", relay.origin, "--confirm", "never"] });
    const shell = await world.shell();
    await untilRelayed(shell);
    const { device } = await RelayedDevice.pair(await offerBy(shell), "roundabout");
    const told = ({ messages }: BareDevice) =>
      messages.flatMap((message) => (message.t === "welcome" && message.direct ? [message.direct.ice] : []));
    assert.deepEqual(told(device), [
      [{ urls: "stun:stun.example:3478" }, { urls: "turn:turn.example:3478", username: "ann", credential: "secret" }],
    ]);
    assert.deepEqual(told(shell), []);
    device.close();
    shell.close();
  });
});
