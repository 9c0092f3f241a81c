/** A relay as a process: reads its environment, starts, says so in one line, and owns the shutdown. */
import { setFlagsFromString } from "node:v8";
import pino from "pino";
import { configFrom } from "./config.ts";
import { startRelay } from "./relay.ts";

const EXIT_FAILED = 1;
/**
 * By how much the heap grows before all of it is looked through. What hangs on a closed socket goes only then, and by V8's
 * own measure ten thousand who come and go leave fifty megabytes; by this one ten, and in no more time.
 */
const HEAP_FLAG = "--heap-growing-percent=30";

/** Ends the process. `ready` is told once it runs. */
export async function runRelay(
  env: NodeJS.ProcessEnv,
  ready: (relay: { readonly origin: string; readonly port: number; readonly invitation: string | undefined }) => void,
): Promise<never> {
  process.umask(0o077);
  setFlagsFromString(HEAP_FLAG);
  try {
    const config = configFrom(env);
    const log = pino({ level: config.logLevel, base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }));
    const relay = await startRelay(config, log);
    log.info({ origin: relay.origin, port: relay.port }, "ready");
    ready(relay);
    await new Promise<void>((resolve) => {
      const stop = (): void => void relay.stop().then(resolve);
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
    });
    log.info({}, "ended");
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(EXIT_FAILED);
  }
}

if (process.argv[1] === import.meta.filename)
  await runRelay(process.env, (relay) =>
    process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid, ...relay })}\n`),
  );
