/** The door beyond this machine: real TLS, what is refused there, and who is noticed to stand in between. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer, get as getSecure } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Bridge } from "@flybridge/client/bridge.ts";
import type { WatchedCell } from "@flybridge/client/cell.ts";
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { nodePlatform } from "@flybridge/client/platform-node.ts";
import type { HostView, KnownHost, Replica } from "@flybridge/client/replica.ts";
import { ownCertificate } from "@flybridge/host/machine/certificate.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { encodeHostHello, LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocket, WebSocketServer } from "ws";
import { BareDevice, newIntent } from "./bare.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 240_000 };
/** Of loopback, and not the loopback door's: what is said there in the clear is refused as on any network. */
const ADDRESS = "127.0.0.2";

/** A wire to a host that keeps all that goes over it. */
class Tap {
  readonly heard: Buffer[] = [];
  to: { readonly address: string; readonly port: number } | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((device) => {
      const host = connect(this.to?.port ?? 0, this.to?.address);
      for (const [one, other] of [
        [device, host],
        [host, device],
      ] as const) {
        this.#sockets.add(one);
        one.on("data", (bytes: Buffer) => this.heard.push(bytes));
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
  }

  static async open(): Promise<Tap> {
    const tap = new Tap();
    await once(tap.#server.listen(0, "127.0.0.1"), "listening");
    return tap;
  }

  get origin(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

let folder: string;
let world: World;
let tap: Tap;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "flybridge-tls-"));
  tap = await Tap.open();
  world = await startWorld({ args: ["--bind", ADDRESS, "--no-mdns", "--origin", tap.origin, "--confirm", "never"] });
  tap.to = world.tls;
});
after(async () => {
  tap?.close();
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Ends TLS with a certificate of its own. `meet` has each link that comes. */
async function between(meet: (device: WebSocket) => void): Promise<AsyncDisposable & { readonly address: string }> {
  const own = await ownCertificate(mkdtempSync(join(folder, "between-")), ["127.0.0.1"], Date.now());
  const server = createHttpsServer(own);
  new WebSocketServer({ server, path: LINK_PATH, perMessageDeflate: false }).on("connection", meet);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    address: `wss://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Hands on every frame as it is, to the real host and back. */
function forward(device: WebSocket): void {
  const host = new WebSocket(`wss://${ADDRESS}:${world.tls.port}${LINK_PATH}`, { rejectUnauthorized: false });
  const early: Buffer[] = [];
  host.on("open", () => early.splice(0).forEach((frame) => host.send(frame)));
  device.on("message", (frame: Buffer) => (host.readyState === WebSocket.OPEN ? host.send(frame) : early.push(frame)));
  host.on("message", (frame: Buffer) => device.send(frame));
  // As the host closes it.
  host.on("close", () => device.close(1000));
  device.on("close", () => host.close(1000));
  host.on("error", () => device.terminate());
  device.on("error", () => host.terminate());
}

const door = (): string => `wss://${ADDRESS}:${world.tls.port}`;

async function offer(): Promise<string> {
  const shell = await world.shell();
  const { connection } = await shell.call("offer.make", {}, newIntent());
  shell.close();
  return connection;
}

/** A native device: the client as a program has it. */
async function native(name: string, address: string): Promise<Bridge> {
  return makeBridge(await nodePlatform({ folder: join(folder, name), addresses: [address] }));
}

/** Changes what a device knows of its host. */
function rewrite(name: string, known: KnownHost): void {
  const table = join(folder, name, "store", "hosts");
  const [file = ""] = readdirSync(table);
  writeFileSync(join(table, file), JSON.stringify(known));
}

/** The string without addresses that lead anywhere: only those given to the device are left. */
function nowhere(connection: string): ReturnType<typeof parseConnection> {
  return { ...parseConnection(connection), addresses: [{ host: "127.0.0.1", port: 1 }] };
}

function until<T>(replica: Replica, find: (view: HostView) => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    const cell = replica.view as WatchedCell<HostView>;
    const look = (view: HostView): boolean => {
      const found = find(view);
      if (found !== undefined) resolve(found);
      return found !== undefined;
    };
    if (look(cell.value)) return;
    const stop = cell.watch((view) => look(view) && stop());
  });
}

const settled = ({ connection }: HostView) =>
  connection.kind === "live" || connection.kind === "refused" ? connection : undefined;

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const to = { host: ADDRESS, port: world.tls.port, rejectUnauthorized: false };
    const socket = connectTls({ ...to, ...options }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** The listening sockets of a process, as the kernel has them (proc(5)). */
function listeners(pid: number): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/u.exec(link(`/proc/${pid}/fd/${fd}`))?.[1]),
  );
  const rows = readFileSync(`/proc/${pid}/net/tcp`, "utf8").trim().split("\n").slice(1);
  const LISTEN = "0A";
  return rows.flatMap((row) => {
    const [, local = "", , state, , , , , , inode] = row.trim().split(/\s+/u);
    if (state !== LISTEN || !own.has(inode)) return [];
    const [address = "", port = ""] = local.split(":");
    const bytes =
      address
        .match(/../gu)
        ?.map((byte) => Number.parseInt(byte, 16))
        .toReversed() ?? [];
    return [`${bytes.join(".")}:${Number.parseInt(port, 16)}`];
  });
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since it was listed.
    return "";
  }
}

describe("the door beyond this machine", LIMIT, () => {
  it("[A33] speaks TLS 1.2 and 1.3, not below, with a certificate that the host made itself", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await assert.rejects(handshake(old), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      const certificate = socket.getPeerX509Certificate();
      assert.ok(certificate);
      assert.equal(certificate.issuer, certificate.subject);
      assert.equal(certificate.checkIP(ADDRESS), ADDRESS);
      assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
      socket.destroy();
    }
  });

  it("[A11] refuses whatever is said in the clear, and says what to do instead", async () => {
    const [response] = (await once(get(`http://${ADDRESS}:${world.tls.port}/`), "response")) as [IncomingMessage];
    assert.equal(response.statusCode, 400);
    const [words] = (await once(response, "data")) as [Buffer];
    assert.match(words.toString(), /https:\/\//u);
    const socket = new WebSocket(`ws://${ADDRESS}:${world.tls.port}${LINK_PATH}`);
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /Unexpected server response: 400/u);
  });

  it("[A11] [B21] lets nothing be read by who is on the way", async () => {
    const connection = await offer();
    const bridge = await native("tapped", tap.origin.replace("https", "wss"));
    const replica = await bridge.pair(nowhere(connection), { name: "tapped phone", kind: "phone" });
    await until(replica, settled);
    await replica.call("workspace.list", {});
    bridge.close();
    const heard = Buffer.concat(tap.heard).toString("latin1");
    assert.ok(heard.length > 1_000, "it went this way");
    for (const word of ["flybridge", "GET /link", "tapped", "workspace", parseConnection(connection).name ?? "?"])
      assert.ok(!heard.includes(word), word);
  });

  it("answers to its own names only, and to no page of another site", async () => {
    const ask = async (host: string): Promise<number> => {
      const asked = getSecure({ host: ADDRESS, port: world.tls.port, rejectUnauthorized: false, headers: { host } });
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      response.resume();
      return response.statusCode ?? 0;
    };
    const { port } = world.tls;
    for (const host of ["evil.example", `evil.example:${port}`, `127.0.0.1:${port}`, `${ADDRESS}:${port + 1}`, ADDRESS])
      assert.equal(await ask(host), 421, host);
    // The app is not built here; it is asked for all the same.
    for (const host of [`${ADDRESS}:${port}`, new URL(tap.origin).host]) assert.notEqual(await ask(host), 421, host);
    const upgrade = (origin: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(door() + LINK_PATH, { origin, rejectUnauthorized: false });
        socket.once("error", ({ message }) => resolve(message));
        socket.once("open", () => {
          resolve("open");
          socket.terminate();
        });
      });
    assert.equal(await upgrade(`https://${ADDRESS}:${port}`), "open");
    for (const origin of [`http://${ADDRESS}:${port}`, "https://evil.example", "null", `https://${ADDRESS}`])
      assert.match(await upgrade(origin), /403/u, origin);
  });

  it("goes on whatever comes there: nothing, noise, half a handshake, a caller who is gone", async () => {
    const { pid } = world;
    const UPGRADE = `GET ${LINK_PATH} HTTP/1.1\r\nHost: ${ADDRESS}:${world.tls.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
    const noise = (first: number): Buffer => Buffer.concat([Buffer.of(first), randomBytes(2_000)]);
    for (let round = 0; round < 25; round++) {
      for (const bytes of [Buffer.alloc(0), noise(0x16), noise(0x47), Buffer.of(0x16, 3, 1), Buffer.from(UPGRADE)]) {
        const socket = connect(world.tls.port, ADDRESS, () => socket.end(bytes));
        socket.on("error", () => {});
        await once(socket.resume(), "close");
      }
      const secure = await handshake({});
      secure.on("error", () => {});
      secure.write(UPGRADE, () => secure.destroy());
      await once(secure, "close");
    }
    const shell = await world.shell();
    await shell.call("host.read", {});
    shell.close();
    assert.equal(world.pid, pid);
    assert.equal(world.errors(), "");
  });

  it("[B19] [E42] [E45] is at the address and port that were asked for, and there is none unless asked", async () => {
    const { port } = world.tls;
    assert.deepEqual(listeners(world.pid).toSorted(), [`127.0.0.1:${port}`, `${ADDRESS}:${port}`]);
    await using shut = await startWorld();
    assert.deepEqual(listeners(shut.pid), [`127.0.0.1:${shut.port}`]);
    await using wide = await startWorld({ args: ["--bind", "0.0.0.0", "--no-mdns"] });
    assert.deepEqual(listeners(wide.pid), [`0.0.0.0:${wide.port}`]);
    const shell = await wide.shell();
    const { connection, link: opened } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    for (const address of parseConnection(connection).addresses) assert.equal(address.port, wide.port);
    assert.match(opened, new RegExp(`^https://[^/]+:${wide.port}/pair#flybridge:`, "u"));
    // On this machine itself the app stays where it was.
    assert.notEqual((await fetch(`http://127.0.0.1:${wide.port}/`)).status, 421);
  });

  it("[B11] keeps its key and certificate in files of its owner's alone, and uses them again", async () => {
    const before = world.tls.fingerprint;
    for (const file of ["tls.key", "tls.crt"]) assert.equal(statSync(join(world.state, file)).mode & 0o777, 0o600);
    await world.kill();
    await world.restart();
    assert.equal(world.tls.fingerprint, before);
  });
});

describe("a native device", LIMIT, () => {
  it("[A12] [B22] [A35] pins the key it saw when it paired, and comes back to it", async () => {
    const bridge = await native("pins", door());
    const replica = await bridge.pair(nowhere(await offer()), { name: "pins", kind: "cli" });
    await until(replica, settled);
    bridge.close();
    const again = await native("pins", door());
    const [known] = again.hosts.value.list;
    assert.equal(known?.certificate, world.tls.fingerprint);
    assert.equal((await until(again.replica(known!.host), settled)).kind, "live");
    again.close();
  });

  it("is cut off at once when it is revoked", async () => {
    const bridge = await native("revoked", door());
    const replica = await bridge.pair(nowhere(await offer()), { name: "revoked", kind: "cli" });
    await until(replica, settled);
    const shell = await world.shell();
    await shell.call("device.revoke", { device: replica.view.value.known.device }, newIntent());
    shell.close();
    await until(replica, ({ connection }) => (connection.kind === "refused" ? true : undefined));
    bridge.close();
  });

  it("[A35] finds out whoever ends its TLS in between, the first time and later; a device that cannot look does not", async () => {
    await using middle = await between(forward);
    const connection = nowhere(await offer());
    const caught = await native("caught", middle.address);
    await assert.rejects(caught.pair(connection, { name: "caught", kind: "cli" }), { fault: "refused" });
    caught.close();
    // The secret was not told: the offer still pairs, over the straight way.
    const bridge = await native("straight", door());
    const replica = await bridge.pair(connection, { name: "straight", kind: "cli" });
    await until(replica, settled);
    const { known } = replica.view.value;
    bridge.close();
    // The same device, without its pin, meets the one in between when it comes back.
    const { certificate: _, ...unpinned } = known;
    rewrite("straight", { ...unpinned, addresses: [middle.address] });
    const later = await native("straight", middle.address);
    // Not live: the host's end of the handshake does not verify, and it closes the link.
    const tried = await until(later.replica(known.host), ({ connection }) =>
      connection.kind === "connecting" ? undefined : connection,
    );
    assert.ok(tried.kind === "offline");
    assert.match(tried.reason, /closed the connection before it was ready/u);
    later.close();
    // As a browser does: what is sealed passes, and stays sealed.
    const blind = webSocketLink(new WebSocket(middle.address + LINK_PATH, { rejectUnauthorized: false }), {
      maxFrameBytes: RECORD_BYTES,
    });
    const device = await BareDevice.pair(await offer(), "blind", blind);
    await device.call("host.read", {});
    device.close();
  });

  it("[A12] [A34] refuses another key, shows both, and says nothing to who holds it", async () => {
    const bridge = await native("refuses", door());
    const replica = await bridge.pair(nowhere(await offer()), { name: "refuses", kind: "cli" });
    await until(replica, settled);
    const { known } = replica.view.value;
    const was = world.tls.fingerprint;
    bridge.close();

    // Someone with all that is public of the host, its hello included.
    let frames = 0;
    let met = 0;
    await using impostor = await between((device) => {
      met++;
      device.on("message", () => frames++);
      device.send(encodeHostHello({ flybridge: 1, versions: [1, 1], host: known.host, features: ["exporter"] }));
    });
    rewrite("refuses", { ...known, addresses: [impostor.address] });
    const fooled = await native("refuses", impostor.address);
    const stranger = fooled.replica(known.host);
    const refused = await until(stranger, settled);
    assert.ok(refused.kind === "refused" && refused.reason === "wrong_certificate");
    assert.match(refused.shown ?? "", /^SHA256:[\w+/]{43}$/u);
    await assert.rejects(stranger.call("workspace.list", {}), (error: Error) =>
      error.message.includes(`It was ${was} and is ${refused.shown}.`),
    );
    fooled.close();
    assert.deepEqual([met, frames], [1, 0]);

    // The host itself with a new key: the same, until the person pairs again.
    await world.kill();
    for (const file of ["tls.key", "tls.crt"]) rmSync(join(world.state, file));
    await world.restart();
    const now = world.tls.fingerprint;
    assert.notEqual(now, was);
    rewrite("refuses", { ...known, addresses: [door()] });
    const changed = await native("refuses", door());
    const told = await until(changed.replica(known.host), settled);
    assert.ok(told.kind === "refused" && told.reason === "wrong_certificate");
    assert.deepEqual([changed.hosts.value.list[0]?.certificate, told.shown], [was, now]);
    const anew = await changed.pair(nowhere(await offer()), { name: "refuses", kind: "cli" });
    assert.equal((await until(anew, settled)).kind, "live");
    assert.equal(anew.view.value.known.certificate, now);
    changed.close();
  });
});
