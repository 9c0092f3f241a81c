/** A socket on which nobody says anything: how long it lives, by a clock of the test's own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { RELAY_DEAD_MS, RELAY_PING_MS } from "@flybridge/protocol/relay/words.ts";
import { WebSocket, WebSocketServer } from "ws";
import { PeerSocket } from "./socket.ts";

const EVERY_MS = 5_000;
const TEN_MINUTES_MS = 10 * 60_000;

async function pair(t: TestContext, now: () => number): Promise<{ ours: PeerSocket; theirs: WebSocket }> {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer().listen(0, "127.0.0.1");
  const taken = new Promise<PeerSocket>((resolve) => {
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
      webSockets.handleUpgrade(request, socket, head, (webSocket) => resolve(new PeerSocket(webSocket, socket, now))),
    );
  });
  await once(server, "listening");
  const theirs = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    theirs.terminate();
    server.close();
  });
  const ours = await taken;
  await once(theirs, "open");
  return { ours, theirs };
}

describe("a silent socket", { timeout: 30_000 }, () => {
  it("[D02] lives for ten minutes and more, for its other side answers when it is asked", async (t) => {
    let now = 0;
    const { ours, theirs } = await pair(t, () => now);
    let isClosed = false;
    ours.listen({ frame() {}, closed: () => (isClosed = true) });
    let heard = 0;
    for (; now < TEN_MINUTES_MS; now += EVERY_MS) {
      const isDue = now - heard >= RELAY_PING_MS - EVERY_MS;
      const asked = isDue ? once(theirs, "ping") : undefined;
      ours.sweep(EVERY_MS);
      if (!asked) continue;
      await asked;
      // What it answered to that is here when the answer to this is.
      assert.ok(await ours.isAlive());
      heard = now;
    }
    assert.equal(isClosed, false);
    assert.ok(heard > TEN_MINUTES_MS - RELAY_PING_MS);
  });

  it("is over within 45 seconds of its other side's last word", async (t) => {
    let now = 0;
    const { ours, theirs } = await pair(t, () => now);
    const closed = new Promise<number>((resolve) => {
      ours.listen({ frame() {}, closed: () => resolve(now) });
    });
    // It is there and says nothing, as a machine whose network went away.
    theirs.pause();
    while (now < RELAY_DEAD_MS) {
      now += EVERY_MS;
      ours.sweep(EVERY_MS);
    }
    assert.ok((await closed) <= RELAY_DEAD_MS);
  });
});
