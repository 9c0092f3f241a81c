import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Ear, linkContract } from "./link.contract.ts";
import { HIGH_WATER_BYTES } from "./link.ts";
import { loopback } from "./loopback.ts";
import { type Socket, webSocketLink } from "./websocket.ts";

const MAX = 65_535;

for (const kind of ["ws", "web"] as const) {
  linkContract(`websocket, client of kind ${kind}`, async () => {
    const { client, server, dispose } = await loopback(kind, MAX);
    return {
      ends: [
        webSocketLink(client, { maxFrameBytes: MAX }),
        webSocketLink(server as unknown as Socket, { maxFrameBytes: MAX }),
      ],
      maxFrameBytes: MAX,
      dispose,
    };
  });

  linkContract(`websocket, seen from the server, client of kind ${kind}`, async () => {
    const { client, server, dispose } = await loopback(kind, MAX);
    return {
      ends: [
        webSocketLink(server as unknown as Socket, { maxFrameBytes: MAX }),
        webSocketLink(client, { maxFrameBytes: MAX }),
      ],
      maxFrameBytes: MAX,
      dispose,
    };
  });
}

describe("a websocket link", () => {
  for (const kind of ["ws", "web"] as const) {
    it(`ends as a violation at a text frame (${kind})`, async () => {
      await using pair = disposable(await loopback(kind, MAX));
      const device = new Ear(webSocketLink(pair.client, { maxFrameBytes: MAX }));
      pair.server.send("hello");
      await device.until(({ ends }) => ends.length === 1);
      assert.equal(device.ends[0]?.kind, "violation");
    });

    it(`ends as a cut when the socket breaks (${kind})`, async () => {
      await using pair = disposable(await loopback(kind, MAX));
      const device = new Ear(webSocketLink(pair.client, { maxFrameBytes: MAX }));
      const host = webSocketLink(pair.server as unknown as Socket, { maxFrameBytes: MAX });
      host.send(Uint8Array.of(1));
      await device.until(({ frames }) => frames.length === 1);
      pair.server.terminate();
      await device.until(({ ends }) => ends.length === 1);
      assert.equal(device.ends[0]?.kind, "cut");
    });
  }

  it("ends as a violation at a text frame on the server", async () => {
    await using pair = disposable(await loopback("ws", MAX));
    const host = new Ear(webSocketLink(pair.server as unknown as Socket, { maxFrameBytes: MAX }));
    const device = webSocketLink(pair.client, { maxFrameBytes: MAX });
    const ear = new Ear(device);
    device.send(Uint8Array.of(1));
    await host.until(({ frames }) => frames.length === 1);
    (pair.client as unknown as { send(text: string): void }).send("text");
    await host.until(({ ends }) => ends.length === 1);
    assert.equal(host.ends[0]?.kind, "violation");
    await ear.until(({ ends }) => ends.length === 1);
  });

  it("keeps what is sent while it connects", async () => {
    await using pair = disposable(await loopback("web", MAX));
    const arrived = new Promise<Ear>((resolve) => {
      pair.listener.once("connection", (socket: Socket) => {
        resolve(new Ear(webSocketLink(socket, { maxFrameBytes: MAX })));
      });
    });
    const device = webSocketLink(new WebSocket(pair.address) as unknown as Socket, { maxFrameBytes: MAX });
    const ear = new Ear(device);
    let sent = 0;
    for (; device.buffered <= HIGH_WATER_BYTES; sent++) device.send(new Uint8Array(MAX));
    const host = await arrived;
    await host.until(({ frames }) => frames.length === sent);
    await ear.until(({ drains }) => drains === 1);
  });

  it("ends as a cut when nobody answers", async () => {
    const { address, dispose } = await loopback("web", MAX);
    await dispose();
    const gone = new WebSocket(address) as unknown as Socket;
    const ear = new Ear(webSocketLink(gone, { maxFrameBytes: MAX }));
    await ear.until(({ ends }) => ends.length === 1);
    assert.equal(ear.ends[0]?.kind, "cut");
  });
});

function disposable<Pair extends { dispose(): Promise<void> }>(pair: Pair): Pair & AsyncDisposable {
  return Object.assign(pair, { [Symbol.asyncDispose]: () => pair.dispose() });
}
