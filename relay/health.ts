/**
 * Whether the relay that runs in this environment is well: for the health check of a container, which has no other
 * program to ask with. `node relay/health.ts` ends with 0 or 1.
 */
import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { type Config, configFrom } from "./config.ts";

/** Milliseconds for an answer. */
const ANSWER_MS = 5_000;
/** To listen on all addresses is to listen on these. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** The status of its answer. Rejects when there is none in time. */
async function askHealth({ origin, listen, tls }: Config): Promise<number> {
  const options = {
    host: LOOPBACK_OF[listen.address] ?? listen.address,
    port: listen.port,
    path: "/health",
    headers: origin === undefined ? {} : { host: new URL(origin).host },
    signal: AbortSignal.timeout(ANSWER_MS),
    agent: false,
  };
  // It is this machine that answers, and its certificate is for a name that may lead elsewhere from here.
  const request = tls ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode ?? 0;
}

try {
  const status = await askHealth(configFrom(process.env));
  if (status !== 200) throw new Error(`The relay answers ${status}.`);
} catch (error) {
  console.error((error instanceof Error && error.message) || String(error));
  process.exitCode = 1;
}
