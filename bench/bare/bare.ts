/** Starts the reference's process and opens sockets to it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { WebSocket } from "ws";

/** A page of large entries fits. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export interface Bare extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  /** Still connecting: for who must not miss the first frame. */
  dial(path: string): WebSocket;
  /** Open; `each` hears every frame. */
  connect(path: string, each?: (data: Buffer) => void): Promise<WebSocket>;
}

export async function startBare(): Promise<Bare> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "peer.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(String(said));
  const dial = (path: string): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES });
  return {
    pid: child.pid ?? 0,
    port,
    dial,
    async connect(path, each) {
      const socket = dial(path);
      if (each) socket.on("message", (data) => each(data as Buffer));
      await once(socket, "open");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      const exit = once(child, "exit");
      child.kill();
      await exit;
    },
  };
}
