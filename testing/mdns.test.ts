/** A host on a network as another machine sees it: two machines made of network namespaces, and a wire between them. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { newIntent } from "./bare.ts";
import { startWorld, type World } from "./world.ts";

const LIMIT = { timeout: 240_000 };
const HOST = "10.77.0.1";
const PHONE = "10.77.0.2";
const NAMES = { host: `fb${process.pid}h`, phone: `fb${process.pid}p` };

/** Asks who is a Flybridge host here, by multicast (RFC 6762 §5.1), until one answers; prints what it said. */
const BROWSE = `
const socket = require("node:dgram").createSocket({ type: "udp4", reuseAddr: true });
const label = (text) => [text.length, ...Buffer.from(text)];
const question = [...label("_flybridge"), ...label("_tcp"), ...label("local"), 0, 0, 12, 0, 1];
const query = Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question]);
socket.bind(5353, () => {
  socket.addMembership("224.0.0.251", "${PHONE}");
  socket.setMulticastInterface("${PHONE}");
  const ask = () => socket.send(query, 5353, "224.0.0.251");
  ask();
  setInterval(ask, 200);
});
socket.on("message", (message, { address }) => {
  // An answer: the first bit of the flags.
  if (message[2] & 0x80) process.stdout.write(JSON.stringify({ address, message: message.toString("latin1") }) + "\\n");
});
`;

function ip(...words: string[]): void {
  execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });
}

/** Undefined when two machines could be made here. */
function unable(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux, for a network of its own";
  try {
    for (const name of Object.values(NAMES)) ip("netns", "add", name);
    ip("link", "add", "wire", "netns", NAMES.host, "type", "veth", "peer", "name", "wire", "netns", NAMES.phone);
    for (const [name, address] of [
      [NAMES.host, HOST],
      [NAMES.phone, PHONE],
    ] as const) {
      const inside = ["-n", name];
      ip(...inside, "link", "set", "lo", "up");
      ip(...inside, "address", "add", `${address}/24`, "dev", "wire");
      ip(...inside, "link", "set", "wire", "up");
      ip(...inside, "route", "add", "default", "dev", "wire");
    }
    return undefined;
  } catch (error) {
    undo();
    return `no network could be made: ${String(error)}`;
  }
}

function undo(): void {
  for (const name of Object.values(NAMES)) spawnSync("ip", ["netns", "delete", name]);
}

const skip = unable();
/** Words of `ip` before those of a program that is to run there. */
const inside = (name: string): string[] => ["netns", "exec", name];

async function answers(count: number): Promise<{ address: string; message: string }[]> {
  const asking = spawn("ip", [...inside(NAMES.phone), process.execPath, "-e", BROWSE], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const heard: { address: string; message: string }[] = [];
    for await (const line of createInterface(asking.stdout)) {
      heard.push(JSON.parse(line) as { address: string; message: string });
      if (heard.length === count) break;
    }
    return heard;
  } finally {
    asking.kill();
    await once(asking, "exit");
  }
}

describe("a host on the network", { ...LIMIT, ...(skip === undefined ? {} : { skip }) }, () => {
  let world: World;

  before(async () => {
    const args = ["--bind", "0.0.0.0", "--name", "Work Laptop"];
    world = await startWorld({ under: ["ip", ...inside(NAMES.host)], args });
  });
  after(async () => {
    await world?.[Symbol.asyncDispose]();
    undo();
  });

  it("[A32] [B09] is found by phones on it, by the name it was given, and tells nothing that opens it", async () => {
    const shell = await world.shell();
    const { connection, host } = await shell.call("offer.make", {}, newIntent());
    shell.close();
    const [answer] = await answers(1);
    assert.equal(answer?.address, HOST);
    const message = answer?.message ?? "";
    for (const said of ["_flybridge", "Work Laptop", "name=Work Laptop", `host=${host.slice(0, 7)}`, "version="])
      assert.ok(message.includes(said), said);
    assert.ok(message.includes(String.fromCharCode(world.port >> 8, world.port & 0xff)), "its port");
    const [, token = ""] = /\/([^?]+)/u.exec(connection.replace("flybridge://", "")) ?? [];
    for (const secret of [...token.split("."), host]) assert.ok(!message.includes(secret));
    assert.match(connection, new RegExp(`^flybridge://${HOST.replaceAll(".", "\\.")}:${world.port}/`, "u"));
  });

  it("[A11] [B21] speaks TLS to the other machine, and refuses it anything in the clear", () => {
    const ask = (url: string): number =>
      Number(
        execFileSync(
          "ip",
          [
            ...inside(NAMES.phone),
            process.execPath,
            "-e",
            `const { get } = require(${JSON.stringify(url.startsWith("https") ? "node:https" : "node:http")});
             get(${JSON.stringify(url)}, { rejectUnauthorized: false }, ({ statusCode }) => { console.log(statusCode); process.exit(); });`,
          ],
          { encoding: "utf8" },
        ),
      );
    assert.equal(ask(`http://${HOST}:${world.port}/`), 400);
    assert.notEqual(ask(`https://${HOST}:${world.port}/`), 421);
  });

  it("is up all the same where another program has the port of it, and says so in its log", async () => {
    const holding = `require("node:dgram").createSocket("udp4").bind(5353, () => console.log("held"));`;
    const holder = spawn("ip", [...inside(NAMES.phone), process.execPath, "-e", holding]);
    await once(holder.stdout, "data");
    try {
      await using other = await startWorld({ under: ["ip", ...inside(NAMES.phone)], args: ["--bind", PHONE] });
      const device = await other.shell();
      await device.call("host.read", {});
      device.close();
      assert.match(readFileSync(join(other.state, "log", "host.log"), "utf8"), /EADDRINUSE.*could not be told/u);
    } finally {
      holder.kill();
    }
  });

  it("[A32] keeps silent when it is told to", async () => {
    await using silent = await startWorld({
      under: ["ip", ...inside(NAMES.host)],
      args: ["--bind", HOST, "--no-mdns", "--name", "Silent"],
    });
    assert.ok(silent.tls.port);
    // Both would have answered the same questions by now.
    const heard = await answers(4);
    assert.ok(heard.every(({ message }) => message.includes("Work Laptop") && !message.includes("Silent")));
  });
});
