import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { WebSocket, WebSocketServer } from "ws";
import { PeerSocket } from "./socket.ts";

/** Around each edge: of lengths in one, two and eight bytes, of what is copied, and of pool and page. */
const SIZES = [0, 1, 119, 120, 121, 125, 126, 127, 3_071, 3_072, 3_073, 4_096, 65_529, 65_530, 65_531, 65_535];

describe("a socket at the relay", { timeout: 60_000 }, () => {
  let server: Server;
  let ours: PeerSocket;
  let stream: Socket;
  let theirs: WebSocket;
  const heard: Buffer[] = [];
  before(async () => {
    const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    server = createServer().listen(0, "127.0.0.1");
    const taken = new Promise<PeerSocket>((resolve) => {
      server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
        stream = socket;
        webSockets.handleUpgrade(request, socket, head, (webSocket) =>
          resolve(new PeerSocket(webSocket, socket, Date.now)),
        );
      });
    });
    await once(server, "listening");
    theirs = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      maxPayload: RELAY_FRAME_BYTES,
      perMessageDeflate: false,
    });
    theirs.on("message", (data: Buffer, isBinary) => {
      assert.ok(isBinary);
      heard.push(data);
    });
    ours = await taken;
    ours.listen({ frame() {}, closed() {} });
    await once(theirs, "open");
  });
  after(() => {
    theirs.terminate();
    server.close();
  });

  const until = async (count: number): Promise<Buffer[]> => {
    while (heard.length < count) await once(theirs, "message");
    return heard.splice(0);
  };

  it("frames what it sends so that the other side hears the same, at each length and all in one turn", async () => {
    const first = Buffer.from([7, 1, 2, 3, 4]);
    const sent = SIZES.flatMap((size) => {
      const rest = Buffer.alloc(size, size % 251);
      ours.sendAfter(first, rest);
      ours.send(rest);
      return [Buffer.concat([first, rest]), rest];
    });
    assert.deepEqual(await until(sent.length), sent);
  });

  it("says when a frame has gone, in its turn among pings and the goodbye, and that of none after it", async () => {
    const gone: string[] = [];
    const small = new Promise<void>((resolve) => {
      ours.send(Buffer.alloc(10), () => resolve(void gone.push("small")));
    });
    const large = new Promise<void>((resolve) => {
      ours.send(Buffer.alloc(60_000), () => resolve(void gone.push("large")));
    });
    assert.ok(ours.buffered >= 60_010);
    assert.equal(await ours.isAlive(), true);
    await Promise.all([small, large]);
    assert.deepEqual(gone, ["small", "large"]);
    assert.deepEqual(
      (await until(2)).map(({ length }) => length),
      [10, 60_000],
    );
    const closed = once(theirs, "close");
    const before = stream.bytesWritten;
    ours.send(Buffer.alloc(3));
    ours.close("enough");
    ours.send(Buffer.alloc(4), () => gone.push("late"));
    const [code, reason] = (await closed) as [number, Buffer];
    assert.deepEqual([code, String(reason)], [1000, "enough"]);
    assert.deepEqual(
      heard.splice(0).map(({ length }) => length),
      [3],
    );
    assert.equal(gone.at(-1), "late");
    assert.equal(stream.bytesWritten - before, 2 + 3 + 2 + 2 + "enough".length, "a frame, a goodbye, and no more");
    assert.equal(ours.buffered, 0);
  });
});
