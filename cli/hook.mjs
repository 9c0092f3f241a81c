/**
 * What an agent runs beside a question of its own: it tells the host, waits, and prints what was decided. It must never
 * be in an agent's way: whatever goes wrong, it prints nothing and exits with 0, and the agent's own dialog decides.
 * It is given the agent's name and the path of the host's socket. It is not TypeScript and imports nothing but Node,
 * for it has to start at once, and from a copy in the state folder. Its words are those of host/outside/hook-door.ts.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Bytes of what an agent says. */
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
/** How long a host that ended may be away before its hook gives up, and one that was never there, in milliseconds. */
const AWAY_MS = 60_000;
const ABSENT_MS = 5_000;
const RETRY_MS = 200;

/**
 * `decided`: what to print. `unknown`: the host says something that it should not. `absent`: there is no host.
 * `refused`: the socket is a dead host's. `ended`: the host took the question and is gone.
 *
 * @typedef {{ kind: "decided", print: string } | { kind: "unknown" | "absent" | "refused" | "ended" }} Told
 */

async function main() {
  const [agent, path] = process.argv.slice(2);
  const began = Math.floor(performance.timeOrigin);
  if (agent === undefined || path === undefined) return;
  const event = await heard();
  if (event === undefined) return;
  const hook = randomBytes(16).toString("hex");
  const session = process.env["FLYBRIDGE_SESSION"];
  let again = false;
  let until = began + ABSENT_MS;
  do {
    const line = { v: 1, hook, agent, began, again, event, ...(session === undefined ? {} : { session }) };
    const told = await ask(path, `${JSON.stringify(line)}\n`);
    if (told.kind === "decided") return print(told.print);
    if (told.kind === "unknown" || (told.kind === "absent" && !again)) return;
    if (told.kind === "ended") {
      // It is being restarted, and then knows this hook again.
      again = true;
      until = Date.now() + AWAY_MS;
    }
    await delay(RETRY_MS);
  } while (Date.now() < until);
}

/**
 * @param {string} path
 * @param {string} line
 * @returns {Promise<Told>}
 */
function ask(path, line) {
  return new Promise((resolve) => {
    let text = "";
    let isConnected = false;
    const socket = connect(path, () => {
      isConnected = true;
      socket.write(line);
    });
    socket.setEncoding("utf8");
    socket.on("data", (piece) => (text += piece));
    socket.on("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (!isConnected) resolve({ kind: error.code === "ECONNREFUSED" ? "refused" : "absent" });
    });
    socket.on("close", () => {
      const decided = decision(text);
      if (decided !== undefined) resolve({ kind: "decided", print: decided });
      else resolve({ kind: text === "" ? "ended" : "unknown" });
    });
  });
}

/** @param {string} text */
function decision(text) {
  try {
    const told = /** @type {{ print?: unknown }} */ (JSON.parse(text));
    return typeof told.print === "string" ? told.print : undefined;
  } catch {
    return undefined;
  }
}

/** @returns {Promise<unknown>} */
async function heard() {
  const chunks = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    size += chunk.length;
    if (size > MAX_EVENT_BYTES) return undefined;
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

/**
 * @param {string} text
 * @returns {Promise<void>}
 */
function print(text) {
  return new Promise((resolve) => {
    process.stdout.on("error", () => resolve());
    process.stdout.write(text, () => resolve());
  });
}

try {
  await main();
} catch {
  // The agent's own dialog decides.
}
process.exit(0);
