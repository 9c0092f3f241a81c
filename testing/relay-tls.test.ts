/** A relay with a certificate of its own, or behind proxies: who may speak to it in the clear, and what becomes of a certificate. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { get, type RequestOptions } from "node:http";
import { get as getSecure } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { RELAY_FRAME_BYTES, RELAY_PATH } from "@flybridge/protocol/relay/words.ts";
import { configFrom } from "@flybridge/relay/config.ts";
import { startRelay as startHere } from "@flybridge/relay/relay.ts";
import { webSocketLink } from "@flybridge/transport/websocket.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { WebSocket } from "ws";
import { makeApart, RELAY_ADDRESS, whyNotApart } from "./apart.ts";
import { type Authority, makeAuthority, type Signed } from "./authority.ts";
import type { BareDevice } from "./bare.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { offerBy, RelayedDevice } from "./relayed.ts";
import { Wire } from "./wire.ts";
import { startWorld, type World } from "./world.ts";

const LOOK_MS = 20;
const PATIENCE_MS = 20_000;
/** How long a certificate counts that is about to expire. */
const SOON_MS = 2_000;

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const late = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    assert.ok(performance.now() < late, `never: ${what}`);
    await delay(LOOK_MS);
  }
}

describe("a relay with a certificate", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-relay-tls-"));
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem"), ca: join(folder, "ca.pem") };
  const held = new AsyncDisposableStack();
  let authority: Authority;
  let wire: Wire;
  let relay: RunningRelay;
  let world: World;
  let shell: BareDevice;

  /** As whatever renews certificates does it: each file whole, one after the other. */
  const put = ({ cert, key }: Signed): void => {
    for (const [path, text] of [
      [files.cert, cert],
      [files.key, key],
    ] as const) {
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
    }
  };
  /** Of the certificate that is shown to whoever comes now. */
  const shown = async (): Promise<string> => {
    const socket = connectTls({ host: "127.0.0.1", port: relay.port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const renew = async (signed: Signed): Promise<void> => {
    const before = await shown();
    put(signed);
    process.kill(relay.pid, "SIGHUP");
    await until("it is shown", async () => (await shown()) !== before);
  };
  const status = async () => (await shell.call("relay.list", {})).relays[0]!.status;
  const link = (): Link =>
    webSocketLink(
      new WebSocket(`wss://127.0.0.1:${wire.port}${RELAY_PATH}`, {
        ca: authority.cert,
        maxPayload: RELAY_FRAME_BYTES,
        perMessageDeflate: false,
      }),
      { maxFrameBytes: RELAY_FRAME_BYTES },
    );

  before(async () => {
    held.defer(() => rmSync(folder, { recursive: true, force: true }));
    authority = await makeAuthority();
    writeFileSync(files.ca, authority.cert);
    put(await authority.sign(["127.0.0.1"]));
    wire = held.use(await Wire.open());
    relay = held.use(
      await startRelay({
        env: {
          FLYBRIDGE_RELAY_ORIGIN: `https://127.0.0.1:${wire.port}`,
          FLYBRIDGE_RELAY_TLS_CERT: files.cert,
          FLYBRIDGE_RELAY_TLS_KEY: files.key,
          FLYBRIDGE_RELAY_APP: "no",
        },
      }),
    );
    wire.to = relay.port;
    world = held.use(
      await startWorld({
        args: ["--relay", relay.origin, "--confirm", "never"],
        env: { NODE_EXTRA_CA_CERTS: files.ca },
      }),
    );
    shell = await world.shell();
    held.defer(() => shell.close());
  });
  after(() => held.disposeAsync());

  it("[D05] [D51] is reached by TLS of today, and by nothing else", async () => {
    await untilRelayed(shell);
    const device = await RelayedDevice.pair(await offerBy(shell), "phone", link());
    assert.equal((await device.device.call("host.read", {})).name, "test host");
    device.device.close();
    await assert.rejects(answerOf({ port: relay.port, path: "/health" }), /socket hang up|ECONNRESET|Parse Error/u);
    const old = connectTls({
      host: "127.0.0.1",
      port: relay.port,
      rejectUnauthorized: false,
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
    });
    await assert.rejects(once(old, "secureConnect"), /alert|protocol/iu);
    const { status: code } = await answerOf({ port: relay.port, path: "/health", ca: authority.cert });
    assert.equal(code, 200);
  });

  it("is not spoken to by a host that does not know who signed it, which says so", async () => {
    await using other = await startWorld({ args: ["--relay", relay.origin] });
    const elsewhere = await other.shell();
    await until("it says so", async () => {
      const { status: one } = (await elsewhere.call("relay.list", {})).relays[0]!;
      return one.kind === "away" && /certificate/u.test(one.reason);
    });
    elsewhere.close();
  });

  it("shows a new certificate from the next connection on, and ends none for it", async () => {
    const { since } = (await untilRelayed(shell)).status;
    await renew(await authority.sign(["127.0.0.1"]));
    const after = await status();
    assert.deepEqual([after.kind, after.since], ["live", since]);
    assert.match(relay.log(), /the certificate was read anew/u);
    // What is none leaves the one that there was.
    const before = await shown();
    writeFileSync(files.cert, "none");
    process.kill(relay.pid, "SIGHUP");
    await until("it says so", () => /the new certificate cannot be used/u.test(relay.log()));
    assert.equal(await shown(), before);
    assert.doesNotMatch(relay.log(), /PRIVATE KEY/u);
  });

  it("is not spoken to when its certificate has expired, and is again when there is a new one", async () => {
    await renew(await authority.sign(["127.0.0.1"], new Date(Date.now() + SOON_MS)));
    await delay(SOON_MS);
    assert.equal((await status()).kind, "live", "what is there stays");
    wire.cut();
    await until("the host says why", async () => {
      const now = await status();
      return now.kind === "away" && /expired/u.test(now.reason);
    });
    await renew(await authority.sign(["127.0.0.1"]));
    await untilRelayed(shell);
  });
});

describe("a relay that was given no origin", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-relay-origin-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  const started = async (env: Readonly<Record<string, string>>): Promise<{ origin: string; port: number }> => {
    const config = configFrom({
      FLYBRIDGE_RELAY_DATA: join(folder, String(++count)),
      FLYBRIDGE_RELAY_APP: "no",
      ...env,
    });
    const relay = await startHere(config, { info() {}, warn() {} });
    const { origin, port } = relay;
    await relay.stop();
    return { origin, port };
  };

  it("has that of where it listens", async () => {
    for (const [listens, name] of [
      ["127.0.0.1:0", "http://127.0.0.1"],
      ["127.0.0.2:0", "http://127.0.0.2"],
      ["localhost:0", "http://localhost"],
      ["[::1]:0", "http://[::1]"],
      ["[0:0:0:0:0:0:0:1]:0", "http://[::1]"],
    ] as const) {
      const { origin, port } = await started({ FLYBRIDGE_RELAY_LISTEN: listens });
      assert.equal(origin, `${name}:${port}`);
    }
    const authority = await makeAuthority();
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const signed = await authority.sign(["localhost"]);
    writeFileSync(cert, signed.cert);
    writeFileSync(key, signed.key, { mode: 0o600 });
    const { origin, port } = await started({
      FLYBRIDGE_RELAY_LISTEN: "localhost:0",
      FLYBRIDGE_RELAY_TLS_CERT: cert,
      FLYBRIDGE_RELAY_TLS_KEY: key,
    });
    assert.equal(origin, `https://localhost:${port}`);
  });
});

describe("a relay behind a proxy", { timeout: 60_000 }, () => {
  it("[D51] hears by the proxy's word who came to it by TLS, and speaks to nobody who did not", async () => {
    await using relay = await startRelay({
      env: { FLYBRIDGE_RELAY_TRUSTED_PROXY: "127.0.0.1", FLYBRIDGE_RELAY_APP: "no" },
    });
    const { port } = relay;
    const by = (headers: Record<string, string>, path = "/health"): Promise<number> =>
      answerOf({ port, path, headers }).then(({ status }) => status);
    assert.equal(await by({ "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" }), 200);
    assert.equal(await by({ "x-forwarded-proto": "http", "x-forwarded-for": "192.0.2.1" }), 400);
    const upgrade = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    assert.equal(
      await by({ ...upgrade, "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" }, RELAY_PATH),
      101,
    );
    assert.equal(await by({ ...upgrade, "x-forwarded-proto": "ws" }, RELAY_PATH), 400);
    // What is for this machine is not for whom it speaks for.
    assert.equal(await by({ "x-forwarded-for": "127.0.0.1" }, "/metrics"), 200);
    assert.equal(await by({ "x-forwarded-for": "192.0.2.1" }, "/metrics"), 404);
    assert.equal(await by({ "x-forwarded-for": "127.0.0.1, 192.0.2.1" }, "/metrics"), 404);
    // Nor for a page that has its own name lead here.
    assert.equal(await by({ "x-forwarded-for": "127.0.0.1", host: `rebound.example:${port}` }, "/metrics"), 404);
    assert.equal(await by({ "x-forwarded-for": "127.0.0.1", host: `[::1]:${port}` }, "/metrics"), 200);
  });

  const skip = whyNotApart();
  it(
    "[D05] [D51] speaks in the clear to that proxy, and to nobody else on its network",
    { skip: skip ?? false },
    async () => {
      using apart = makeApart();
      const port = 7_684;
      await using relay = await startRelay({
        under: apart.under("relay"),
        address: "0.0.0.0",
        port,
        env: {
          FLYBRIDGE_RELAY_ORIGIN: "https://relay.example",
          // Where the host's machine is.
          FLYBRIDGE_RELAY_TRUSTED_PROXY: "10.78.1.2",
          FLYBRIDGE_RELAY_APP: "no",
        },
      });
      assert.ok(relay.pid > 0);
      const from = (machine: "host" | "phone", headers: Record<string, string>): number => {
        const [program = "", ...words] = apart.under(machine);
        const ask = `fetch("http://${RELAY_ADDRESS}:${port}/health", { headers: ${JSON.stringify(headers)} }).then(({ status }) => console.log(status))`;
        return Number(
          execFileSync(program, [...words, process.execPath, "-e", ask], {
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
          }),
        );
      };
      const said = { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1" };
      assert.deepEqual([from("host", said), from("host", {})], [200, 200]);
      assert.deepEqual(
        [from("phone", said), from("phone", {}), from("phone", { ...said, "x-forwarded-for": "127.0.0.1" })],
        [400, 400, 400],
      );
    },
  );
});

/** Of a request over TLS where an authority is given. */
async function answerOf(options: RequestOptions & { readonly ca?: string }): Promise<{ readonly status: number }> {
  const request = (options.ca === undefined ? get : getSecure)({ host: "127.0.0.1", agent: false, ...options });
  const answered = new Promise<number>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
  });
  return { status: await answered };
}
