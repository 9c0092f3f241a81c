/**
 * The other process of every reference: what a bare `ws` does with the same bytes. It says its port and then serves
 *
 *   /lines    an order ("tick 100 20") starts a child; each of its lines is one frame; other frames are its input
 *   /echo     each frame back
 *   /sealed   the same through our pipe, its other end the host's suite
 *   /terminal an order ({"cols", "rows", "argv"}) starts a program in a terminal; its bytes are frames, held back at 128 KiB that
 *             are not taken; a frame is input, or after a zero byte the number of bytes taken
 *   /rows     an order ("FILE SESSION FROM PAGE") reads journal rows with bare SQL, a page to a frame
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { type IPty, spawn as startPty } from "@lydell/node-pty";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { acceptOver } from "@flybridge/transport/secure/host.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { PAGE } from "./page.ts";
import { SEALED } from "./sealed.ts";

/** As much as a device of ours lets be under way (`windowBytes` of the terminal stream). */
const CREDIT_BYTES = 128 * 1024;
const TICKER = join(import.meta.dirname, "ticker.ts");

const serve: Readonly<Record<string, (socket: WebSocket) => void>> = {
  "/lines": (socket) => {
    let child: ChildProcess | undefined;
    socket.on("message", (data) => {
      const words = textOf(data);
      if (words.startsWith("answer")) {
        child?.stdin?.write(`${words}\n`);
        return;
      }
      child = spawn(process.execPath, [TICKER, ...words.split(" ")], { stdio: ["pipe", "pipe", "inherit"] });
      if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => socket.send(line));
    });
    socket.on("close", () => child?.kill());
  },
  "/echo": (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  },
  "/sealed": (socket) => {
    const link = webSocketLink(socket, { maxFrameBytes: RECORD_BYTES });
    void acceptOver(link, {
      suite: nodeSuite(),
      hostKey: nodeKey(SEALED.hostSecret),
      hostId: SEALED.hostId,
      confirms: () => false,
      secretOf: () => SEALED.secret,
      consume: () => true,
      continuityOf: () => undefined,
      advance: () => false,
    }).then(({ pipe }) => {
      pipe.listen({ message: (stream, bytes) => void pipe.send(stream, bytes), drained() {}, ended() {} });
    });
  },
  "/terminal": (socket) => {
    let pty: IPty | undefined;
    let underway = 0;
    socket.on("message", (data) => {
      const bytes = data as Buffer;
      if (!pty) {
        const { argv, ...size } = JSON.parse(textOf(data)) as {
          argv: [string, ...string[]];
          cols: number;
          rows: number;
        };
        const [file, ...args] = argv;
        pty = startPty(file, args, { ...size, encoding: null });
        pty.onData((written) => {
          const piece = written as unknown as Buffer;
          underway += piece.length;
          if (underway > CREDIT_BYTES) pty?.pause();
          socket.send(piece);
        });
      } else if (bytes[0] === 0) {
        underway -= Number(bytes.subarray(1).toString());
        if (underway <= CREDIT_BYTES) pty.resume();
      } else pty.write(bytes.toString());
    });
    socket.on("close", () => pty?.kill());
  },
  "/rows": (socket) => {
    socket.on("message", (data) => {
      const [file = "", session = "", from = "1", page = "200"] = textOf(data).split(" ");
      using db = new DatabaseSync(file, { readOnly: true });
      const rows = db.prepare("SELECT seq, at, fact FROM entry WHERE session = ? AND seq >= ? ORDER BY seq");
      let entries: unknown[] = [];
      for (const { seq, at, fact } of rows.iterate(session, Number(from))) {
        entries.push({ seq, at, fact: JSON.parse(String(fact)) as unknown });
        if (entries.length < Number(page)) continue;
        socket.send(JSON.stringify({ entries }));
        entries = [];
      }
      socket.send(JSON.stringify({ entries, last: true }));
    });
  },
};

const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, request) => serve[request.url ?? ""]?.(socket));
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

// It ends with whoever started it, however that ends.
process.stdin.resume().once("close", () => process.exit(0));

function textOf(data: RawData): string {
  return (data as Buffer).toString();
}
