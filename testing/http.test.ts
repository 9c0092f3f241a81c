/** The loopback door as a web page, a proxy or any program of this machine finds it: what is served, to whom, and how. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import type { BareDevice } from "./bare.ts";
import { Stranger } from "./stranger.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 30_000 };
const SECRET_FILE = "beside the app, and none of it";

let folder: string;
let world: World;
let pid: number;
let other: BareDevice | undefined;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "flybridge-app-"));
  const app = join(folder, "dist");
  mkdirSync(join(app, "assets"), { recursive: true });
  writeFileSync(join(app, "index.html"), "<!doctype html><title>the app</title>");
  writeFileSync(join(app, "assets", "app-1234.js"), "export {};");
  writeFileSync(join(app, "sw.js"), "export {};");
  writeFileSync(join(folder, "secret.txt"), SECRET_FILE);
  world = await startWorld({ args: ["--app", app, "--origin", "https://studio.example.ts.net"] });
  pid = world.pid;
  other = await world.shell();
});

after(async () => {
  other?.close();
  await world[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function isWell(): Promise<void> {
  assert.equal(world.pid, pid);
  process.kill(pid, 0);
  await other?.call("host.read", {});
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The path goes as it is: `fetch` would tidy it first. */
function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: `127.0.0.1:${world.port}`, ...options.headers };
    const asked = request({
      host: "127.0.0.1",
      port: world.port,
      path,
      method: options.method ?? "GET",
      headers,
      agent: false,
    });
    asked.on("error", reject);
    asked.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on("error", reject);
    });
    asked.end();
  });
}

/** Bytes on the socket as they are; resolves with all that came back when the host closed. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const socket = connect(world.port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (part) => (heard += part.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
    socket.setTimeout(2_000, () => socket.destroy());
  });
}

/** Refused: the status of the answer. Let in: 101. */
function upgrade(headers: Record<string, string>, path: string = LINK_PATH): Promise<number> {
  const lines = {
    Host: `127.0.0.1:${world.port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve) => {
    const socket = connect(world.port, "127.0.0.1", () => socket.write(`GET ${path} HTTP/1.1\r\n${head.join("")}\r\n`));
    socket.on("data", (part) => {
      resolve(Number(/^HTTP\/1\.1 (\d+)/u.exec(part.toString("latin1"))?.[1]));
      socket.destroy();
    });
    socket.on("error", () => resolve(0));
    socket.on("close", () => resolve(0));
  });
}

function guarded({ headers }: Answer, what: string): void {
  const policy = headers["content-security-policy"] ?? "";
  assert.match(String(policy), /default-src 'none'/u, what);
  assert.match(String(policy), /require-trusted-types-for 'script'/u, what);
  assert.match(String(policy), /frame-ancestors 'none'/u, what);
  assert.doesNotMatch(String(policy), /unsafe|\*/u, what);
  assert.equal(headers["x-content-type-options"], "nosniff", what);
  assert.equal(headers["referrer-policy"], "no-referrer", what);
  assert.equal(headers["cross-origin-opener-policy"], "same-origin", what);
  assert.equal(headers["cross-origin-resource-policy"], "same-origin", what);
  assert.equal(headers["set-cookie"], undefined, what);
  for (const name of Object.keys(headers)) assert.doesNotMatch(name, /^access-control-/u, what);
}

describe("the app over HTTP", LIMIT, () => {
  it("is served at its own addresses, each answer with the whole policy, no cookie and no CORS", async () => {
    for (const path of ["/", "/session/0198", "/pair", "/assets/app-1234.js", "/sw.js", "/?x=1"]) {
      const answer = await ask(path, { headers: { origin: "http://evil.example", cookie: "a=b" } });
      assert.equal(answer.status, 200, path);
      guarded(answer, path);
    }
    assert.equal((await ask("/assets/app-1234.js")).headers["cache-control"], "public, max-age=31536000, immutable");
    assert.equal((await ask("/")).headers["cache-control"], "no-cache");
    assert.equal((await ask("/", { method: "HEAD" })).body, "");
  });

  it("guards every error as it guards the app, and lets no error be kept", async () => {
    const answers: Record<string, [number, Promise<Answer>]> = {
      "a file that is not there": [404, ask("/nothing.js")],
      "an asset that is not there": [404, ask("/assets/gone-1.js")],
      "another name": [421, ask("/", { headers: { host: "evil.example" } })],
      "another method": [405, ask("/", { method: "POST" })],
    };
    for (const [what, [status, asked]] of Object.entries(answers)) {
      const answer = await asked;
      assert.equal(answer.status, status, what);
      guarded(answer, what);
      assert.equal(answer.headers["cache-control"], "no-cache", what);
      assert.match(String(answer.headers["content-type"]), /^text\/plain/u, what);
    }
  });

  it("is refused under every name but this machine's own (DNS rebinding)", async () => {
    const { port } = world;
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      `localhost.evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      `0.0.0.0:${port}`,
      `[::]:${port}`,
      `127.0.0.1:${port + 1}`,
      "127.0.0.1",
      `127.1:${port}`,
      `2130706433:${port}`,
      `localhost:${port}.`,
      `user@localhost:${port}`,
    ]) {
      const { status, body } = await ask("/", { headers: { host } });
      assert.ok(status === 421 || status === 400, `${host}: ${status}`);
      assert.doesNotMatch(body, /the app/u);
      assert.notEqual(await upgrade({ Host: host }), 101, host);
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "studio.example.ts.net"])
      assert.equal((await ask("/", { headers: { host } })).status, 200, host);
    assert.match(await raw("GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400/u);
  });

  it("knows no method but GET and HEAD", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
      for (const path of ["/", LINK_PATH, "/nothing.js"]) {
        const answer = await ask(path, {
          method,
          headers: { origin: "http://evil.example", "access-control-request-method": "GET" },
        });
        assert.equal(answer.status, 405, `${method} ${path}`);
        guarded(answer, `${method} ${path}`);
      }
    }
    assert.doesNotMatch(await raw(`TRACE / HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\n\r\n`), /^HTTP\/1\.1 200/u);
    assert.doesNotMatch(
      await raw(`CONNECT evil.example:80 HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\n\r\n`),
      /^HTTP\/1\.1 200/u,
    );
    await isWell();
  });

  it("leaves its folder by no path", async () => {
    for (const path of [
      "/../secret.txt",
      "/assets/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/%2e%2e%2fsecret.txt",
      "/..%5csecret.txt",
      "/..\\secret.txt",
      "/%252e%252e/secret.txt",
      "//secret.txt",
      "///etc/passwd",
      "/%00",
      "/index.html%00.txt",
      "/%E0%A4%A",
      "/%",
      `/${"a".repeat(5_000)}`,
      `/${"../".repeat(50)}etc/passwd`,
      `${join(folder, "secret.txt")}`,
      "http://127.0.0.1/../secret.txt",
      "http://evil.example/secret.txt",
      "*",
    ]) {
      const { status, body } = await ask(path);
      assert.ok(status < 500, `${path}: ${status}`);
      assert.doesNotMatch(body, new RegExp(`${SECRET_FILE}|root:`, "u"), path);
    }
    await isWell();
  });

  it("bears requests that are none", async () => {
    for (const bytes of [
      "\r\n\r\n",
      "\u0000\u0001\u0002",
      "GET\r\n\r\n",
      `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`,
      `GET / HTTP/9.9\r\n\r\n`,
      `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(5_000)}\r\n`,
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ])
      assert.doesNotMatch(await raw(bytes), /^HTTP\/1\.1 200/u);
    await isWell();
  });
});

describe("links over WebSocket", LIMIT, () => {
  it("[A25] open to a page of this app and to programs, and to no other page", async () => {
    const { port } = world;
    for (const origin of [
      "http://evil.example",
      "https://evil.example",
      "null",
      "file://",
      `http://localhost:${port + 1}`,
      "http://localhost",
      `https://localhost:${port}`,
      `http://127.0.0.1:${port}.evil.example`,
      `http://localhost:${port}@evil.example`,
      `http://LOCALHOST:${port}`,
      "https://studio.example.ts.net:8443",
      "http://studio.example.ts.net",
      `chrome-extension://${"a".repeat(32)}`,
      "",
    ])
      assert.equal(await upgrade({ Origin: origin }), 403, origin);
    for (const origin of [
      `http://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      `http://[::1]:${port}`,
      "https://studio.example.ts.net",
    ])
      assert.equal(await upgrade({ Origin: origin }), 101, origin);
    assert.equal(await upgrade({}), 101, "a program sends no origin");
  });

  it("are at one address, and a plain request to it is not one", async () => {
    for (const path of ["/", "/links", "/link/", "/LINK", "/assets/../linked"])
      assert.equal(await upgrade({}, path), 404, path);
    assert.notEqual((await ask(LINK_PATH)).status, 101);
  });

  it("are refused without a word when the request is not well made, and the host goes on", async () => {
    for (const path of ["//", "http://", "http://[", "//:0", "?", "*"])
      assert.notEqual(await upgrade({}, path), 101, path);
    assert.notEqual(await upgrade({ "Sec-WebSocket-Version": "7" }), 101);
    assert.notEqual(await upgrade({ "Sec-WebSocket-Key": "short" }), 101);
    assert.notEqual(await upgrade({ Upgrade: "h2c" }), 101);
    await isWell();
  });

  it("whose caller is gone before the answer do not take the host with them", async () => {
    for (const origin of ["http://evil.example", `http://127.0.0.1:${world.port}`]) {
      for (let time = 0; time < 50; time++) {
        await new Promise<void>((resolve) => {
          const socket = connect(world.port, "127.0.0.1", () => {
            socket.write(
              `GET ${LINK_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: ${origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
              () => socket.resetAndDestroy(),
            );
          });
          socket.on("error", () => {});
          socket.on("close", () => resolve());
        });
      }
    }
    await isWell();
  });

  it("agree to no compression, which would tell sizes of what is sealed", async () => {
    const stranger = await Stranger.at(world.port, { perMessageDeflate: true });
    assert.equal(stranger.socket.extensions, "");
    stranger.socket.terminate();
  });
});

describe("an app that is not built", LIMIT, () => {
  it("is said to be so, with how to mend it, and devices are served all the same", async () => {
    await using bare = await startWorld({ args: ["--app", join(folder, "nowhere")] });
    const answer = await fetch(`http://127.0.0.1:${bare.port}/`);
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /npm start/u);
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/u);
    const device = await bare.pair();
    await device.call("host.read", {});
    device.close();
  });
});
