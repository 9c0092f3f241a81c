/** What agents get of the host's own environment: the person's tools and credentials, and no key to the host. */

/** Nothing that opens the host, and nothing that says an agent runs inside another; what is meant for an agent stays. */
export function environmentFor(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const kept = Object.entries(env).filter(
    (pair): pair is [string, string] =>
      pair[1] !== undefined && !/^(?:FLYBRIDGE_(?!CODEX_DESKTOP$)|CLAUDECODE$|npm_|NODE_COMPILE_CACHE$)/u.test(pair[0]),
  );
  return Object.fromEntries(kept);
}
