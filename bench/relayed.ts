/** What the benches of the relay measure between: a device's end here, the other end in another process. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeKey, nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { type RunningRelay, startRelay } from "@flybridge/testing/relay.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { pairOver } from "@flybridge/transport/secure/device.ts";
import { Streams } from "@flybridge/transport/streams.ts";
import type { WebSocket } from "ws";
import type { Answer, Order, Wish } from "./bare/ends.ts";
import { SEALED } from "./bare/sealed.ts";
import { type Child, startChild } from "./child.ts";
import { dialNode, dialPort, hostNumber, joinDevice, linkOf, type Node } from "./meeting.ts";

export interface Ends extends AsyncDisposable {
  order(order: Order): Promise<Answer>;
}

/** Something that says what comes back of what it was given. */
export interface Echo {
  send(bytes: Uint8Array): void;
  /** Hears what comes from now on. */
  hear(each: () => void): void;
  close(): void;
}

export async function startEnds(): Promise<Ends> {
  const child = await startChild<object>("ends.ts");
  return { order: (order) => child.ask<Answer>(order), [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

export function startForwarder(): Promise<Child<{ readonly port: number }>> {
  return startChild<{ readonly port: number }>("forwarder.ts");
}

/** A circuit to a host that sits there, without a seal. */
export async function circuitTo(
  node: Node,
  host: number,
  device: number,
  wish: Wish,
  socket?: WebSocket,
): Promise<Link> {
  const link = await joinDevice(node, hostNumber(host), device, socket);
  link.send(new TextEncoder().encode(JSON.stringify(wish)));
  return link;
}

export async function rawEcho(node: Node, host: number, device: number): Promise<Echo> {
  const link = await circuitTo(node, host, device, { do: "echo" });
  let heard = (): void => {};
  link.listen({ frame: () => heard(), drained() {}, ended() {} });
  return {
    send: (bytes) => link.send(bytes),
    hear: (each) => void (heard = each),
    close: () => link.close("done"),
  };
}

export async function sealedEcho(
  node: Node,
  host: number,
  device: number,
  around: { readonly socket?: WebSocket; readonly seen?: (link: Link) => Link } = {},
): Promise<Echo> {
  const { socket = dialNode(node), seen = (link) => link } = around;
  const link = await circuitTo(node, host, device, { do: "seal" }, socket);
  return sealOver(seen(link), host, node.origin);
}

/** By a forwarder behind which a sealed end stands. */
export function bareSealedEcho(port: number, host: number): Promise<Echo> {
  return sealOver(linkOf(dialPort(port, `/${host}`)), host);
}

async function sealOver(link: Link, host: number, origin?: string): Promise<Echo> {
  const { id, publicKey, rendezvous } = hostNumber(host);
  const { pipe } = await pairOver(link, {
    suite: nodeSuite(),
    deviceKey: nodeKey(SEALED.deviceSecret),
    hostKey: publicKey,
    hostId: id,
    ...(origin === undefined ? {} : { route: { kind: "relay", origin, rendezvous } }),
    offer: SEALED.offer,
    secret: SEALED.secret,
    payload: new Uint8Array(0),
  });
  let heard = (): void => {};
  pipe.listen({ message: () => heard(), drained() {}, ended() {} });
  return {
    send: (bytes) => void pipe.send(Streams.terminal, bytes),
    hear: (each) => void (heard = each),
    close: () => pipe.close("done"),
  };
}

export async function bareEcho(port: number, path: string): Promise<Echo> {
  const socket = dialPort(port, path);
  await once(socket, "open");
  let heard = (): void => {};
  socket.on("message", () => heard());
  return {
    send: (bytes) => socket.send(bytes),
    hear: (each) => void (heard = each),
    close: () => socket.close(),
  };
}

/** One after the other; adds the milliseconds of each. */
export async function tripsOf(echo: Echo, payload: Uint8Array, trips: number, times: number[]): Promise<void> {
  for (let trip = 0; trip < trips; trip += 1) {
    const from = performance.now();
    await new Promise<void>((resolve) => {
      echo.hear(resolve);
      echo.send(payload);
    });
    times.push(performance.now() - from);
  }
}

/** So many on the way at once on each, until each has made its trips. */
export async function pipelined(
  echoes: readonly Echo[],
  payload: Uint8Array,
  trips: number,
  atOnce: number,
): Promise<void> {
  await Promise.all(
    echoes.map(
      (echo) =>
        new Promise<void>((resolve) => {
          let sent = 0;
          let came = 0;
          const send = (): void => {
            sent += 1;
            echo.send(payload);
          };
          echo.hear(() => {
            came += 1;
            if (came === trips) resolve();
            else if (sent < trips) send();
          });
          while (sent < Math.min(atOnce, trips)) send();
        }),
    ),
  );
}

export function random(count: number): Uint8Array {
  return new Uint8Array(randomBytes(count));
}

/** Variables with which a relay starts as its image starts it: compiled once, before. */
export function compiledRelay(): Disposable & { readonly env: Readonly<Record<string, string>> } {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-compiled-"));
  const env = { NODE_COMPILE_CACHE: folder, NODE_OPTIONS: "--max-semi-space-size=4" };
  const main = join(import.meta.dirname, "..", "relay", "main.ts");
  execFileSync(process.execPath, ["-e", `import(${JSON.stringify(main)})`], { env: { ...process.env, ...env } });
  return { env, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A relay, a bare forwarder beside it, and who is at the other end of both. */
export interface Meeting extends AsyncDisposable {
  readonly relay: RunningRelay;
  readonly node: Node;
  readonly forwarder: Child<{ readonly port: number }>;
  readonly ends: Ends;
}

export async function startMeeting(): Promise<Meeting> {
  await using held = new AsyncDisposableStack();
  const { env } = held.use(compiledRelay());
  const relay = held.use(await startRelay({ env }));
  const forwarder = held.use(await startForwarder());
  const ends = held.use(await startEnds());
  const all = held.move();
  return { relay, node: nodeOf(relay), forwarder, ends, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

export function nodeOf({ origin, port }: Node): Node {
  return { origin, port };
}
