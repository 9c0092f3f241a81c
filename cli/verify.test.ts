/** What a relay serves, held against what is here: by a real relay, and by one that somebody changed. */
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type RunningRelay, startRelay } from "@flybridge/testing/relay.ts";
import { openShell, type Outcome, type Shell } from "@flybridge/testing/shell.ts";

interface Served {
  status: number;
  body: Buffer;
  headers: IncomingHttpHeaders | Record<string, string>;
}

describe("what a relay serves", { timeout: 120_000 }, () => {
  let relay: RunningRelay;
  let shell: Shell;
  let between: Server;
  let origin: string;
  /** What somebody makes of an answer on its way. */
  let change: (path: string, served: Served) => void = () => {};

  before(async () => {
    relay = await startRelay();
    shell = openShell();
    between = createServer((request, response) => {
      const path = request.url ?? "/";
      void fetch(`${relay.origin}${path}`).then(async (answer) => {
        const policy = answer.headers.get("content-security-policy") ?? "";
        const served: Served = {
          status: answer.status,
          body: Buffer.from(await answer.arrayBuffer()),
          headers: { "content-security-policy": policy },
        };
        change(path, served);
        response.writeHead(served.status, served.headers).end(served.body);
      });
    });
    await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
  });
  after(async () => {
    between?.closeAllConnections();
    between?.close();
    await shell?.[Symbol.asyncDispose]();
    await relay?.[Symbol.asyncDispose]();
  });
  const verify = (at: string): Promise<Outcome> => shell.run(["verify", at]);

  it("is this installation's app, when it is", async () => {
    for (const at of [relay.origin, origin]) {
      const { code, stdout, stderr } = await verify(at);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /The same: all \d{2,} files/u);
    }
  });

  const changes: readonly [name: string, change: typeof change, says: RegExp][] = [
    [
      "one byte of a script",
      (path, served) => {
        if (/^\/assets\/index-.*\.js$/u.test(path)) served.body = Buffer.concat([served.body, Buffer.from(" ")]);
      },
      /differs\s+\/assets\/index-[^\s]+\.js/u,
    ],
    [
      "the page at one address only",
      (path, served) => {
        if (path === "/account") served.body = Buffer.from(served.body.toString().replace("<body", "<body data-x"));
      },
      /differs\s+\/account/u,
    ],
    [
      "what the page may do",
      (path, served) => {
        if (path !== "/") return;
        const policy = String(served.headers["content-security-policy"]);
        served.headers = { "content-security-policy": policy.replace("connect-src 'self'", "connect-src *") };
      },
      /header\s+\/\s+content-security-policy: .*connect-src \*/u,
    ],
    [
      "the service worker, which is gone",
      (path, served) => {
        if (path === "/sw.js") served.status = 404;
      },
      /missing\s+\/sw\.js/u,
    ],
    [
      "a script more than there was",
      (path, served) => {
        if (path !== "/integrity.json") return;
        const list = JSON.parse(served.body.toString()) as Record<string, string>;
        served.body = Buffer.from(JSON.stringify({ ...list, "assets/more.js": list["sw.js"] }));
      },
      /more\s+\/assets\/more\.js/u,
    ],
  ];
  for (const [name, made, says] of changes)
    it(`is not, and says what: ${name}`, async () => {
      change = made;
      const { code, stdout } = await verify(origin);
      change = () => {};
      assert.equal(code, 1, stdout);
      assert.match(stdout, says);
      assert.match(stdout, /Not the same\./u);
    });

  it("cannot be told of what does not answer, leads elsewhere, or is no relay's address", async () => {
    change = (_path, served) => {
      served.status = 302;
      served.headers = { location: relay.origin };
    };
    const led = await verify(origin);
    change = () => {};
    assert.equal(led.code, 1);
    assert.match(led.stderr, /does not answer as a relay does/u);
    const away = await verify("http://127.0.0.1:9");
    assert.equal(away.code, 1);
    assert.match(away.stderr, /Check its address/u);
    const none = await verify("relay.example");
    assert.equal(none.code, 2);
    assert.match(none.stderr, /starts with https/u);
  });
});
