/** The app that a relay serves, in WebKit: it pairs, shows and answers what is on the host, and goes on when the relay was away. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import { KEYS, launchWebKit, type WebKit } from "./webkit.ts";
import { startWorld, type World } from "./world.ts";

describe("the app by a relay in WebKit", { timeout: 180_000 }, () => {
  const held = new AsyncDisposableStack();
  let relay: RunningRelay;
  let world: World;
  let shell: BareDevice;
  let webkit: WebKit;
  let host: string;
  let terminal: SessionId;

  before(async () => {
    relay = held.use(await startRelay());
    // All of it goes by the relay, so that its end is the end of the connection.
    world = held.use(await startWorld({ args: ["--relay", relay.origin, "--no-direct"], env: { SHELL: "/bin/bash" } }));
    mkdirSync(join(world.home, "project"));
    for (const name of [".bashrc", ".profile"]) writeFileSync(join(world.home, name), "PS1='$ '\n");
    shell = await world.shell();
    held.defer(() => shell.close());
    await untilRelayed(shell);
    ({ host } = await shell.call("host.read", {}));
    webkit = held.use(await launchWebKit({ width: 420, height: 900 }));
  });
  after(() => held.disposeAsync());

  const create = async (command?: string[]): Promise<SessionId> => {
    const workspace = join(world.home, "project");
    const order = { agent: "terminal" as never, workspace, ...(command ? { command } : {}) };
    return (await shell.call("session.create", order, newIntent())).session;
  };
  const open = (session: SessionId): Promise<void> => webkit.open(`${relay.origin}/session/${host}/${session}`);
  /** Presses what bears these words. */
  const press = async (selector: string, words: string): Promise<void> => {
    const find = "[...document.querySelectorAll(arguments[0])].find((one) => one.innerText.trim() === arguments[1])";
    await webkit.until(words, `return ${find} !== undefined`, selector, words);
    await webkit.run(`${find}.click()`, selector, words);
  };
  const shows = (text: string): Promise<unknown> =>
    webkit.until(text, "return document.querySelector('.xterm-rows')?.innerText.includes(arguments[0])", text);
  const isLive = (live: boolean): Promise<unknown> =>
    webkit.until(
      live ? "a terminal that is followed" : "the end of the connection",
      "return (document.querySelector('.term-area[data-live=true]') !== null) === arguments[0]",
      live,
    );
  const type = async (keys: string): Promise<void> => {
    await webkit.run("document.querySelector('.xterm-helper-textarea').focus()");
    await webkit.type(keys);
  };

  it("pairs by a link to the relay, and is let in by the digits that it shows", async () => {
    const { link } = await shell.call("offer.make", {}, newIntent());
    assert.ok(link.startsWith(relay.origin), link);
    await webkit.open(link);
    await press("button", "Pair");
    const digits = await webkit.until<string>(
      "digits",
      "return document.querySelector('.digits-shown')?.innerText.replaceAll(/\\D/g, '')",
    );
    const { pairings } = await shell.call("pairing.list", {});
    const [waiting] = pairings;
    assert.ok(waiting);
    await shell.call("pairing.confirm", { pairing: waiting.pairing, digits }, newIntent());
    await webkit.until("the sessions", "return location.pathname === '/sessions'");
    assert.equal(await webkit.run("return location.origin"), relay.origin);
  });

  it("follows a terminal and types into it", async () => {
    terminal = await create();
    await open(terminal);
    await isLive(true);
    await shows("$");
    await type(`echo he''llo${KEYS.enter}`);
    await shows("hello");
  });

  it("shows what a program asks, and gives it the answer", async () => {
    const answered = join(world.home, "answered");
    const script = `read -p "Drop the anchor? [y/N] " answer; echo "$answer" > ${answered}.part; mv ${answered}.part ${answered}`;
    const session = await create(["bash", "-c", script]);
    await shell.call("session.follow", { session, from: 1 });
    await open(session);
    await press(".ask label, .ask label *", "Yes");
    await press("button", "Answer");
    await shell.untilEntry(session, ({ fact }) => fact.kind === "agent.ended");
    assert.ok(existsSync(answered));
    assert.equal(readFileSync(answered, "utf8").trim(), "y");
  });

  it("goes on by itself when the relay was killed and started again, with what happened meanwhile", async () => {
    const go = join(world.home, "go");
    await open(terminal);
    await isLive(true);
    await type(`while [ ! -e ${go} ]; do sleep 0.05; done; echo while you were aw''ay${KEYS.enter}`);
    await shows("while [");
    await relay.kill();
    await isLive(false);
    writeFileSync(go, "");
    await relay.restart();
    await isLive(true);
    await shows("while you were away");
    await type(`echo and on it go''es${KEYS.enter}`);
    await shows("and on it goes");
  });
});
