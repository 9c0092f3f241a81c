/** A real WebSocket on loopback, for tests: both ends' sockets, and how to end it all. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket as WsSocket, WebSocketServer } from "ws";

import type { Socket } from "./websocket.ts";

export interface Loopback {
  readonly address: string;
  readonly listener: WebSocketServer;
  /** The device's end; both are open. */
  readonly client: Socket;
  readonly server: WsSocket;
  readonly dispose: () => Promise<void>;
}

/** `kind`: the client is one of `ws`, or the WebSocket that browsers and Node have. */
export async function loopback(kind: "ws" | "web", maxPayload: number): Promise<Loopback> {
  const listener = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload, perMessageDeflate: false });
  await once(listener, "listening");
  const address = `ws://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const connected = once(listener, "connection") as Promise<[WsSocket]>;
  const client: Socket =
    kind === "ws"
      ? (new WsSocket(address, { maxPayload, perMessageDeflate: false }) as unknown as Socket)
      : (new WebSocket(address) as unknown as Socket);
  const opened = new Promise<void>((resolve) => {
    client.addEventListener("open", () => {
      resolve();
    });
  });
  const [server] = await connected;
  await opened;
  return {
    address,
    listener,
    client,
    server,
    async dispose() {
      client.close();
      for (const socket of listener.clients) socket.terminate();
      listener.close();
      await once(listener, "close");
    },
  };
}
