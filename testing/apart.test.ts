/**
 * From anywhere, as a person has it: a host and a phone on networks that reach only a relay. Real Claude Code, host, relay
 * and Chromium; the model is faked. Links go down, the relay is killed, the phone moves to another network.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { type Anthropic, startAnthropic, toldIn } from "./anthropic.ts";
import { type Apart, launchOnPhone, makeApart, makeCertificates, RELAY_ADDRESS, whyNotApart } from "./apart.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { cameraShowing, openPage, PHONE } from "./browser.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 20_000;
/** How long a link is down, and how long it is waited for what comes after: how soon it did is printed. In milliseconds. */
const DOWN_MS = 20_000;
const AWAY_MS = 500;
const BACK_MS = 15_000;

/** In the host's network: what listens there and leads to a socket file, which networks do not part. */
const LEAD = `
const { createServer, connect } = require("node:net");
const server = createServer((one) => {
  const other = connect(process.argv[1]);
  one.pipe(other).pipe(one);
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

const skip = whyNotApart();

describe(
  "a host and a phone that reach only a relay",
  { timeout: 400_000, ...(skip === undefined ? {} : { skip }) },
  () => {
    let apart: Apart;
    let folder: string;
    let relay: RunningRelay;
    let model: Anthropic;
    let lead: Server;
    let leading: ChildProcess;
    let world: World;
    let shell: BareDevice;
    let browser: Browser;
    let phone: Page;
    const held = new AsyncDisposableStack();

    before(async () => {
      const claude = findClaude();
      assert.ok(claude, "Claude Code is not here; `npm test` brings it");
      apart = held.use(makeApart());
      folder = mkdtempSync(join(tmpdir(), "flybridge-apart-"));
      held.defer(() => rmSync(folder, { recursive: true, force: true }));
      const files = await makeCertificates(folder);
      relay = held.use(
        await startRelay({
          under: apart.under("relay"),
          address: "0.0.0.0",
          env: {
            FLYBRIDGE_RELAY_ORIGIN: `https://${RELAY_ADDRESS}:7684`,
            FLYBRIDGE_RELAY_TLS_CERT: files.cert,
            FLYBRIDGE_RELAY_TLS_KEY: files.key,
          },
          port: 7684,
        }),
      );
      model = await startAnthropic();
      held.defer(() => model.close());
      const socket = join(folder, "model");
      lead = createServer((one) => void one.pipe(connect(Number(new URL(model.url).port), "127.0.0.1")).pipe(one));
      lead.listen(socket);
      held.defer(() => void lead.close());
      const [ip = "", ...inside] = apart.under("host");
      leading = spawn(ip, [...inside, process.execPath, "-e", LEAD, socket], { stdio: ["ignore", "pipe", "inherit"] });
      held.defer(() => void leading.kill());
      assert.ok(leading.stdout);
      const [port] = (await once(leading.stdout, "data")) as [Buffer];
      const { HOME: _, ...env } = claudeEnv({ home: "", url: `http://127.0.0.1:${String(port).trim()}` });
      world = held.use(
        await startWorld({
          under: apart.under("host"),
          args: ["--relay", relay.origin],
          env: {
            ...env,
            PATH: `${dirname(claude)}:${process.env["PATH"]}`,
            NODE_EXTRA_CA_CERTS: files.ca,
            SHELL: "/bin/bash",
          },
        }),
      );
      mkdirSync(join(world.home, "project"));
      shell = await world.shell();
      held.defer(() => shell.close());
      await untilRelayed(shell);
      const { link } = await shell.call("offer.make", {}, newIntent());
      assert.ok(link.startsWith(`${relay.origin}/pair#`), link);
      browser = await launchOnPhone(apart, folder, [
        "--use-fake-device-for-media-stream",
        `--use-file-for-fake-video-capture=${cameraShowing(link)}`,
      ]);
      held.defer(() => browser.close());
      const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true, permissions: ["camera"] });
      context.setDefaultTimeout(WAIT_MS);
      ({ page: phone } = await openPage(context, relay.origin));
    });
    after(() => held.disposeAsync());

    const card = () => phone.getByRole("region", { name: "What needs you" });
    const send = async (text: string): Promise<void> => {
      await phone.getByLabel("Prompt", { exact: true }).fill(text);
      await phone.getByRole("button", { name: "Send", exact: true }).tap();
    };
    const said = (text: string, timeout = WAIT_MS) =>
      phone.locator(".words", { hasText: text }).first().waitFor({ timeout });
    const turnEnded = () => phone.getByLabel("Stop the turn").waitFor({ state: "detached" });
    const promptsTold = (text: string): number => model.requests.filter((call) => toldIn(call).includes(text)).length;

    it("are on networks of their own: neither reaches the other", () => {
      const [ip = "", ...inside] = apart.under("phone");
      const tried = spawnSync(ip, [...inside, "timeout", "2", "bash", "-c", `echo > /dev/tcp/10.78.1.2/${world.port}`]);
      assert.notEqual(tried.status, 0);
      const relayed = spawnSync(ip, [...inside, "timeout", "2", "bash", "-c", `echo > /dev/tcp/${RELAY_ADDRESS}/7684`]);
      assert.equal(relayed.status, 0, String(relayed.stderr));
    });

    it("[D01] [D03] [D17] pair by the code, which the phone's camera reads from the page that the relay serves", async () => {
      await phone.getByRole("button", { name: "Scan the code" }).tap();
      await phone.getByRole("heading", { name: "Pair with this host?" }).waitFor();
      await phone.getByRole("button", { name: "Pair", exact: true }).tap();
      const shown = phone.getByText(/^\d{3}\s?\d{3}$/u).first();
      await shown.waitFor();
      const digits = (await shown.innerText()).replaceAll(/\D/gu, "");
      const { pairings } = await shell.call("pairing.list", {});
      assert.equal(pairings.length, 1);
      assert.equal(pairings[0]?.way, "relay");
      await shell.call("pairing.confirm", { pairing: pairings[0].pairing, digits: digits as never }, newIntent());
      await phone.waitForURL(/\/sessions$/u);
    });

    it("run a session of Claude Code: words, an ask that is allowed, another that is denied", async () => {
      await phone.getByRole("button", { name: "New session" }).last().tap();
      await phone.getByLabel("First prompt").fill("[[text The tide is coming in.]]");
      await phone.getByText("Claude Code", { exact: true }).tap();
      await phone.getByRole("button", { name: "Another folder" }).tap();
      await phone.getByRole("button", { name: "project" }).tap();
      await phone
        .getByRole("button", { name: /this folder|Choose|Use/u })
        .first()
        .tap();
      await phone.getByRole("button", { name: "Start", exact: true }).tap();
      await phone.waitForURL(/\/session\//u);
      await said("The tide is coming in.");
      await turnEnded();
      await send('[[tool Bash {"command":"touch allowed && echo made it","description":"Make a file"}]]');
      await card().getByRole("button", { name: "Allow once" }).tap();
      await said("Last result: made it");
      assert.ok(existsSync(join(world.home, "project", "allowed")));
      await turnEnded();
      await send('[[tool Bash {"command":"touch denied","description":"Make another"}]]');
      await card().getByRole("button", { name: "Deny" }).tap();
      await card().getByRole("button", { name: "Deny" }).tap();
      await turnEnded();
      assert.ok(!existsSync(join(world.home, "project", "denied")));
    });

    for (const side of ["phone", "host"] as const)
      it(`[D21] go on after the ${side}'s link was down for 20 s in the middle of a turn, with nothing lost or doubled`, async () => {
        const end = `The ${side} is back ashore.`;
        await send(`[[slow 800]] [[text One, two, three, four, five, six, seven, eight, nine, ten. ${end}]]`);
        await said("One, two,");
        apart.unplug(side);
        await setTimeout(DOWN_MS);
        apart.plug(side);
        const since = performance.now();
        await said(end, BACK_MS);
        console.log(`${side}: all there ${Math.round(performance.now() - since)} ms after the link was back`);
        await turnEnded();
        assert.equal(await phone.locator(".words", { hasText: end }).count(), 1);
        assert.equal(promptsTold(end), 1);
      });

    it("[D20] go on after the relay was killed in the middle of a turn", async () => {
      const end = "The pilot has come aboard again.";
      await send(`[[slow 500]] [[text One, two, three, four, five, six, seven, eight. ${end}]]`);
      await said("One, two,");
      await relay.kill();
      await setTimeout(2_000);
      await relay.restart();
      await said(end);
      await turnEnded();
      assert.equal(await phone.locator(".words", { hasText: end }).count(), 1);
    });

    for (const [what, file, change] of [
      ["goes over to another network", "roamed", () => apart.roam(AWAY_MS)],
      ["gets another address, and no word of it", "moved", () => apart.move()],
    ] as const)
      it(`go on when the phone ${what}, with nothing lost or doubled`, async () => {
        const end = `Another harbour, the same ship (${file}).`;
        await send(`[[slow 500]] [[text One, two, three, four, five, six, seven, eight. ${end}]]`);
        await said("One, two,");
        const next = phone.waitForEvent("websocket");
        await change();
        const since = performance.now();
        await (await next).waitForEvent("framereceived");
        console.log(`the phone ${what}: at the relay again ${Math.round(performance.now() - since)} ms after`);
        await said(end);
        await turnEnded();
        assert.equal(await phone.locator(".words", { hasText: end }).count(), 1);
        assert.equal(promptsTold(end), 1);
        await send(`[[tool Bash {"command":"echo still here > ${file}","description":"Write a file"}]]`);
        await card().getByRole("button", { name: "Allow once" }).tap();
        await turnEnded();
        assert.equal(readFileSync(join(world.home, "project", file), "utf8"), "still here\n");
      });

    it("use a terminal", async () => {
      const { session } = await shell.call(
        "session.create",
        { agent: "terminal" as never, workspace: join(world.home, "project"), command: ["bash", "--norc"] },
        newIntent(),
      );
      const { host } = await shell.call("host.read", {});
      await phone.goto(`${relay.origin}/session/${host}/${session}`);
      await phone.locator(".term-area[data-live=true]").waitFor();
      await phone.locator(".term-area").tap();
      await phone.keyboard.type("echo $((6 * 7)) fathoms");
      await phone.keyboard.press("Enter");
      await phone.locator(".xterm-rows").filter({ hasText: "42 fathoms" }).waitFor();
    });

    it("share a session with a guest, who comes by the relay as well", async () => {
      const { sessions } = await shell.call("session.list", {});
      const claude = sessions.find(({ agent }) => agent === "claude");
      assert.ok(claude);
      const { link } = await shell.call(
        "session.share",
        { session: claude.session, verbs: ["read", "answer"] },
        newIntent(),
      );
      const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true });
      context.setDefaultTimeout(WAIT_MS);
      const { page: guest } = await openPage(context, relay.origin);
      await guest.goto(link);
      await guest.getByRole("button", { name: "Join session" }).tap();
      await guest.getByText(/^Shared by test host until/u).waitFor();
      await shell.call(
        "session.prompt",
        {
          session: claude.session,
          text: '[[tool Bash {"command":"touch guest","description":"A guest\'s file"}]]',
          delivery: "queue",
        },
        newIntent(),
      );
      await guest.getByRole("button", { name: "Allow once" }).tap();
      while (!existsSync(join(world.home, "project", "guest"))) await setTimeout(50);
      await context.close();
    });
  },
);
