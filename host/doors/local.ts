/** The local door: a unix socket, 0600 in a folder 0700, for the shell. What speaks there makes the same handshake. */
import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import type { Gate } from "./gate.ts";
import { linkServer } from "./app.ts";

const OWNER_ONLY = 0o600;

/** The state folder is locked by this process, so a socket that lies there is a dead host's. */
export async function openLocal(options: { readonly path: string; readonly gate: Gate }): Promise<AsyncDisposable> {
  rmSync(options.path, { force: true });
  const sockets = linkServer();
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    sockets.handleUpgrade(request, socket as Socket, head, (webSocket) => {
      options.gate.enter(webSocketLink(webSocket, { maxFrameBytes: RECORD_BYTES }), { way: "local" });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.path, resolve);
  });
  chmodSync(options.path, OWNER_ONLY);
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(options.path, { force: true });
    },
  };
}
