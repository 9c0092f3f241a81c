/**
 * A program of its own, held by the keeper as an agent is: it joins the app-server of a person's own Codex, whose
 * messages are WebSocket frames, and is to the host what `codex app-server` is, with a message in each line.
 *
 *   node attach.ts SOCKET
 *
 * Nothing else passes through it: what may be asked of that server is what the host writes into its input.
 */
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

/** Bytes of one message: what the host takes as a line. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

const [, , path = ""] = process.argv;
const socket = new WebSocket(`ws+unix://${path}:/`, {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  handshakeTimeout: CONNECT_TIMEOUT_MS,
});
/** What was written before the connection stood. */
const early: string[] = [];

const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
lines.on("line", (line) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(line);
  else if (socket.readyState === WebSocket.CONNECTING) early.push(line);
});
lines.on("close", () => {
  if (socket.readyState === WebSocket.CONNECTING) process.exit(0);
  socket.close();
});

socket.on("open", () => {
  for (const line of early) socket.send(line);
});
socket.on("message", (data: Buffer) => {
  // A line is a message: one that is set out over several is the same without its newlines, which JSON has none of within.
  const text = data.toString().replaceAll("\n", " ");
  if (!process.stdout.write(`${text}\n`)) {
    socket.pause();
    process.stdout.once("drain", () => socket.resume());
  }
});
socket.on("error", (error) => {
  process.stderr.write(`Codex's server in the background cannot be reached: ${error.message}\n`);
  process.exitCode = 1;
});
socket.on("close", () => {
  // What is written is still to leave: the process ends by itself when nothing holds it.
  lines.close();
  process.stdin.destroy();
});
