/**
 * For the tests: a real keeper process in a folder of its own, and the bare other end of its wire.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  decodeReport,
  encodeOrder,
  FRAME_MAX_BYTES,
  FrameReader,
  type Order,
  type Report,
  type SpawnOrder,
  WIRE_VERSION,
} from "./wire.ts";

export const KEEPER_PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));

type OfType<T extends Report["type"]> = Extract<Report, { type: T }>;

export class KeeperProcess implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "keeper-"));
  readonly socketPath: string;
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** Its stdout ended: it listens, or is about to leave. */
  readonly started: Promise<unknown>;
  readonly exited: Promise<unknown>;
  /** What it wrote to stderr. */
  complaint = "";
  readonly #peers: Peer[] = [];

  constructor(socketPath?: string) {
    this.socketPath = socketPath ?? join(this.folder, "socket");
    this.process = spawn(process.execPath, [KEEPER_PROGRAM, this.socketPath, this.folder], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {},
      detached: true,
    });
    this.process.stdout.resume();
    this.process.stderr.setEncoding("utf8").on("data", (text: string) => (this.complaint += text));
    this.started = once(this.process.stdout, "close");
    this.exited = once(this.process, "exit");
  }

  static async start(): Promise<KeeperProcess> {
    const keeper = new KeeperProcess();
    await keeper.started;
    return keeper;
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** A socket that has not said hello. */
  async dial(): Promise<Peer> {
    const socket = connect(this.socketPath);
    await once(socket, "connect");
    const peer = new Peer(socket);
    this.#peers.push(peer);
    return peer;
  }

  async host(): Promise<Peer & { readonly hello: OfType<"hello"> }> {
    const peer = await this.dial();
    peer.send({ type: "hello", wire: WIRE_VERSION });
    const hello = await peer.next("hello");
    return Object.assign(peer, { hello });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers) peer.socket.destroy();
    this.process.kill("SIGTERM");
    await this.exited;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Peer {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** What each child's output was so far, from the first offset delivered. */
  readonly output = new Map<string, { from: number; chunks: Uint8Array[]; end: number }>();
  /** Acknowledge output as it comes. */
  taking = true;
  #reports: Report[] = [];
  #wake: () => void = () => {};
  #over = false;

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new FrameReader(FRAME_MAX_BYTES);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        const report = decodeReport(frame);
        if (report?.type === "output") this.#take(report);
        if (report) this.#reports.push(report);
      }
      this.#wake();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#over = true;
        this.#wake();
        resolve();
      });
    });
  }

  send(order: Order): void {
    for (const part of encodeOrder(order)) this.socket.write(part);
  }

  async spawn(child: string, argv: readonly [string, ...string[]], more: Partial<SpawnOrder> = {}) {
    this.send({ type: "spawn", ...spawnOrder(child, argv, more) });
    return (await this.next("spawned", (report) => report.state.child === child)).state;
  }

  input(child: string, id: string, text: string): void {
    this.send({ type: "input", child, id, bytes: Buffer.from(text) });
  }

  /** The first report of this type that was not given out yet; those before it are kept. */
  async next<T extends Report["type"]>(type: T, matches: (r: OfType<T>) => boolean = () => true): Promise<OfType<T>> {
    for (;;) {
      const index = this.#reports.findIndex((report) => report.type === type && matches(report as OfType<T>));
      if (index >= 0) return this.#reports.splice(index, 1)[0] as OfType<T>;
      if (this.#over) throw new Error(`the connection ended before ${type}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Resolves when the child's output as text contains this. */
  async hears(child: string, text: string): Promise<string> {
    for (;;) {
      const heard = this.heard(child).toString();
      if (heard.includes(text)) return heard;
      await this.next("output", (report) => report.child === child);
    }
  }

  heard(child: string): Buffer {
    return Buffer.concat(this.output.get(child)?.chunks ?? []);
  }

  /** Resolves when all output up to this offset has come. */
  async reaches(child: string, end: number): Promise<Buffer> {
    while ((this.output.get(child)?.end ?? 0) < end) await this.next("output", (report) => report.child === child);
    return this.heard(child);
  }

  #take({ child, offset, bytes }: OfType<"output">): void {
    const known = this.output.get(child) ?? { from: offset, chunks: [], end: offset };
    if (known.end !== offset) throw new Error(`output of ${child} at ${offset}, but the last ended at ${known.end}`);
    this.output.set(child, known);
    known.chunks.push(bytes);
    known.end += bytes.byteLength;
    if (this.taking) this.send({ type: "ack", child, taken: known.end, stored: known.end });
  }
}

export function spawnOrder(child: string, argv: readonly [string, ...string[]], more: Partial<SpawnOrder>): SpawnOrder {
  const env = { PATH: process.env["PATH"] ?? "", TERM: "xterm" };
  return { child, argv, env, cwd: tmpdir(), terminal: null, umask: null, spoolBytes: null, ...more };
}

/** What Linux says of a process; null elsewhere and of a dead one. */
export function memoryBytes(pid: number, field: "VmRSS" | "VmHWM"): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  } catch {
    return null;
  }
}

/** False of a zombie too. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}

/** Looks again at each turn of the loop: for what no event tells, such as a stranger's death. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
