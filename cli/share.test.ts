/** One session shared from a shell, with the real command against the real host. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { nodePlatform } from "@flybridge/client/platform-node.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { BareDevice } from "@flybridge/testing/bare.ts";
import { openShell, type Outcome, type Shell } from "@flybridge/testing/shell.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";

const forbidden = (error: unknown): boolean => error instanceof CallError && error.code === "forbidden";
const refused = (error: unknown): boolean => error instanceof HandshakeError && error.fault === "refused";

describe("one session, shared from a shell", { timeout: 300_000 }, () => {
  let shell: Shell;
  let session: SessionId;
  const devices: BareDevice[] = [];

  const done = async (...words: string[]): Promise<Outcome> => {
    const outcome = await shell.run(words);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  const create = async (): Promise<SessionId> => {
    const { json } = await done("session", "create", "demo", "--model", "demo-quick", "--json");
    return String(json[0]?.["session"]) as SessionId;
  };
  const pair = async (connection: string, name: string): Promise<BareDevice> => {
    const device = await BareDevice.pair(connection, name);
    devices.push(device);
    return device;
  };
  const shared = async (...words: string[]): Promise<{ offer: string; connection: string }> => {
    const { json } = await done("share", session, "--no-wait", "--json", ...words);
    return json[0]?.["offer"] as { offer: string; connection: string };
  };

  before(async () => {
    shell = openShell();
    await done("up", "--port", "0", "--no-open");
    session = await create();
  });
  after(async () => {
    for (const device of devices) device.close();
    await shell[Symbol.asyncDispose]();
  });

  it("[C28] session pair-mobile shows a QR, a link and a string, what they allow, and who came", async () => {
    const words = ["session", "pair-mobile", session.slice(-8), "--allow", "prompt", "--for", "2h"];
    const share = shell.start(words);
    const string = (await share.line((line) => line.startsWith("  flybridge://"))).trim();
    const phone = await pair(string, "Ada's \u202ephone");
    const { code, stdout } = await share.ended;
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}[▀▄█ ]{20,}$/mu);
    assert.ok(stdout.includes(`/join#${string}\n`), "the link carries the string");
    assert.match(
      stdout,
      /\nWho uses it may watch and give prompts ".+" until (?:\S+ )?\d\d:\d\d, and nothing else here\.\n/u,
    );
    assert.match(
      stdout,
      /\nJoined at \d\d:\d\d: Ada's ⟨U\+202E⟩phone \(phone\)\. It may watch and give prompts ".+" until (?:\S+ )?\d\d:\d\d\. To end it sooner: flybridge revoke \S{8}\n$/u,
    );
    await phone.call("session.follow", { session, from: 1 });
    await assert.rejects(phone.call("session.list", {}), forbidden);
    await assert.rejects(phone.call("session.stop", { session }), forbidden);
  });

  it("[C03] what the desktop creates and attaches to, a phone prompts, and the desktop sees it answered", async () => {
    const { connection } = await shared("--allow", "prompt");
    const phone = await pair(connection, "prompting");
    const attached = shell.start(["session", "attach", session, "--json"]);
    const fact = async (kind: string): Promise<string> => attached.line((line) => line.includes(`"kind":"${kind}"`));
    await attached.line(() => true);
    await phone.call("session.prompt", { session, text: "hello from the phone", delivery: "queue" });
    assert.match(await fact("prompt.accepted"), /hello from the phone/u);
    await fact("turn.ended");
    attached.child.kill("SIGINT");
    await attached.ended;
  });

  it("says what is not there, not to be shared, or not to be understood, and fails", async () => {
    const ended = await create();
    await done("stop", ended);
    const wrong: [string[], number, RegExp][] = [
      [["session", "pair-mobile", "nope"], 1, /There is no session nope\. See flybridge ls\./u],
      [["share", ended], 1, /The session has ended/u],
      [["share", session, "--allow", "everything"], 2, /There is: watch, answer, prompt, type, files, share\./u],
      [["share", session, "--allow", "constructor"], 2, /nothing to allow/u],
      [["share", session, "--for", "8"], 2, /not a time from 1m to 30d/u],
      [["share", session, "--for", "31d"], 2, /not a time from 1m to 30d/u],
      [["session", "pair-mobile"], 2, /ID is missing/u],
      [["session"], 2, /half of a command. There is: session pair-mobile, session create, session attach/u],
    ];
    for (const [words, code, says] of wrong) {
      const outcome = await shell.run(words);
      assert.match(outcome.stderr, says);
      assert.deepEqual([outcome.code, outcome.stdout], [code, ""], words.join(" "));
    }
  });

  it("[C24] what was withdrawn before it was used is refused: by Ctrl-C, and by revoke", async () => {
    const share = shell.start(["share", session, "--json"]);
    const { offer } = JSON.parse(await share.line(() => true)) as { offer: { connection: string } };
    share.child.kill("SIGINT");
    const { code, stderr } = await share.ended;
    assert.deepEqual([code, /no longer pairs/u.test(stderr)], [130, true]);
    await assert.rejects(BareDevice.pair(offer.connection), refused);

    const other = await shared();
    const open = (await done("devices", "--json")).json.find((line) => line["offer"] === other.offer);
    assert.ok(open);
    assert.equal((open["grant"] as { session: string }).session, session);
    assert.match((await done("devices")).stdout, /Open invitations:\n(?:.*\n)*.*watch and answer ".*" until/u);
    await done("revoke", other.offer);
    await assert.rejects(BareDevice.pair(other.connection), refused);
  });

  it("ends the wait when the session ends: nobody can join it any more", async () => {
    const ending = await create();
    const share = shell.start(["share", ending]);
    const string = (await share.line((line) => line.startsWith("  flybridge://"))).trim();
    await done("stop", ending);
    const { code, stderr } = await share.ended;
    assert.deepEqual([code, /Nobody was let in/u.test(stderr)], [1, true], stderr);
    await assert.rejects(BareDevice.pair(string), refused);
  });

  it("devices says what each may do; revoke says what ends with it, and cuts all of it", async () => {
    const guest = await pair((await shared("--allow", "answer,share")).connection, "guest");
    const passed = async (): Promise<string> =>
      (await guest.call("session.share", { session, verbs: ["read"] })).connection;
    const friend = await pair(await passed(), "friend");
    const open = await passed();
    assert.match((await done("devices")).stdout, /friend.*connected on this machine\n.*phone · watch ".*" until/u);

    const asked = await shell.run(["revoke", "guest"]);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /With it ends what it passed on: friend \(phone\), 1 open invitation\..*add --yes/u);
    assert.match((await done("revoke", "guest", "--yes")).stdout, /guest \(phone\) is cut off\. With it ends/u);
    for (const device of [guest, friend])
      assert.deepEqual(await device.ended, { kind: "bye", by: "them", reason: "revoked" });
    await assert.rejects(BareDevice.pair(open), refused);
  });

  it("a device of the owner's that joins keeps all that it may, and that is said", async () => {
    const own = await makeBridge(await nodePlatform({ folder: join(shell.home, "..", "own") }));
    const joins = (connection: string): Promise<unknown> =>
      own.pair(parseConnection(connection), { name: "my own", kind: "tablet" });
    try {
      await joins((await done("show-connection-string")).stdout.trim());
      const share = shell.start(["share", session]);
      await joins((await share.line((line) => line.startsWith("  flybridge://"))).trim());
      const { stdout } = await share.ended;
      assert.match(stdout, /: my own \(tablet\)\. It is yours and may do everything here already\./u);
      assert.match((await done("devices")).stdout, /my own.*\n.*tablet · everything/u);
    } finally {
      own.close();
    }
  });
});
