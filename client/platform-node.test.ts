import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { toBase64Url } from "@flybridge/protocol/offer.ts";
import type { AgentName, HostId } from "@flybridge/protocol/ids.ts";
import { LINK_PATH, RECORD_BYTES } from "@flybridge/protocol/relay.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import { WebSocketServer } from "ws";
import type { WatchedCell } from "./cell.ts";
import { fileKeys } from "./keys-node.ts";
import { deviceIdOf } from "./keys.ts";
import { makeBridge } from "./make-bridge.ts";
import { nodePlatform } from "./platform-node.ts";
import { originOf } from "./platform.ts";
import { smallHost } from "./small-host.contract.ts";

/** Resolves once the cell's value is as wanted. */
function when<T extends object>(cell: { value: T }, met: (value: T) => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (met(cell.value)) {
      resolve();
      return;
    }
    const stop = (cell as WatchedCell<T>).watch((value) => {
      if (!met(value)) return;
      stop();
      resolve();
    });
  });
}

describe("a shell", () => {
  const host = smallHost(systemClock, 11);
  let folder: string;
  let socketPath: string;
  const server = createServer();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "flybridge-shell-"));
    socketPath = join(folder, "host.sock");
    const sockets = new WebSocketServer({
      server,
      path: LINK_PATH,
      maxPayload: RECORD_BYTES,
      perMessageDeflate: false,
    });
    sockets.on("connection", (socket) => {
      host.accept(webSocketLink(socket, { maxFrameBytes: RECORD_BYTES }));
    });
    server.listen(socketPath);
    await once(server, "listening");
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it("[A23] pairs over a local socket, and its next command connects without pairing", async () => {
    const options = { folder: join(folder, "device"), addresses: [socketPath] };
    const bridge = await makeBridge(await nodePlatform(options));
    const replica = await bridge.pair(host.offer(), { name: "shell", kind: "cli" });
    const { session } = await replica.intend("session.create", { agent: "demo" as AgentName, workspace: "/w" }).settled;
    await when(replica.view, (view) => view.sessions[session] !== undefined);
    bridge.close();

    // Several commands of one shell at the same time.
    const commands = await Promise.all([1, 2, 3].map(async () => makeBridge(await nodePlatform(options))));
    await Promise.all(
      commands.map(async (command) => {
        const known = command.hosts.value.list[0]!;
        assert.equal(known.host, host.id);
        await command.replica(known.host).call("workspace.list", {});
        command.close();
      }),
    );
  });

  it("[A24] keeps its keys in files that only their owner can read", async () => {
    const place = join(folder, "keys");
    const ring = await fileKeys(place);
    await ring.device();
    await ring.keep("h" as HostId, [new Uint8Array(32).fill(9)]);
    assert.equal((await stat(place)).mode & 0o777, 0o700);
    const names = await readdir(place);
    assert.deepEqual(names.sort(), ["device.key", "h.secret"]);
    for (const name of names) assert.equal((await stat(join(place, name))).mode & 0o777, 0o600);
    // What the first test left in the store, which other parts of a shell read, has none of it.
    const secret = (await readFile(join(folder, "device", "keys", "device.key"), "utf8")).trim();
    for (const table of ["hosts", "outbox", "views", "feeds"])
      for (const name of await readdir(join(folder, "device", "store", table)))
        assert.ok(!(await readFile(join(folder, "device", "store", table, name), "utf8")).includes(secret));
  });

  it("has one key, whoever asks first, and says which file is damaged", async () => {
    const place = join(folder, "other");
    const rings = await Promise.all([1, 2, 3, 4].map(() => fileKeys(place)));
    const devices = await Promise.all(rings.map(async (ring) => deviceIdOf(await ring.device())));
    assert.equal(new Set(devices).size, 1);
    assert.match(devices[0]!, /^[A-Za-z0-9_-]{43}$/u);
    const [ring] = rings;
    const secrets = [new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)];
    await ring!.keep("h" as HostId, secrets);
    assert.deepEqual((await ring!.secrets("h" as HostId)).map(toBase64Url), secrets.map(toBase64Url));
    await ring!.forget("h" as HostId);
    assert.deepEqual(await ring!.secrets("h" as HostId), []);
    await rm(join(place, "device.key"));
    await writeFile(join(place, "device.key"), "nonsense");
    await assert.rejects(ring!.device(), { name: "StoreError", message: /device\.key is damaged/u });
  });

  it("[E46] speaks to nobody beyond this machine in the clear, and says so", async () => {
    const platform = await nodePlatform({ folder: join(folder, "careful"), addresses: ["ws://192.0.2.1:7683"] });
    const bridge = await makeBridge(platform);
    const nobody = { ...host.offer(), addresses: [{ host: "127.0.0.1", port: 1 }] as const };
    await assert.rejects(bridge.pair(nobody, { name: "careful", kind: "cli" }), {
      fault: "unreachable",
      message: /ws:\/\/192\.0\.2\.1:7683 is not encrypted/u,
    });
    bridge.close();
  });

  it("dials plainly on this machine and over TLS beyond it", () => {
    assert.equal(originOf({ host: "127.0.0.1", port: 7683 }), "ws://127.0.0.1:7683");
    assert.equal(originOf({ host: "::1", port: 1 }), "ws://[::1]:1");
    assert.equal(originOf({ host: "192.168.1.2", port: 7683 }), "wss://192.168.1.2:7683");
    assert.equal(originOf({ host: "127.evil.example", port: 7683 }), "wss://127.evil.example:7683");
  });
});
