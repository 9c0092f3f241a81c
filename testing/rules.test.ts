/** Standing rules with the real host: exactly what a person allowed is allowed again, seen by everyone, until revoked. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ApprovalAsk, Settlement } from "@flybridge/protocol/ask.ts";
import type { Entry } from "@flybridge/protocol/entry.ts";
import type { AgentName, SessionId } from "@flybridge/protocol/ids.ts";
import { RULE_CHOICES } from "@flybridge/protocol/rule.ts";
import { type Anthropic, startAnthropic, toldIn } from "./anthropic.ts";
import { BareDevice, newIntent } from "./bare.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { startWorld, type World } from "./world.ts";

const found = findClaude();
const skip = found === undefined ? "Claude Code is not in .cache/agents; npm test brings it" : false;

/** A stdio MCP server with two tools; which server it is, is its name in the configuration. */
const MCP_SERVER = `
import { createInterface } from "node:readline";
const say = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
const tool = (name) => ({ name, description: name, inputSchema: { type: "object", properties: { pull: { type: "number" } } } });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === "initialize") say(id, { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "pulls", version: "1" } });
  else if (method === "tools/list") say(id, { tools: [tool("merge"), tool("close")] });
  else if (method === "tools/call") say(id, { content: [{ type: "text", text: "did " + params.name + " " + JSON.stringify(params.arguments) }] });
  else if (id !== undefined) say(id, {});
}
`;

/** One session of Claude's, followed by one device. */
class Watched {
  readonly device: BareDevice;
  readonly session: SessionId;
  private constructor(device: BareDevice, session: SessionId) {
    this.device = device;
    this.session = session;
  }

  static async open(device: BareDevice, workspace: string, more: { session?: SessionId } = {}): Promise<Watched> {
    const session = more.session ?? (newIntent() as string as SessionId);
    if (more.session === undefined)
      await device.call("session.create", { agent: "claude" as AgentName, workspace }, session as string as never);
    await device.call("session.follow", { session, from: 1 });
    return new Watched(device, session);
  }

  get entries(): Entry[] {
    return this.device.entriesOf(this.session);
  }

  /** Sends the prompt, waits for the ask that comes of it, or for the end of its turn where none does. */
  async prompt(text: string): Promise<{ ask: ApprovalAsk | undefined; settlement: Settlement | undefined }> {
    const intent = newIntent();
    const from = (await this.device.call("session.prompt", { session: this.session, text, delivery: "queue" }, intent))
      .seq;
    const ask = await this.device.untilEntry(this.session, ({ seq, fact }) => {
      if (seq <= from) return undefined;
      if (fact.kind === "ask.opened" && fact.ask.kind === "approval") return { ask: fact.ask };
      if (fact.kind === "turn.ended") return { ask: undefined };
      return undefined;
    });
    if (!ask.ask) return { ask: undefined, settlement: undefined };
    // The host settles by a rule in the step that opens the ask.
    const settled = this.entries.find(({ fact }) => fact.kind === "ask.settled" && fact.ask === ask.ask?.ask);
    return { ask: ask.ask, settlement: settled?.fact.kind === "ask.settled" ? settled.fact.settlement : undefined };
  }

  async answer(ask: ApprovalAsk, choice: string): Promise<void> {
    const { session } = this;
    await this.device.call("ask.answer", { session, ask: ask.ask, answer: { kind: "allow", choice } }, newIntent());
    await this.rests(ask);
  }

  /** Until the turn in which the ask was opened has ended. */
  rests(ask: ApprovalAsk): Promise<Entry> {
    const at = this.entries.find(({ fact }) => fact.kind === "ask.opened" && fact.ask.ask === ask.ask)?.seq ?? 0;
    return this.device.untilEntry(this.session, (entry) => entry.seq > at && entry.fact.kind === "turn.ended" && entry);
  }

  /** It was asked for, and answered by nobody. */
  async asks(text: string): Promise<ApprovalAsk> {
    const { ask, settlement } = await this.prompt(text);
    assert.ok(ask, "it asks");
    assert.equal(settlement, undefined, "no rule answers");
    return ask;
  }

  async isRuled(text: string): Promise<Extract<Settlement, { kind: "ruled" }>> {
    const { ask, settlement } = await this.prompt(text);
    assert.ok(ask, "the ask is in the journal");
    assert.equal(settlement?.kind, "ruled");
    await this.rests(ask);
    return settlement;
  }
}

describe("standing rules, with the real Claude Code", { skip }, () => {
  let model: Anthropic;
  let world: World;
  let phone: BareDevice;
  let workspace: string;
  /** Two sessions that several tests share: starting an agent takes its time. */
  let one: Watched;
  let other: Watched;
  const tool = (name: string, input: object): string =>
    `Go on. [[tool ${name} ${JSON.stringify(input)}]][[text Done.]]`;
  const touch = (file: string): string => tool("Bash", { command: `touch ${file} && echo made ${file}` });

  before(async () => {
    model = await startAnthropic();
    const { HOME: _, ...env } = claudeEnv({ home: "", url: model.url });
    world = await startWorld({ env: { ...env, PATH: `${dirname(found ?? "")}:${env["PATH"] ?? ""}` } });
    workspace = join(world.home, "project");
    mkdirSync(workspace);
    const server = join(world.home, "server.mjs");
    writeFileSync(server, MCP_SERVER);
    const mcpServers = Object.fromEntries(
      ["git-hub", "git.hub"].map((name) => [name, { type: "stdio", command: process.execPath, args: [server] }]),
    );
    writeFileSync(join(world.home, ".claude.json"), JSON.stringify({ mcpServers }));
    phone = await world.pair("phone");
    [one, other] = await Promise.all([Watched.open(phone, workspace), Watched.open(phone, workspace)]);
  });
  after(async () => {
    phone?.close();
    await world?.[Symbol.asyncDispose]();
    await model?.close();
  });

  it("offers both beside what the agent itself offers, spelled out", async () => {
    const ask = await one.asks(touch("offered"));
    const choices = ask.choices.map(({ choice }) => choice);
    assert.equal(choices[0], "once");
    assert.deepEqual(choices.slice(-2), [RULE_CHOICES.session, RULE_CHOICES.always]);
    assert.ok(choices.length > 3, "the agent's own are there too");
    for (const { choice, detail, scope } of ask.choices.slice(-2)) {
      assert.ok(detail && detail.length > 20, choice);
      assert.equal(scope, choice === RULE_CHOICES.session ? "session" : "always");
    }
    await one.answer(ask, "once");
    // Once is once.
    await one.answer(await one.asks(touch("offered")), "once");
  });

  it("[E47] allows the same in this session from then on, seen in the journal; another session still asks", async () => {
    await one.answer(await one.asks(touch("made")), RULE_CHOICES.session);
    const { answer, by } = await one.isRuled(touch("made"));
    assert.deepEqual(answer, { kind: "allow", choice: "once" });
    assert.equal(by, (await phone.call("device.list", {})).devices.find(({ name }) => name === "phone")?.device);
    assert.match(toldIn(model.requests.at(-1)), /made made/u);
    await other.answer(await other.asks(touch("made")), "once");
  });

  it("asks again for one changed byte", async () => {
    await one.answer(await one.asks(touch("byte")), RULE_CHOICES.session);
    await one.isRuled(touch("byte"));
    for (const changed of [
      touch("bytf"),
      tool("Bash", { command: "touch byte && echo made byte " }),
      tool("Bash", { command: "touch byte && echo made byte", description: "another" }),
    ])
      await one.answer(await one.asks(changed), "once");
  });

  it("[E48] tells MCP servers and tools apart by their exact names", async () => {
    const merge = (server: string, name = "merge", pull = 7): string => tool(`mcp__${server}__${name}`, { pull });
    const ask = await one.asks(merge("git-hub"));
    assert.equal(ask.evidence.server, "git-hub");
    await one.answer(ask, RULE_CHOICES.session);
    await one.isRuled(merge("git-hub"));
    // The agent itself calls the tools of "git.hub" so.
    const dotted = await one.asks(merge("git_hub"));
    assert.equal(dotted.evidence.server, "git.hub");
    await one.answer(dotted, "once");
    await one.answer(await one.asks(merge("git-hub", "close")), "once");
    await one.answer(await one.asks(merge("git-hub", "merge", 8)), "once");
  });

  it("[E49] [E50] always: in a file beside the store, after a restart, in every session, until it is revoked", async () => {
    await one.answer(await one.asks(touch("always")), RULE_CHOICES.always);
    const file = join(world.state, "rules.json");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await world.kill();
    await world.restart();
    phone = await BareDevice.reconnect(phone.keys);
    one = await Watched.open(phone, workspace, { session: one.session });
    other = await Watched.open(phone, workspace, { session: other.session });
    await one.isRuled(touch("always"));
    const settlement = await other.isRuled(touch("always"));
    const { rules } = await phone.call("rule.list", {});
    const rule = rules.find((each) => each.rule === settlement.rule);
    assert.equal(rule?.used, 2);
    assert.equal(rule.request, "touch always && echo made always");
    assert.equal(rule.workspace, workspace);
    assert.equal(rule.session, undefined);
    await phone.call("rule.revoke", { rule: rule.rule }, newIntent());
    await other.answer(await other.asks(touch("always")), "once");
    assert.deepEqual((JSON.parse(readFileSync(file, "utf8")) as { rules: unknown }).rules, []);
  });

  it("[C14] allows nothing by a broken file, and says so; a guest answers what is asked, makes no rule, and sees none", async () => {
    await world.kill();
    const file = join(world.state, "rules.json");
    writeFileSync(file, '{ "version": 1, "rules": [ }');
    await world.restart();
    phone = await BareDevice.reconnect(phone.keys);
    const { findings } = await phone.call("host.check", {});
    assert.match(findings.find(({ about }) => about === "rules")?.message ?? "", /not JSON.*now .*aside-1/u);
    const guest = await world.share(one.session, ["read", "answer"], "guest");
    const mine = await Watched.open(phone, workspace, { session: one.session });
    const ask = await mine.asks(touch("guest"));
    const answers = (choice: string) =>
      guest.call("ask.answer", { session: one.session, ask: ask.ask, answer: { kind: "allow", choice } }, newIntent());
    for (const { choice, scope } of ask.choices)
      if (scope !== "once") await assert.rejects(answers(choice), { code: "forbidden" }, choice);
    await assert.rejects(guest.call("rule.list", {}), { code: "forbidden" });
    await assert.rejects(guest.call("rule.revoke", { rule: "0123456789abcdef" as never }, newIntent()), {
      code: "forbidden",
    });
    await answers("once");
    await mine.rests(ask);
    assert.deepEqual((await phone.call("rule.list", {})).rules, []);
    await mine.answer(await mine.asks(touch("guest")), "once");
    guest.close();
  });
});
