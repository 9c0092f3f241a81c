/**
 * An MCP server of the tests' own, on its input and output: `deploy` changes something, `who` asks the person back, and
 * `look` only reads. `node testing/codex-mcp.ts`.
 */
import { createInterface } from "node:readline";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: unknown; readonly protocolVersion?: string };
  readonly result?: unknown;
}

const FORM = {
  type: "object",
  properties: {
    name: { type: "string", title: "Name", minLength: 2 },
    age: { type: "integer", minimum: 1 },
    member: { type: "boolean" },
    color: {
      type: "string",
      oneOf: [
        { const: "r", title: "Red" },
        { const: "g", title: "Green" },
      ],
    },
    tags: { type: "array", items: { type: "string", enum: ["a", "b"] } },
  },
  required: ["name"],
};

const object = { type: "object", properties: {} };
const TOOLS = [
  { name: "deploy", description: "Puts it there", inputSchema: object },
  { name: "who", description: "Asks", inputSchema: object, annotations: { readOnlyHint: true } },
  { name: "look", description: "Looks", inputSchema: object, annotations: { readOnlyHint: true } },
];

/** Calls of `who`, by the id of what they asked back. */
const waiting = new Map<number, number>();
let asked = 100;

const send = (message: object): void => {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
};
const say = (id: number, text: string): void => send({ id, result: { content: [{ type: "text", text }] } });

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params, result } = JSON.parse(line) as Message;
  if (id === undefined) return;
  const waits = waiting.get(id);
  if (method === undefined && waits !== undefined) say(waits, `answered ${JSON.stringify(result)}`);
  else if (method === "initialize") {
    const serverInfo = { name: "demo", version: "1.0.0" };
    send({ id, result: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo } });
  } else if (method === "tools/list") send({ id, result: { tools: TOOLS } });
  else if (method === "tools/call" && params?.name === "who") {
    asked += 1;
    waiting.set(asked, id);
    send({ id: asked, method: "elicitation/create", params: { message: "Who is it?", requestedSchema: FORM } });
  } else if (method === "tools/call") say(id, `${params?.name} ${JSON.stringify(params?.arguments)}`);
  else if (method !== undefined) send({ id, error: { code: -32_601, message: "There is no such method." } });
});
