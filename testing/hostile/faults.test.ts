/** Ten faults that others had, each as a test named after it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fingerprintOf } from "@flybridge/host/live/rules.ts";
import type { ApprovalAsk } from "@flybridge/protocol/ask.ts";
import { opened } from "@flybridge/protocol/fold.ts";
import type { AgentName, AskId, DeviceId, SessionId } from "@flybridge/protocol/ids.ts";
import { formatConnection, parseConnection } from "@flybridge/protocol/offer.ts";
import { encodeDeviceHello, LINK_PATH } from "@flybridge/protocol/relay.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { WebSocket, WebSocketServer } from "ws";
import { BareDevice, type Keys, linkTo, newIntent } from "../bare.ts";
import { DESKTOP, launchChromium, openPage } from "../browser.ts";
import { Stranger } from "../stranger.ts";
import { TerminalDevice } from "../terminal.ts";
import { startWorld, type World } from "../world.ts";
import { comerTo, Place, WAYS } from "./ways.ts";

for (const way of WAYS)
  describe(`faults that others had, ${way}`, { timeout: 180_000 }, () => {
    let place: Place;
    let world: World;
    let owner: BareDevice;

    before(async () => {
      place = await Place.open(way);
      ({ world } = place);
      owner = await place.pair("owner");
    });
    after(async () => {
      owner?.close();
      await place?.[Symbol.asyncDispose]();
    });

    it("[B23] 1. a device that was authenticated on one way in and not on another: every way is the same handshake", async () => {
      const { connection } = await owner.call("offer.make", {});
      for (const { link } of [await place.knock(connection), comerTo(`ws+unix://${world.socket}:${LINK_PATH}`)]) {
        const frames: Uint8Array[] = [];
        const greeted = Promise.withResolvers<void>();
        const ended = new Promise((resolve) =>
          link.listen({
            frame(bytes) {
              frames.push(bytes);
              greeted.resolve();
            },
            drained() {},
            ended: resolve,
          }),
        );
        await greeted.promise;
        link.send(encodeDeviceHello({ v: 1, purpose: "reconnect", features: [] }));
        link.send(new Uint8Array(112));
        link.send(new TextEncoder().encode('{"t":"call","call":1,"method":"host.read","params":{}}'));
        await ended;
        assert.equal(frames.length, 1, "its hello and no word more");
      }
    });

    it("2. a scope that one path checks and another does not, and a request that changes between shown and approved", async () => {
      const { session } = await owner.call("session.create", { agent: "demo" as never, workspace: world.home });
      const guest = await place.share(session, ["read", "share"], "a guest");
      await assert.rejects(guest.call("offer.make", {}), { code: "forbidden" });
      await assert.rejects(guest.call("session.share", { session, verbs: ["read", "prompt"] }), { code: "forbidden" });
      guest.close();

      await using careful = await Place.open(way, { args: ["--confirm", "always"] });
      const { shell } = careful;
      const { connection } = await shell.call("offer.make", {});
      const first = careful.redeem(connection, "what was shown").then(
        () => "in",
        () => "turned away",
      );
      await shell.call("feed.follow", { from: 0 });
      const waiting = await shell.until(() => {
        for (const message of shell.messages)
          if (message.t === "feed")
            for (const { fact } of message.facts) if (fact.kind === "pairing") return fact.pairing;
        return undefined;
      });
      assert.equal(waiting.name, "what was shown");
      // The offer is used up: nobody can take its place, nor the one that waits another name.
      await assert.rejects(careful.redeem(connection, "another"));
      const { pairings } = await shell.call("pairing.list", {});
      assert.deepEqual(pairings, [waiting]);
      await shell.call("pairing.refuse", { pairing: waiting.pairing });
      assert.equal(await first, "turned away");
      assert.ok(!(await shell.call("device.list", {})).devices.some(({ name }) => name === "what was shown"));
    });

    it("5. a pairing code that is short, good twice, or guessed at without end", async () => {
      const { connection, link } = await owner.call("offer.make", {});
      const { offer, secret } = parseConnection(connection);
      assert.deepEqual([offer.length, secret.length], [8, 32]);
      const wrong = formatConnection({ ...parseConnection(connection), secret: secret.map((byte) => byte ^ 1) });
      for (let time = 0; time < 20; time++) {
        // A relay that lies lets whoever guesses through to the host.
        const { link, route } = await place.knock(connection);
        await assert.rejects(BareDevice.pair(wrong, "guesses", link, route), HandshakeError);
      }
      const late = await place.knock(connection);
      (await place.redeem(connection, "the first")).close();
      await assert.rejects(BareDevice.pair(connection, "the second", late.link, late.route), HandshakeError);
      await assert.rejects(place.redeem(connection, "the third"));
      const { rows } = await owner.call("audit.list", {});
      assert.equal(
        rows.filter(({ event }) => event === "offer.refused").length,
        1,
        "[A27] the second use is written down",
      );
      // What stands in an address before the fragment is sent to servers, and logged.
      assert.ok(!(link.split("#")[0] ?? "").includes(connection.split("/")[3] ?? connection));
    });

    it("6. a moment of grace in which one secret makes two branches, and secrets in addresses", async () => {
      const device = await place.pair("twice at once");
      const copies = [device.keys, { ...device.keys, continuity: device.keys.continuity.slice() }] as const;
      // Each with a ticket of its own, so that it is the host that has to find them out.
      await place.renew(device);
      device.close();
      await device.ended;
      const comeIn = (keys: Keys): Promise<boolean> =>
        place.reconnect(keys).then(
          async (one) => {
            const welcome = one.until(() => one.messages.find(({ t }) => t === "welcome")).then(() => true);
            const isIn = await Promise.race([welcome, one.ended.then(() => false)]).catch(() => false);
            one.close();
            await one.ended;
            return isIn;
          },
          () => false,
        );
      await Promise.all(copies.map(comeIn));
      // Of the two branches, if there were two, one goes on at most: the other's coming shows that there are two.
      const again = [await comeIn(copies[0]), await comeIn(copies[1])];
      assert.ok(again.filter(Boolean).length <= 1, JSON.stringify(again));
      const { connection } = await owner.call("offer.make", {});
      const logs = [readFileSync(join(world.state, "log", "host.log"), "utf8"), place.relay?.log() ?? ""];
      for (const text of [connection, Buffer.from(device.keys.continuity).toString("base64url")])
        for (const log of logs) assert.ok(!log.includes(text));
    });

    it("7. a first prompt that is lost between making a session and following it, and a repeat that makes another", async () => {
      const intent = newIntent();
      const order = { agent: "demo" as never, workspace: world.home, prompt: "hello" };
      const made = await Promise.all([0, 1, 2].map(() => owner.call("session.create", order, intent)));
      assert.deepEqual(new Set(made.map(({ session }) => session)).size, 1);
      const session = made[0]?.session as SessionId;
      await owner.call("session.follow", { session, from: 1 });
      await owner.untilEntry(session, ({ fact }) => fact.kind === "prompt.taken");
      const prompts = owner.entriesOf(session).filter(({ fact }) => fact.kind === "prompt.accepted");
      assert.equal(prompts.length, 1);
      assert.equal((await owner.call("session.list", {})).sessions.filter((one) => one.session === session).length, 1);
    });

    it("8. viewers' terminals that answer what a program asks, also when it is shown again: one answer, the host's", async () => {
      const script = `stty raw -echo; printf '\\033[6n'; dd bs=1 count=6 2>/dev/null | od -c; printf ready; sleep 1; dd bs=1 count=1 iflag=nonblock 2>&1 | tail -1; printf done; sleep 60`;
      const first = await TerminalDevice.open(owner, ["sh", "-c", script], { workspace: world.home });
      const viewer = await place.pair("a viewer");
      const second = await TerminalDevice.follow(viewer, first.session);
      await first.until(() => first.text.includes("ready"));
      assert.match(first.text, /033 *\[ *1 *; *1 *R/u);
      await viewer.call("terminal.unfollow", { session: first.session });
      await viewer.call("terminal.follow", { session: first.session });
      await first.until(() => first.text.includes("done"));
      assert.match(first.text, /unavailable|0 bytes|0\+0/u, "no second answer came");
      await owner.call("session.stop", { session: first.session });
      second.device.close();
    });

    it("9. a program that writes the clipboard, a link that hides where it leads, and HTML in what an agent says", async () => {
      const browser = await launchChromium();
      const context = await browser.newContext({ ...DESKTOP, permissions: ["clipboard-read", "clipboard-write"] });
      const { link } = await owner.call("offer.make", {});
      const { page, faults } = await openPage(context, link);
      await page.getByRole("button", { name: "Pair", exact: true }).click();
      await page.waitForURL(/\/sessions$/u);
      await page.evaluate(() => navigator.clipboard.writeText("the person's own"));
      const evil = Buffer.from("evil").toString("base64");
      const script = `printf '\\033]52;c;${evil}\\007\\033]8;;javascript:alert(1)\\033\\\\press\\033]8;;\\033\\\\ <img src=x onerror=alert(1)> shown'; sleep 60`;
      const { session } = await owner.call("session.create", {
        agent: "terminal" as AgentName,
        workspace: world.home,
        command: ["sh", "-c", script],
      });
      let alerts = 0;
      page.on("dialog", (dialog) => (alerts++, void dialog.dismiss()));
      await page.goto(`${place.origin}/session/${owner.keys.host}/${session}`);
      await page.locator(".xterm-rows", { hasText: "shown" }).waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "the person's own");
      assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
      assert.equal(await page.locator("img[src=x]").count(), 0);
      assert.deepEqual([alerts, faults.filter((fault) => /policy/u.test(fault))], [0, []]);
      await browser.close();
    });
  });

describe("faults that others had, where it is the door's own matter or none's", { timeout: 60_000 }, () => {
  let world: World;
  let owner: BareDevice;

  before(async () => {
    world = await startWorld();
    owner = await world.pair("owner");
  });
  after(async () => {
    owner?.close();
    await world?.[Symbol.asyncDispose]();
  });

  it("3. a link that leads the app to another endpoint, which is given what opens the host: it is given nothing", async (t) => {
    const heard: Buffer[] = [];
    const attacker = new WebSocketServer({ port: 0, host: "127.0.0.1", path: LINK_PATH });
    await new Promise((resolve) => attacker.once("listening", resolve));
    t.after(() => {
      attacker.close();
      for (const client of attacker.clients) client.terminate();
    });
    attacker.on("connection", (socket) => {
      // It says the hello of the host it wants to be taken for.
      void Stranger.at(world.port).then((real) => {
        socket.send(real.frames[0] ?? "");
        real.socket.terminate();
      });
      socket.on("message", (data: Buffer) => {
        heard.push(data);
        if (heard.length === 2) socket.send(new Uint8Array(49));
      });
    });
    const { connection } = await owner.call("offer.make", {});
    const parsed = parseConnection(connection);
    const { port } = attacker.address() as { port: number };
    const led = formatConnection({ ...parsed, addresses: [{ host: "127.0.0.1", port }] });
    await assert.rejects(BareDevice.pair(led, "misled"));
    assert.equal(heard.length, 2, "a hello and message 1");
    for (const secret of [parsed.secret, parsed.offer]) assert.ok(!Buffer.concat(heard).includes(Buffer.from(secret)));
    const device = await BareDevice.pair(connection, "not misled");
    device.close();
    await device.ended;
    heard.length = 0;
    await assert.rejects(BareDevice.reconnect(device.keys, linkTo(`ws://127.0.0.1:${port}${LINK_PATH}`)));
    assert.ok(!Buffer.concat(heard).includes(Buffer.from(device.keys.continuity)));
    (await BareDevice.reconnect(device.keys)).close();
  });

  it("4. a loopback WebSocket that looks at neither Origin nor Host", async () => {
    const status = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${world.port}${LINK_PATH}`, { headers });
        socket.once("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
        socket.once("open", () => (socket.terminate(), resolve(101)));
        socket.on("error", () => {});
      });
    assert.equal(await status({ origin: "https://evil.test" }), 403);
    assert.equal(await status({ origin: "null" }), 403);
    assert.equal(await status({ host: `evil.test:${world.port}` }), 403);
    assert.equal(await status({ host: "127.0.0.1:1" }), 403);
    assert.equal(await status({ origin: `http://127.0.0.1:${world.port}` }), 101);
  });

  it("10. an approval that a `;`, a newline or another tool of nearly the same name gets too", () => {
    const state = opened(newIntent() as string as SessionId, 1, {
      kind: "session.opened",
      agent: "claude" as AgentName,
      workspace: "/home/ada/app",
      by: "d".repeat(43) as DeviceId,
    });
    const asked = (evidence: Partial<ApprovalAsk["evidence"]>): string =>
      fingerprintOf(state, {
        kind: "approval",
        ask: "a" as AskId,
        evidence: { tool: "Bash", kind: "run", edits: [], input: "{}", ...evidence } as ApprovalAsk["evidence"],
        choices: [],
      });
    const commands = [
      "npm test",
      "npm test; rm -rf ~",
      "npm test\nrm -rf ~",
      "npm test && x",
      "npm  test",
      "npm test ",
      "NPM test",
    ];
    const prints = [
      ...commands.map((command) => asked({ command, input: JSON.stringify({ command }) })),
      asked({ server: "git.hub", tool: "push" }),
      asked({ server: "git-hub", tool: "push" }),
      asked({ server: "git", tool: "hub.push" }),
      asked({ command: "npm test", directory: "/home/ada/app2", input: '{"command":"npm test"}' }),
    ];
    assert.equal(new Set(prints).size, prints.length);
  });
});
