/** Something else answers where the host did: the phone shows both by their ids, sends nothing, and offers one way on. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, it } from "node:test";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { encodeHostHello, LINK_PATH } from "@flybridge/protocol/relay.ts";
import type { Browser, Page } from "playwright-core";
import { WebSocketServer } from "ws";
import { newIntent } from "./bare.ts";
import { launchChromium, openPage, PHONE } from "./browser.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
let other: World;
let browser: Browser;
let phone: Page;

before(async () => {
  [world, other] = await Promise.all([startWorld(), startWorld()]);
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
});

const grouped = (id: string): string => (id.match(/.{7}/gu) ?? []).join(" ");
const idOf = async (of: World): Promise<HostId> => {
  const shell = await of.shell();
  const { host } = await shell.call("host.read", {});
  shell.close();
  return host;
};

it("[A34] refuses, shows both fingerprints, and has sent nothing", async () => {
  const shell = await world.shell();
  const { link } = await shell.call("offer.make", {}, newIntent());
  shell.close();
  const [known, found] = await Promise.all([idOf(world), idOf(other)]);
  ({ page: phone } = await openPage(await browser.newContext(PHONE), `http://127.0.0.1:${world.port}/`));
  await phone.goto(link);
  await phone.getByRole("button", { name: "Pair", exact: true }).tap();
  await phone.waitForURL(/\/sessions$/u);

  const { port } = world;
  await world.kill();
  const heard: Buffer[] = [];
  const server = createServer();
  const impostor = new WebSocketServer({ server, path: LINK_PATH });
  impostor.on("connection", (socket) => {
    socket.on("message", (bytes: Buffer) => heard.push(bytes));
    socket.send(encodeHostHello({ flybridge: 1, versions: [1, 1], host: found }));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  // It would come by itself, after a pause that grows.
  await phone.evaluate(() => dispatchEvent(new Event("online")));
  await phone.getByRole("heading", { name: "This is not test host" }).waitFor();
  await phone.getByText("Another host answers at its address. Nothing was sent to it.").waitFor();
  const shown = await phone.locator(".fingerprints dd").allInnerTexts();
  assert.deepEqual(
    shown.map((id) => id.replaceAll(/\s+/gu, " ")),
    [grouped(known), grouped(found)],
  );
  assert.deepEqual(heard, []);
  assert.deepEqual(await phone.getByRole("link").allInnerTexts(), ["To the content", "Pair again"]);
  assert.equal(await phone.getByRole("button").count(), 0);
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  for (const client of impostor.clients) client.terminate();
  await closed;
  await world.restart();
});

it("[A34] goes on with a new pairing, and comes back by itself when the host that it knows answers again", async () => {
  await phone.getByRole("link", { name: "Pair again" }).tap();
  await phone.getByRole("button", { name: "Scan the code" }).waitFor();
  await phone.goto(`http://127.0.0.1:${world.port}/sessions`);
  await phone.getByRole("heading", { level: 1, name: "Sessions" }).waitFor();
  assert.equal(await phone.getByRole("heading", { name: "This is not test host" }).count(), 0);
});
