/** A process of the bench that takes orders, one a line, and answers each. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

const FOLDER = join(import.meta.dirname, "bare");

export interface Child<First> extends AsyncDisposable {
  readonly pid: number;
  /** What it said when it was ready. */
  readonly first: First;
  /** Resolves with its answer. Rejects with what went wrong there, or when it ended. */
  ask<Answer>(order: object): Promise<Answer>;
}

/** A program of `bare/`. */
export async function startChild<First>(program: string): Promise<Child<First>> {
  const child = spawn(process.execPath, [join(FOLDER, program)], { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let before: Promise<unknown> = Promise.resolve();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`${program} ended.`);
    return JSON.parse(value);
  };
  const first = (await next()) as First;
  return {
    pid: child.pid ?? 0,
    first,
    ask<Answer>(order: object): Promise<Answer> {
      const answer = before.then(async () => {
        child.stdin.write(`${JSON.stringify(order)}\n`);
        const said = (await next()) as { readonly failed?: string };
        if (said.failed !== undefined) throw new Error(said.failed);
        return said as Answer;
      });
      before = answer.catch(() => {});
      return answer;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      child.kill();
      await exit;
    },
  };
}

/** The child's side: says that it is ready, then answers orders until whoever started it is gone. */
export function serveOrders<Order>(first: object, heed: (order: Order) => Promise<object>): void {
  const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
  createInterface({ input: process.stdin }).on("line", (line) => {
    heed(JSON.parse(line) as Order).then(say, (error: unknown) => say({ failed: String(error) }));
  });
  process.stdin.once("close", () => process.exit(0));
  say(first);
}
