import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { type Nats, startNats } from "./nats.ts";

describe("a NATS server for tests", { timeout: 120_000 }, () => {
  let nats: Nats;

  before(async () => {
    nats = await startNats();
  });
  after(() => nats[Symbol.asyncDispose]());

  /** A client that was greeted. */
  async function client(): Promise<Socket> {
    const { hostname, port } = new URL(nats.url);
    const socket = connect(Number(port), hostname);
    const [greeting] = (await once(socket, "data")) as [Buffer];
    assert.match(greeting.toString(), /^INFO \{"server_id"/);
    return socket;
  }

  it("starts", async () => {
    const socket = await client();
    socket.write('CONNECT {"verbose":false}\r\nPING\r\n');
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.equal(answer.toString(), "PONG\r\n");
    socket.destroy();
  });

  it("is killed, and starts again where it was", async () => {
    const { url } = nats;
    const socket = await client();
    const isClosed = once(socket, "close");
    socket.resume().on("error", () => {});
    await nats.kill();
    await isClosed;
    await assert.rejects(client(), { code: "ECONNREFUSED" });
    await nats.start();
    assert.equal(nats.url, url);
    (await client()).destroy();
  });

  it("is stopped, and starts again", async () => {
    await nats.stop();
    await assert.rejects(client(), { code: "ECONNREFUSED" });
    await nats.start();
    (await client()).destroy();
  });

  it("says what is wrong when it cannot start", async () => {
    await assert.rejects(nats.start(), /runs already/);
  });

  it("is one of several", async () => {
    await using other = await startNats();
    assert.notEqual(other.url, nats.url);
  });
});
