/** The relay's reference: joins the two sockets that come under one path, and hands on each frame. Nothing else. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { serveOrders } from "../child.ts";

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  perMessageDeflate: false,
  maxPayload: RELAY_FRAME_BYTES,
});
interface First {
  readonly socket: WebSocket;
  /** Since it came. */
  readonly said: (readonly [data: RawData, isBinary: boolean])[];
  /** It waits no more. */
  taken(): void;
}

const waiting = new Map<string, First>();

server.on("connection", (socket, request) => {
  const path = request.url ?? "";
  const first = waiting.get(path);
  if (!first) return void waiting.set(path, firstOf(socket, path));
  first.taken();
  for (const [data, binary] of first.said) socket.send(data, { binary });
  join(socket, first.socket);
  join(first.socket, socket);
});
await once(server, "listening");
serveOrders({ port: (server.address() as AddressInfo).port }, () => Promise.resolve({}));

function join(from: WebSocket, to: WebSocket): void {
  from.on("message", (data, isBinary) => to.send(data, { binary: isBinary }));
  from.on("close", () => to.close());
}

function firstOf(socket: WebSocket, path: string): First {
  const said: [RawData, boolean][] = [];
  const hear = (data: RawData, isBinary: boolean): void => void said.push([data, isBinary]);
  const taken = (): void => {
    waiting.delete(path);
    socket.off("message", hear).off("close", taken);
  };
  socket.on("message", hear).on("close", taken);
  return { socket, said, taken };
}
