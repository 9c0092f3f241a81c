/** A session that joins the app-server of a person's own Codex, with the real Codex as that. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { uuid7From, type SessionId } from "@flybridge/protocol/ids.ts";
import { codexPlace, findCodex, runOutside, type CodexPlace } from "@flybridge/testing/codex.ts";
import { drive } from "@flybridge/testing/driven.ts";
import { startOpenAi } from "@flybridge/testing/openai.ts";
import { WebSocket } from "ws";
import { codex } from "./codex.ts";
import { controlSocket, liveThreads } from "./shared.ts";

const skip = findCodex() === undefined ? "Codex is not in .cache/agents; npm test brings it" : false;
const PATIENCE_MS = 30_000;

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: { readonly thread?: { readonly id: string } };
}

/** What a person's Codex screen is to the server: another who is connected, with its own conversation. */
class Screen implements AsyncDisposable {
  readonly heard: Message[] = [];
  readonly #server: ChildProcess;
  readonly #socket: WebSocket;
  #count = 0;

  private constructor(server: ChildProcess, socket: WebSocket) {
    this.#server = server;
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.heard.push(JSON.parse(data.toString()) as Message));
  }

  static async open(place: CodexPlace): Promise<Screen> {
    const path = controlSocket(place.env);
    mkdirSync(dirname(path));
    const server = spawn(findCodex() ?? "", ["app-server", "--listen", `unix://${path}`], {
      cwd: place.workspace,
      env: place.env,
      stdio: "ignore",
    });
    await until(() => existsSync(path), "the socket");
    const socket = new WebSocket(`ws+unix://${path}:/`, { perMessageDeflate: false });
    await once(socket, "open");
    const screen = new Screen(server, socket);
    await screen.call("initialize", {
      clientInfo: { name: "screen", version: "1" },
      capabilities: { experimentalApi: true },
    });
    screen.send({ method: "initialized" });
    return screen;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  async call(method: string, params: object): Promise<Message> {
    this.#count += 1;
    const id = this.#count;
    this.send({ id, method, params });
    return this.until((message) => message.id === id && message.method === undefined, method);
  }

  async until(test: (message: Message) => boolean, what: string): Promise<Message> {
    await until(() => this.heard.some(test), what);
    return this.heard.find(test) as Message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const exit = once(this.#server, "exit");
    this.#server.kill("SIGKILL");
    await exit;
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await delay(20)) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
  }
}

const input = (text: string): object[] => [{ type: "text", text, text_elements: [] }];

describe("a session that joins a person's own Codex", { skip }, () => {
  it("sees what is open there, takes over what waits, and each side's answer closes the other's", async () => {
    await using model = await startOpenAi();
    using place = codexPlace(model.url);
    await using screen = await Screen.open(place);
    const threadId = (await screen.call("thread/start", { cwd: place.workspace })).result?.thread?.id ?? "";
    await screen.call("thread/start", { cwd: place.folder });
    const [one, two, mine] = ["one", "two", "mine"].map((name) => join(place.folder, name)) as [string, string, string];
    await screen.call("turn/start", { threadId, input: input(`[[${runOutside(`touch ${one}`)}]]`) });
    const asked = await screen.until((message) => message.method?.endsWith("/requestApproval") === true, "its dialog");

    const strangers = await liveThreads(place.env);
    assert.equal(strangers.length, 2);
    const stranger = strangers.find(({ conversation }) => conversation === threadId);
    assert.deepEqual([stranger?.state, stranger?.workspace, stranger?.joins], ["waiting", place.workspace, true]);
    assert.ok((stranger?.since ?? 0) > 1e12);

    const session = uuid7From(Date.now(), new Uint8Array(10)) as string as SessionId;
    const from = { conversation: threadId, fork: false };
    await using driven = await drive(codex, {
      session,
      workspace: place.workspace,
      env: place.env,
      from,
      mode: "full-access",
    });
    const { ask } = await driven.fact("ask.opened");
    assert.ok(ask.kind === "approval" && ask.evidence.command === `touch ${one}`);
    assert.equal(driven.state().status.kind, "waiting");
    driven.answer(ask, { kind: "allow", choice: ask.choices[0]?.choice ?? "" });
    await driven.fact("turn.ended");
    assert.ok(existsSync(one));
    await screen.until(
      (message) => message.method === "serverRequest/resolved" && message.params?.["requestId"] === asked.id,
      "its dialog to close",
    );
    assert.equal(driven.state().mode, "auto", "who joins changes nothing of how it runs there");

    // Answered on the keyboard: the card is taken back.
    let after = driven.entries.length;
    screen.heard.length = 0;
    await screen.call("turn/start", { threadId, input: input(`[[${runOutside(`touch ${two}`)}]]`) });
    const again = await screen.until((message) => message.method?.endsWith("/requestApproval") === true, "its dialog");
    const card = await driven.fact("ask.opened", undefined, after);
    screen.send({ id: again.id, result: { decision: "accept" } });
    const settled = await driven.fact("ask.settled", (fact) => fact.ask === card.ask.ask, after);
    assert.equal(settled.settlement.kind, "withdrawn");
    await driven.fact("turn.ended", undefined, after);
    assert.ok(existsSync(two));
    const said = driven.items().filter((item) => item.kind === "prompt");
    assert.match(said.at(-1)?.body ?? "", /touch .*two/u);

    // A prompt from a device is heard there, and is none of the screen's here.
    after = driven.entries.length;
    driven.prompt("[[text From the phone]]");
    await driven.fact("turn.ended", undefined, after);
    assert.equal(driven.items().filter((item) => item.kind === "prompt").length, said.length);
    await screen.until((message) => JSON.stringify(message).includes("From the phone"), "the prompt at the screen");

    // The person's other conversations are none of this session's.
    const other = strangers.find(({ conversation }) => conversation !== threadId)?.conversation ?? "";
    after = driven.entries.length;
    screen.heard.length = 0;
    await screen.call("turn/start", { threadId: other, input: input(`[[${runOutside(`touch ${mine}`)}]]`) });
    const theirs = await screen.until((message) => message.method?.endsWith("/requestApproval") === true, "its dialog");
    screen.send({ id: theirs.id, result: { decision: "accept" } });
    await screen.until((message) => message.method === "turn/completed", "its end");
    assert.deepEqual(driven.entries.slice(after), []);

    await screen[Symbol.asyncDispose]();
    const end = await driven.ended;
    assert.match(codex.explain(driven.memory() as never, end) ?? "", /joined has ended/u);
  });

  it("finds nothing where there is no server, or one that says nothing of use", async () => {
    using place = codexPlace("http://127.0.0.1:9/v1");
    assert.deepEqual(await liveThreads(place.env), []);
    const path = controlSocket(place.env);
    mkdirSync(dirname(path));
    const server = createServer((socket) => socket.end("HTTP/1.1 400 No\r\n\r\n")).listen(path);
    await once(server, "listening");
    assert.deepEqual(await liveThreads(place.env), []);
    server.close();
  });
});
