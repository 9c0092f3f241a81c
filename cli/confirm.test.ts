/** A person at a shell lets devices in by the digits that they show, or does not. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type Bridge, PairingError } from "@flybridge/client/bridge.ts";
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { nodePlatform } from "@flybridge/client/platform-node.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { openShell, type Outcome, type Running, type Shell } from "@flybridge/testing/shell.ts";
import { findTmux, Tmux } from "@flybridge/testing/tmux.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const refused = (error: unknown): boolean => error instanceof PairingError && error.fault === "refused";

describe("letting a device in from a shell", { timeout: 300_000 }, () => {
  let shell: Shell;
  let up: Running;
  const bridges: Bridge[] = [];

  const done = async (...words: string[]): Promise<Outcome> => {
    const outcome = await shell.run(words);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  /** A device that shows its digits, and waits. */
  const come = async (connection: string, name: string) => {
    const bridge = await makeBridge(await nodePlatform({ folder: join(shell.home, "..", `device ${bridges.length}`) }));
    bridges.push(bridge);
    const shown = Promise.withResolvers<string>();
    const paired = bridge.pair(parseConnection(connection), { name, kind: "phone", confirming: shown.resolve });
    paired.then(() => shown.reject(new Error("it was let in without its digits")), shown.reject);
    return { paired, digits: await shown.promise, bridge };
  };
  const invited = async (): Promise<{ pair: Running; connection: string }> => {
    const pair = shell.start(["pair"]);
    return { pair, connection: (await pair.line((line) => line.startsWith("  flybridge://"))).trim() };
  };
  const other = (digits: string): string => String((Number(digits) + 1) % 1_000_000).padStart(6, "0");
  const events = async (): Promise<unknown[]> => (await done("audit", "--json")).json.map(({ event }) => event);
  const paired = async (): Promise<unknown[]> =>
    (await done("devices", "--json")).json.flatMap(({ name, kind }) => (kind === "phone" ? [name] : []));

  before(async () => {
    shell = openShell();
    up = shell.start(["up", "--foreground", "--port", "0", "--no-open", "--confirm", "always"]);
    await up.line((line) => line.startsWith("  flybridge://"));
  });
  after(async () => {
    for (const bridge of bridges) bridge.close();
    await shell[Symbol.asyncDispose]();
  });

  it("says so when nobody waits", async () => {
    const none = await done("confirm");
    assert.match(none.stderr, /No device waits/u);
    const { code, stderr } = await shell.run(["confirm", "123456"]);
    assert.deepEqual([code, /No device waits/u.test(stderr)], [1, true]);
  });

  it("[E09] the right digits let it in, typed with or without a space; pair and up tell of each step", async () => {
    const { pair, connection } = await invited();
    const phone = await come(connection, "Ada's \u202ephone");
    const waits = await pair.line((line) => line.includes("waits"));
    assert.match(
      waits,
      /^Ada's ⟨U\+202E⟩phone \(phone\), on this machine waits to be let in\. Type its digits: flybridge confirm$/u,
    );
    assert.equal(await up.line((line) => line.includes("waits")), waits);
    assert.deepEqual(await paired(), [], "it is no device yet");
    assert.match((await done("confirm")).stdout, /^Ada's ⟨U\+202E⟩phone \(phone\), on this machine · since .+\n$/u);
    const [listed] = (await done("confirm", "--json")).json;
    assert.deepEqual([listed?.["kind"], listed?.["way"]], ["phone", "loopback"]);
    const { stdout } = await done("confirm", phone.digits.slice(0, 3), phone.digits.slice(3));
    assert.match(stdout, /is let in\.\n$/u);
    await phone.paired;
    const { code, stdout: told } = await pair.ended;
    assert.equal(code, 0);
    await up.line((line) => line.startsWith("Paired: Ada's"));
    assert.match(told, /Paired: Ada's ⟨U\+202E⟩phone \(phone\)\.\n$/u);
  });

  it("what is not six digits is no attempt; other digits are, and turn it away", async () => {
    const { pair, connection } = await invited();
    const phone = await come(connection, "mistyped");
    for (const typed of ["12345", "1234567", "12345a"]) {
      const { code, stderr } = await shell.run(["confirm", typed]);
      assert.deepEqual([code, /Nothing was tried yet/u.test(stderr)], [2, true]);
    }
    const wrong = await shell.run(["confirm", other(phone.digits)]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /not the digits of that device.*turned away.*show a new link/u);
    await assert.rejects(phone.paired, refused);
    const late = await shell.run(["confirm", phone.digits]);
    assert.equal(late.code, 1, "there is one attempt");
    const { code, stderr } = await pair.ended;
    assert.deepEqual([code, /Nobody was let in/u.test(stderr)], [1, true], stderr);
    assert.ok((await events()).includes("pairing.refused"));
    assert.ok(!(await paired()).includes("mistyped"));
  });

  it("[E09] --refuse turns it away, and so does Ctrl-C of pair", async () => {
    const first = await invited();
    const one = await come(first.connection, "refused");
    await done("confirm", "--refuse");
    // By that, and not because it gave up.
    assert.equal((await events()).at(-1), "pairing.refused");
    await assert.rejects(one.paired, refused);
    assert.equal((await first.pair.ended).code, 1);

    const second = await invited();
    const two = await come(second.connection, "stopped");
    await second.pair.line((line) => line.includes("waits"));
    second.pair.child.kill("SIGINT");
    assert.equal((await second.pair.ended).code, 130);
    assert.equal((await events()).at(-1), "pairing.refused");
    await assert.rejects(two.paired, refused);

    assert.deepEqual(
      (await paired()).filter((name) => name === "refused" || name === "stopped"),
      [],
    );
  });

  it("asks which is meant when two wait", async () => {
    const [one, two] = [await invited(), await invited()];
    const ada = await come(one.connection, "Ada");
    const bob = await come(two.connection, "Bob");
    const unclear = await shell.run(["confirm", bob.digits]);
    assert.equal(unclear.code, 1);
    assert.match(unclear.stderr, /2 devices wait.*--device.*Ada \(phone\).*Bob \(phone\)/su);
    await done("confirm", bob.digits, "--device", "Bob");
    await bob.paired;
    await done("confirm", ada.digits, "--device", "Ada");
    await ada.paired;
    assert.deepEqual([(await one.pair.ended).code, (await two.pair.ended).code], [0, 0]);
  });

  it("a device that is paired anew is noticed as well", async () => {
    const { pair, connection } = await invited();
    const known = bridges.at(-1);
    assert.ok(known);
    const shown = Promise.withResolvers<string>();
    const again = known.pair(parseConnection(connection), {
      name: "Bob again",
      kind: "phone",
      confirming: shown.resolve,
    });
    await done("confirm", await shown.promise);
    await again;
    assert.match((await pair.ended).stdout, /Paired: Bob again \(phone\)\.\n$/u);
  });

  it(
    "[E09] pair asks for the digits where a person is there",
    { skip: findTmux() === undefined && "there is no tmux" },
    async () => {
      using terminal = new Tmux([process.execPath, "--disable-warning=ExperimentalWarning", MAIN, "pair"], {
        cwd: join(shell.home, ".."),
        env: { FLYBRIDGE_HOME: shell.home, PATH: process.env["PATH"] ?? "", HOME: join(shell.home, "..") },
      });
      await terminal.until(/Waiting for the device · \d:\d\d · Ctrl-C withdraws/u, "the countdown");
      const [open] = (await done("devices", "--json")).json.filter((line) => line["offer"] !== undefined).slice(-1);
      assert.ok(open);
      const connection = terminal.screen.replaceAll("\n", "").match(/flybridge:\/\/127\S+?n=[\w%.-]+/u)?.[0];
      assert.ok(connection, terminal.screen);
      const phone = await come(connection, "seen");
      await terminal.until(/seen \(phone\), on this machine waits to be let in/u, "the question");
      await terminal.line("12");
      await terminal.until(/Six digits/u, "what is wrong");
      terminal.keys("BSpace", "BSpace");
      await terminal.line(phone.digits);
      await terminal.until(/Paired: seen \(phone\)/u, "the end");
      await phone.paired;
    },
  );
});
