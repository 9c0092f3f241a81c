/**
 * The direct way by a TURN server: a host and a device on networks that reach no more than a relay's machine, on which
 * coturn runs as well. What they say to each other directly can go by it alone.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import type { Way } from "@flybridge/protocol/way.ts";
import type { Page } from "playwright-core";
import { type Apart, launchOnPhone, makeApart, makeCertificates, RELAY_ADDRESS, whyNotApart } from "./apart.ts";
import { type BareDevice, newIntent } from "./bare.ts";
import { DESKTOP, openPage } from "./browser.ts";
import { type RunningRelay, startRelay, untilRelayed } from "./relay.ts";
import type { Order, Saw } from "./turn-device.ts";
import { startTurn, type Turn } from "./turn.ts";
import { startWorld, type World } from "./world.ts";

const WAIT_MS = 60_000;
const LOOK_MS = 50;
const DEMO = "demo" as AgentName;
const RELAY_PORT = 7684;
const TURN = { address: RELAY_ADDRESS, port: 3478, user: { name: "ada", password: "a-lamp-in-the-fog" } };
const WRONG = "a-lamp-in-the-rain";
/** What `speak` says: the time of each piece. */
const PIECE = /\b\d{13}\.\d{3}\b/gu;
const DEVICE = join(import.meta.dirname, "turn-device.ts");

const skip = whyNotApart();

/** Looks until something is found. */
async function until<T>(what: string, find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = performance.now() + WAIT_MS; performance.now() < end; await setTimeout(LOOK_MS)) {
    const found = await find();
    if (found !== undefined) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** `turn-device.ts` on the phone. */
class Elsewhere implements Disposable {
  readonly #child: ChildProcess;
  readonly saw: Saw[] = [];

  constructor(under: readonly string[]) {
    const [program, ...words] = [...under, process.execPath, DEVICE] as const;
    this.#child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
    assert.ok(this.#child.stdout);
    createInterface(this.#child.stdout).on("line", (line) => this.saw.push(JSON.parse(line) as Saw));
  }

  order(order: Order): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** The newest of that kind, once there are so many. */
  until<T extends Saw["t"]>(t: T, count = 1): Promise<Extract<Saw, { t: T }>> {
    return until(`${t} ${count} on the phone`, () => this.all(t)[count - 1]);
  }

  all<T extends Saw["t"]>(t: T): Extract<Saw, { t: T }>[] {
    return this.saw.filter((saw): saw is Extract<Saw, { t: T }> => saw.t === t);
  }

  /** Of the entries that came, in the order in which they came. */
  get numbers(): number[] {
    return this.all("entries").flatMap(({ numbers }) => numbers);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

describe("a host and a device that only a TURN server joins", { timeout: 300_000, ...(skip ? { skip } : {}) }, () => {
  let apart: Apart;
  let folder: string;
  let files: Awaited<ReturnType<typeof makeCertificates>>;
  const held = new AsyncDisposableStack();

  before(async () => {
    apart = held.use(makeApart());
    folder = mkdtempSync(join(tmpdir(), "flybridge-turned-"));
    held.defer(() => rmSync(folder, { recursive: true, force: true }));
    files = await makeCertificates(folder);
  });
  after(() => held.disposeAsync());

  /** A host, its relay, which names the TURN server with that password, and the server. */
  interface Place extends AsyncDisposable {
    readonly turn: Turn;
    readonly relay: RunningRelay;
    readonly world: World;
    readonly shell: BareDevice;
  }
  async function makePlace(password: string): Promise<Place> {
    await using own = new AsyncDisposableStack();
    const turn = own.use(await startTurn({ ...TURN, under: apart.under("relay") }));
    const relay = own.use(
      await startRelay({
        under: apart.under("relay"),
        address: "0.0.0.0",
        port: RELAY_PORT,
        env: {
          FLYBRIDGE_RELAY_ORIGIN: `https://${RELAY_ADDRESS}:${RELAY_PORT}`,
          FLYBRIDGE_RELAY_TLS_CERT: files.cert,
          FLYBRIDGE_RELAY_TLS_KEY: files.key,
          FLYBRIDGE_RELAY_ICE_SERVERS: `turn:${TURN.user.name}:${password}@${TURN.address}:${TURN.port}`,
          FLYBRIDGE_RELAY_LOG_LEVEL: "trace",
        },
      }),
    );
    const world = own.use(
      await startWorld({
        under: apart.under("host"),
        args: ["--relay", relay.origin, "--confirm", "never"],
        env: { NODE_EXTRA_CA_CERTS: files.ca },
      }),
    );
    const shell = await world.shell();
    own.defer(() => shell.close());
    await untilRelayed(shell);
    const all = own.move();
    return { turn, relay, world, shell, [Symbol.asyncDispose]: () => all.disposeAsync() };
  }

  /** A device of the owner's on the phone, that follows a session of its own. */
  async function pairDevice({ shell, world }: Place): Promise<{ device: Elsewhere; session: SessionId }> {
    const device = new Elsewhere(apart.under("phone"));
    const { connection } = await shell.call("offer.make", {}, newIntent());
    const { session } = await shell.call("session.create", { agent: DEMO, workspace: world.home }, newIntent());
    device.order({ t: "pair", connection, ca: readFileSync(files.ca, "utf8") });
    await device.until("paired");
    device.order({ t: "follow", session });
    await device.until("entries");
    return { device, session };
  }

  /** Resolves when the newest device of the host is there by a way, as the host sees it. */
  const untilBy = ({ shell }: Place, way: Way): Promise<boolean> =>
    until(`the device by ${way}`, async () => {
      const { devices } = await shell.call("device.list", {});
      return devices.toSorted((a, b) => b.paired - a.paired)[0]?.way === way || undefined;
    });

  const journal = async ({ shell }: Place, session: SessionId) =>
    (await shell.call("session.page", { session, before: 1_000_000 })).entries;

  /** Once so many turns have ended. */
  const journaled = (place: Place, session: SessionId, turns: number) =>
    until(`the end of turn ${turns}`, async () => {
      const entries = await journal(place, session);
      return entries.filter(({ fact }) => fact.kind === "turn.ended").length < turns ? undefined : entries;
    });

  /** The device has each entry of the journal once, in order. */
  async function sameAsJournal(place: Place, device: Elsewhere, session: SessionId, turns: number): Promise<void> {
    const entries = await journaled(place, session, turns);
    const numbers = entries.map(({ seq }) => seq);
    assert.deepEqual(
      numbers,
      Array.from(numbers.keys(), (at) => at + 1),
    );
    await until("all of it on the phone", () => device.numbers.length >= numbers.length || undefined);
    assert.deepEqual(device.numbers, numbers);
  }

  function notLogged(place: Place, password: string): void {
    const logs = join(place.world.state, "log");
    for (const name of readdirSync(logs))
      assert.ok(!readFileSync(join(logs, name), "utf8").includes(password), `the host's ${name}`);
    assert.ok(!place.world.errors().includes(password), "the host's error output");
    assert.ok(place.relay.log().length > 0 && !place.relay.log().includes(password), "the relay's log");
  }

  it("[R80] go directly by it, and by the relay again when it is killed, with no entry lost or doubled", async () => {
    await using place = await makePlace(TURN.user.password);
    const { device, session } = await pairDevice(place);
    using _ = device;
    await until("a direct way", () => device.all("up").find(({ way }) => way === "direct"));
    await untilBy(place, "direct");

    // Nothing is forwarded between the two: what goes through the relay's network, the TURN server there took.
    const before = apart.datagrams();
    device.order({ t: "prompt", session, text: "speak 200 10" });
    await sameAsJournal(place, device, session, 1);
    const told = device.all("delta").length;
    const passed = apart.datagrams() - before;
    assert.ok(told > 100 && passed >= told, `${passed} datagrams for ${told} pieces`);
    assert.equal(device.all("up").at(-1)?.way, "direct");

    device.order({ t: "prompt", session, text: "speak 400 20" });
    await device.until("delta", told + 20);
    const ups = device.all("up").length;
    await place.turn.kill();
    const since = performance.now();
    // Into the channel that leads nowhere.
    device.order({ t: "prompt", session, text: "speak 10 1" });
    const next = await device.until("up", ups + 1);
    console.log(
      `device: by the relay again ${Math.round(performance.now() - since)} ms after the TURN server was gone`,
    );
    assert.equal(next.way, "relay");
    await sameAsJournal(place, device, session, 3);
    const texts = (await journal(place, session)).flatMap(({ fact }) =>
      fact.kind === "prompt.accepted" ? [fact.text] : [],
    );
    assert.deepEqual(texts, ["speak 200 10", "speak 400 20", "speak 10 1"]);
    notLogged(place, TURN.user.password);
  });

  it("stay at the relay when its password is another, and miss nothing", async () => {
    await using place = await makePlace(WRONG);
    const before = apart.datagrams();
    const { device, session } = await pairDevice(place);
    using _ = device;
    await device.until("none");
    assert.ok(apart.datagrams() > before, "it was asked");
    device.order({ t: "prompt", session, text: "speak 200 10" });
    await sameAsJournal(place, device, session, 1);
    assert.deepEqual(
      device.all("up").map(({ way }) => way),
      ["relay"],
    );
    await untilBy(place, "relay");
    notLogged(place, WRONG);
  });

  it("[R80] go directly by it from a page, and back when the server only falls silent", async () => {
    await using place = await makePlace(TURN.user.password);
    const { shell, world, relay, turn } = place;
    const browser = await launchOnPhone(apart, folder);
    await using _ = { [Symbol.asyncDispose]: () => browser.close() };
    const context = await browser.newContext({ ...DESKTOP, ignoreHTTPSErrors: true });
    context.setDefaultTimeout(WAIT_MS);
    await context.addInitScript(keepPeers);
    const { link, host } = await shell.call("offer.make", {}, newIntent());
    const { session } = await shell.call("session.create", { agent: DEMO, workspace: world.home }, newIntent());
    const { page, faults } = await openPage(context, "about:blank");
    await page.goto(link);
    await page.getByRole("button", { name: "Pair", exact: true }).click();
    await page.waitForURL(/\/sessions$/u);
    await page.goto(`${relay.origin}/session/${host}/${session}`);
    await page.getByRole("textbox").first().waitFor();
    await untilBy(place, "direct");
    assert.ok((await candidatesOf(page)).includes("relay"));

    const before = apart.datagrams();
    await page.getByRole("textbox").first().fill("speak 600 20");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /\d{13}\.\d{3}/u.test(document.querySelector("main")?.innerText ?? ""));
    await until("its datagrams", () => apart.datagrams() - before > 50 || undefined);
    process.kill(turn.pid, "SIGSTOP");
    const since = performance.now();
    await untilBy(place, "relay");
    console.log(
      `page: by the relay again ${Math.round(performance.now() - since)} ms after the TURN server fell silent`,
    );
    await turn.kill();
    const entries = await journaled(place, session, 1);
    const whole = entries.filter(({ fact }) => fact.kind === "item.completed").map(({ fact }) => fact);
    const all = JSON.stringify(whole).replaceAll("\\n", " ").match(PIECE) ?? [];
    assert.equal(all.length, 600);
    await page.waitForFunction((last) => document.querySelector("main")?.innerText.includes(last), all.at(-1) ?? "");
    assert.deepEqual((await page.locator("main").innerText()).match(PIECE), all);
    // Its service worker, which takes no certificate of ours.
    assert.deepEqual(
      faults.filter((fault) => !/SSL certificate|when fetching the script/u.test(fault)),
      [],
    );
    notLogged(place, TURN.user.password);
  });
});

interface Watched {
  readonly peers: RTCPeerConnection[];
}

/** Runs in the page before its own code. */
function keepPeers(): void {
  const all: Watched = { peers: [] };
  Object.assign(globalThis, all);
  const Native = RTCPeerConnection;
  class Kept extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      all.peers.push(this);
    }
  }
  Object.assign(globalThis, { RTCPeerConnection: Kept });
}

/** Of the pair that the page's channel runs over, here and there. */
function candidatesOf(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { peers } = globalThis as unknown as Watched;
    const report = await peers.at(-1)?.getStats();
    const all = [...(report?.values() ?? [])] as { id: string; type: string; [name: string]: unknown }[];
    const transport = all.find(({ type }) => type === "transport");
    const pair = all.find(({ id }) => id === transport?.["selectedCandidatePairId"]);
    return [pair?.["localCandidateId"], pair?.["remoteCandidateId"]].map((wanted) =>
      String(all.find(({ id }) => id === wanted)?.["candidateType"]),
    );
  });
}
