/**
 * Stands in for `codex` where the real one cannot be made to fail: an app-server that speaks its protocol up to the
 * stage that CODEX_STAGE names, and then does what it should not.
 */
import { createInterface } from "node:readline";

const [command] = process.argv.slice(2);
const stage = process.env["CODEX_STAGE"] ?? "";
const THREAD = "01a22f16-29b5-7f73-937a-b74a4a5a0395";
const TURN = "turn-1";

interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly clientUserMessageId?: string };
  readonly result?: unknown;
  readonly error?: unknown;
}

const raw = (line: string): void => void process.stdout.write(`${line}\n`);
const send = (message: object): void => raw(JSON.stringify(message));
const news = (method: string, params: object): void => send({ method, params: { threadId: THREAD, ...params } });
const item = (method: string, told: object): void => news(`item/${method}`, { turnId: TURN, item: told });

/** Dies as a program does that has met its own fault. */
function dieAt(at: string): void {
  if (stage !== at) return;
  process.stderr.write(`\u001b[31mERROR\u001b[0m thread 'main' panicked at ${at}\n`);
  process.exit(101);
}

function turn(prompt: string | undefined): void {
  news("turn/started", { turn: { id: TURN } });
  item("started", { type: "userMessage", id: "u1", clientId: prompt, content: [] });
  dieAt("turn");
  const words = { type: "agentMessage", id: "m1", text: "", phase: "final_answer" };
  item("started", words);
  news("item/agentMessage/delta", { turnId: TURN, itemId: "m1", delta: "Half a " });
  dieAt("words");
  if (stage === "noise") {
    raw("thread 'tokio' panicked at nothing in particular");
    raw('{"method":"item/agentMessage/delta","params":{"threadId":');
    raw("[1,2,3]");
    raw(JSON.stringify({ neither: "this nor that" }));
    raw(`{"method":"warning","params":{"message":"${"x".repeat(33 * 1024 * 1024)}"}}`);
    news("something/new", { what: "ever" });
    item("started", words);
    news("turn/started", { turn: { id: TURN } });
  }
  if (stage === "unknown" || stage === "asked") {
    const method = stage === "unknown" ? "item/unheardOf/request" : "item/commandExecution/requestApproval";
    for (const _ of [1, 2])
      send({ id: "r1", method, params: { threadId: THREAD, turnId: TURN, itemId: "c1", command: "ls" } });
    if (stage === "asked") setTimeout(() => dieAt("asked"), 200);
    return;
  }
  over("word");
}

function over(rest: string): void {
  item("completed", { type: "agentMessage", id: "m1", text: `Half a ${rest}`, phase: "final_answer" });
  item("completed", { type: "agentMessage", id: "m1", text: `Half a ${rest}`, phase: "final_answer" });
  for (const _ of [1, 2]) news("turn/completed", { turn: { id: TURN, status: "completed", error: null } });
}

if (command === "--version") {
  raw(stage === "old" ? "codex-cli 0.20.0" : stage === "broken" ? "Segmentation fault" : "codex-cli 0.169.0");
  process.exit(stage === "broken" ? 139 : 0);
}

dieAt("start");
createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params, result, error } = JSON.parse(line) as Message;
  switch (method) {
    case "initialize":
      dieAt("initialize");
      return send({ id, result: { userAgent: "flybridge/0.169.0 (Nowhere)" } });
    case "thread/start":
      dieAt("thread");
      if (stage === "refused") return send({ id, error: { code: -32_600, message: "config.toml names no model" } });
      return send({
        id,
        result: { thread: { id: THREAD, status: { type: "idle" } }, model: "m", approvalPolicy: "on-request" },
      });
    case "model/list":
      return send({ id, result: { data: stage === "noise" ? "none" : [] } });
    case "turn/start":
      if (stage === "refused") return send({ id, error: { code: -32_600, message: "there is no such thread" } });
      send({ id, result: { turn: { id: TURN } } });
      return turn(params?.clientUserMessageId);
    default:
      if (id === "r1") return over(JSON.stringify(result ?? error));
  }
});
