import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { AGENTS, agentsIn } from "../catalogue.ts";
import { CONFIG, ownAgents } from "./config.ts";
import { KNOWN } from "./known.ts";

/** What each agent of a file is, or what is wrong with it. */
async function told(text: string | undefined, mode = 0o600): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-agents-"));
  try {
    if (text !== undefined) writeFileSync(join(folder, CONFIG), text, { mode });
    if (text !== undefined) chmodSync(join(folder, CONFIG), mode);
    const agents = ownAgents(folder, new Set(["claude", "gemini"]));
    const infos = await Promise.all(agents.map((agent) => agent.look({ PATH: "" })));
    for (const [place, info] of infos.entries()) assert.equal(info.agent, agents[place]?.name);
    assert.equal(new Set(infos.map((info) => info.agent)).size, infos.length);
    return infos.map((info) => info.problem?.message.replace(folder, "") ?? `${info.agent}: ${info.title}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const NODE = process.execPath;

describe("the person's own ACP agents", () => {
  it("are those of agents.json, and none where there is no such file", async () => {
    assert.deepEqual(await told(undefined), []);
    assert.deepEqual(await told("[]"), []);
    const list = [
      { name: "mine", title: "My agent", command: [NODE, "agent.js"], env: { KEY: "value" } },
      { name: "other", command: [NODE], install: ["npm", "install", "-g", "other"] },
    ];
    assert.deepEqual(await told(JSON.stringify(list)), ["mine: My agent", "other: other"]);
  });

  it("say what is wrong with each entry, and the others are there", async () => {
    const good = { name: "good", command: [NODE] };
    const list = [
      good,
      { name: "Bad Name", command: [NODE] },
      { name: "__proto__", command: [NODE] },
      { name: "agents-json-9", command: [NODE] },
      { name: "words", command: "node agent.js" },
      { name: "empty", command: [] },
      { name: "nothing", command: [""] },
      { name: "relative", command: ["./agent"] },
      { name: "zero", command: [NODE, "a\0b"] },
      { name: "loader", command: [NODE], env: { "A B": "x" } },
      { name: "number", command: [NODE], env: { KEY: 3 } },
      { name: "more", command: [NODE], cwd: "/" },
      { name: "gemini", command: [NODE] },
      { name: "good", command: [NODE] },
      null,
      "text",
      { ...good, name: "last" },
    ];
    const said = await told(JSON.stringify(list));
    assert.equal(said.length, list.length);
    assert.equal(said[0], "good: good");
    assert.equal(said.at(-1), "last: last");
    for (const [place, words] of said.slice(1, -1).entries())
      assert.match(words, new RegExp(`agents.json: agent ${place + 2}`, "u"));
    assert.match(said[1] ?? "", /name must be small letters/u);
    assert.match(said[7] ?? "", /command\.0 must be an absolute path/u);
    assert.match(said[12] ?? "", /has the name "gemini", which another agent has/u);
    assert.match(said[13] ?? "", /has the name "good"/u);
  });

  it("say what is wrong with the file as a whole", async () => {
    assert.match((await told("[{"))[0] ?? "", /is not JSON/u);
    assert.match((await told('{"name":"x"}'))[0] ?? "", /must be a list of agents/u);
    assert.match((await told(`[${" ".repeat(300 * 1024)}]`))[0] ?? "", /has \d+ bytes/u);
    const many = Array.from({ length: 70 }, (_, at) => ({ name: `a${at}`, command: [NODE] }));
    const said = await told(JSON.stringify(many));
    assert.equal(said.length, 65);
    assert.match(said.at(-1) ?? "", /after the first 64 are left out/u);
    if (process.platform !== "win32")
      assert.match((await told("[]", 0o666))[0] ?? "", /can be written by others.*chmod 600/u);
  });

  it("do not start where something is wrong, and say what", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-agents-"));
    try {
      writeFileSync(join(folder, CONFIG), "nonsense", { mode: 0o600 });
      const agents = agentsIn(folder);
      assert.equal(agents.length, AGENTS.length + 1);
      const broken = agents.at(-1);
      assert.ok(broken);
      await assert.rejects(broken.launch({ session: "s" as never, workspace: folder, env: {} }), {
        code: "agent_unavailable",
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("the known ones have names of their own, and a way to get them", () => {
    const names = AGENTS.map((agent) => agent.name as string);
    assert.equal(new Set(names).size, names.length);
    for (const entry of KNOWN) {
      assert.match(entry.name, /^[a-z][a-z0-9-]{0,31}$/u);
      assert.ok(entry.install ?? entry.page, entry.name);
    }
  });
});
