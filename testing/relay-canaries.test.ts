/** Words of a session that went through a relay of two nodes: where they are not. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { newIntent } from "./bare.ts";
import { RELAY_FRAME_BYTES } from "@flybridge/protocol/relay/words.ts";
import { untilRelayed } from "./relay.ts";
import { pageOf, type RelayNodes, startRelayNodes } from "./relay-nodes.ts";
import { offerBy, RelayedDevice } from "./relayed.ts";
import { TerminalDevice } from "./terminal.ts";
import type { Wire } from "./wire.ts";
import { startWorld } from "./world.ts";

const CHUNK_BYTES = 4 * 1024 * 1024;
/** Longer than what is looked for, so that nothing is missed at a border. */
const OVERLAP_BYTES = 256;

/** A word in every spelling in which it might lie somewhere. */
class Needle {
  readonly #spellings: readonly Buffer[];

  constructor(word: string) {
    const plain = Buffer.from(word);
    const hex = plain.toString("hex");
    // Of base64 at each of the places where it may begin, what does not hang on its neighbours.
    const base64 = [0, 1, 2].flatMap((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), plain]).toString("base64");
      const inner = text.slice(shift === 0 ? 0 : 4, text.length - 4);
      return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
    });
    this.#spellings = [
      plain,
      Buffer.from(word, "utf16le"),
      ...[...new Set([hex, hex.toUpperCase(), ...base64])].map((text) => Buffer.from(text)),
    ];
  }

  isIn(bytes: Buffer): boolean {
    return this.#spellings.some((spelling) => bytes.includes(spelling));
  }
}

/** Which of the needles lie in what a process has in memory (proc(5)). */
function inMemory(pid: number, needles: readonly Needle[]): boolean[] {
  const found = needles.map(() => false);
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, "utf8").split("\n")) {
      const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/u.exec(line) ?? [];
      if (from === undefined || to === undefined || !rights?.startsWith("rw")) continue;
      const end = Number.parseInt(to, 16);
      for (let at = Number.parseInt(from, 16); at < end; at += CHUNK_BYTES) {
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES + OVERLAP_BYTES, end - at));
        let read: number;
        try {
          read = readSync(memory, chunk, 0, chunk.length, at);
        } catch {
          // It was given back since.
          continue;
        }
        for (const [which, needle] of needles.entries()) found[which] ||= needle.isIn(chunk.subarray(0, read));
      }
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

async function tablesOf({ postgres }: RelayNodes): Promise<Buffer> {
  const tables = await postgres.query(
    postgres.url,
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  assert.ok(tables.length > 5);
  const rows = await Promise.all(
    tables.map(([table = ""]) => postgres.query(postgres.url, `SELECT row_to_json(one)::text FROM "${table}" AS one`)),
  );
  return Buffer.from(JSON.stringify(rows));
}

function filesIn(folder: string): Buffer {
  return Buffer.concat(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
  );
}

/** What the frames of WebSockets carried, whose clients hide it under a mask (RFC 6455 §5.3), after what opened them. */
function framesOn(wire: Wire): Buffer {
  const payloads = wire.kept.flatMap((chunks) => {
    const stream = Buffer.concat(chunks);
    let at = stream.indexOf("\r\n\r\n") + 4;
    const found: Buffer[] = [stream.subarray(0, at)];
    while (at + 2 <= stream.length) {
      const short = stream.readUInt8(at + 1) & 0x7f;
      const isMasked = stream.readUInt8(at + 1) > 0x7f;
      const header = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
      const length =
        short === 126 ? stream.readUInt16BE(at + 2) : short === 127 ? Number(stream.readBigUInt64BE(at + 2)) : short;
      const begins = at + header + (isMasked ? 4 : 0);
      const mask = stream.subarray(at + header, begins);
      at = begins + length;
      assert.ok(length <= RELAY_FRAME_BYTES, "that was no frame");
      found.push(Buffer.from(stream.subarray(begins, at).map((byte, index) => byte ^ (mask[index % 4] ?? 0))));
    }
    return found;
  });
  assert.ok(payloads.length > 20);
  return Buffer.concat(payloads);
}

describe("a relay", { timeout: 120_000, skip: process.platform !== "linux" && "there is no /proc" }, () => {
  it("[D06] has no word of what goes through it: in no table, file, log, count or frame, and not in memory", async (t) => {
    const mark = `canary${randomBytes(12).toString("hex")}`;
    const canary = (what: string): string => `${mark}-${what}`;
    await using relay = await startRelayNodes({ keeps: true });
    await using world = await startWorld({
      args: ["--relay", relay.origin, "--confirm", "never", "--name", canary("host")],
    });
    const shell = await world.shell();
    const { rendezvous } = await untilRelayed(shell);
    const relayed = await RelayedDevice.pair(await offerBy(shell), canary("device"), relay.link());
    const { device } = relayed;

    // Prompts and what an agent says, in a folder of that name.
    const workspace = join(world.home, canary("folder"));
    mkdirSync(workspace);
    writeFileSync(join(workspace, canary("file")), canary("contents"));
    const { session } = await device.call("session.create", { agent: "demo" as AgentName, workspace });
    await device.call("session.configure", { session, title: canary("title") });
    await device.call("session.follow", { session, from: 1 });
    await device.call("session.prompt", { session, text: `flood 2 ${canary("prompt")}`, delivery: "queue" });
    await device.untilEntry(session, ({ fact }) => fact.kind === "turn.ended");
    // What a program writes, a path, and what is typed.
    const terminal = await TerminalDevice.open(
      device,
      ["sh", "-c", "pwd; ls; cat *; read x; echo $x-again; sleep 60"],
      {
        workspace,
      },
    );
    await terminal.type(`${canary("typed")}\r`);
    await terminal.hears(`${canary("typed")}-again`);
    for (const what of ["folder", "file", "contents"]) assert.ok(terminal.text.includes(canary(what)));
    const told = JSON.stringify(device.messages);
    for (const what of ["title", "prompt", "folder"]) assert.ok(told.includes(canary(what)), what);
    assert.equal((await device.call("host.read", {})).name, canary("host"));
    // While it goes on, so that nothing is cleaned away yet.
    const { session: token } = (
      JSON.parse(readFileSync(join(world.state, "relays.json"), "utf8")) as { relays: { session: string }[] }
    ).relays[0]!;
    const { ticket } = relayed.way!;
    const [word, known, secret] = [mark, rendezvous, token].map((one) => new Needle(one));

    const places: Record<string, Buffer> = {
      tables: await tablesOf(relay),
      "the way of hosts": framesOn(relay.hosts),
      "the way of devices": framesOn(relay.devices),
      "the way between nodes": Buffer.concat(relay.bus.kept.flat()),
    };
    for (const [at, node] of relay.nodes.entries()) {
      places[`the log of node ${at}`] = Buffer.from(node.log());
      places[`what node ${at} says of itself`] = Buffer.from(
        `${(await pageOf(node, "/metrics")).body}${(await pageOf(node, "/health")).body}`,
      );
      places[`the files of node ${at}`] = filesIn(node.folder);
    }
    for (const [place, bytes] of Object.entries(places)) assert.ok(!word!.isIn(bytes), `it is in ${place}`);
    // That it would be found: what the relay has to know is where it has to be.
    for (const place of ["tables", "the way of hosts", "the way of devices", "the way between nodes"])
      assert.ok(known!.isIn(places[place]!), `nothing was looked at in ${place}`);
    assert.ok(new Needle("flybridge_relay_circuits").isIn(places["what node 0 says of itself"]!));
    assert.ok(places["the log of node 0"]!.length > 0);
    // And nothing that is kept lets anybody in.
    for (const [place, bytes] of Object.entries(places))
      if (!place.startsWith("the way"))
        for (const needle of [secret!, new Needle(ticket.slice(-80))])
          assert.ok(!needle.isIn(bytes), `a key is in ${place}`);

    const began = performance.now();
    for (const [at, { pid }] of relay.nodes.entries())
      assert.deepEqual(inMemory(pid, [word!, known!]), [false, true], `the memory of node ${at}`);
    t.diagnostic(`memory was read in ${Math.round(performance.now() - began)} ms`);
    // The host has it, and this is how it would look.
    assert.deepEqual(inMemory(world.pid, [word!]), [true]);

    await device.call("session.stop", { session: terminal.session }, newIntent());
    device.close();
    shell.close();
  });
});
