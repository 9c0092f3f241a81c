/** What every user of the machine can read of a process, its arguments, holds nothing that opens the host. */
import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import type { AgentName } from "@flybridge/protocol/ids.ts";
import { parseConnection, toBase64Url } from "@flybridge/protocol/offer.ts";
import { startWorld } from "./world.ts";

const LIMIT = { timeout: 60_000, skip: process.platform !== "linux" && "reads /proc" };
/** 32 bytes in base64url: what a key or a secret looks like in the state folder. */
const SECRET = /[\w-]{43}/gu;

/** The arguments of every process, as another user sees them. */
function everyonesArguments(): string {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map((pid) => {
      try {
        return readFileSync(join("/proc", pid, "cmdline"), "utf8").replaceAll("\0", " ");
      } catch {
        // It ended meanwhile.
        return "";
      }
    })
    .join("\n");
}

it("neither host, keeper nor agent has a secret in its arguments", LIMIT, async () => {
  await using world = await startWorld();
  const device = await world.pair();
  const create = { agent: "demo" as AgentName, workspace: world.home, prompt: "ask" };
  const { session } = await device.call("session.create", create);
  await device.call("session.follow", { session, from: 1 });
  await device.untilEntry(session, ({ fact }) => fact.kind === "ask.opened");
  const { connection } = await device.call("offer.make", {});
  const { keeper } = await device.call("host.read", {});

  const seen = everyonesArguments();
  for (const pid of [world.pid, keeper.pid]) assert.ok(readFileSync(`/proc/${pid}/cmdline`).length > 0);
  assert.ok(seen.includes(join("agents", "demo", "main.ts")), "the agent runs");
  const files = globSync("*.json", { cwd: world.state }).map((name) => readFileSync(join(world.state, name), "utf8"));
  const secrets = new Set(files.flatMap((text) => [...text.matchAll(SECRET)].map(([secret]) => secret)));
  assert.ok(secrets.size >= 4, `${secrets.size} keys and secrets in the state folder`);
  for (const secret of [...secrets, toBase64Url(parseConnection(connection).secret)])
    assert.ok(!seen.includes(secret), "a secret in the arguments of a process");
  device.close();
});
