/** Where this machine keeps what is Flybridge's: one rule, so that the host and the shell look in the same place. */

/**
 * `FLYBRIDGE_HOME` before all, as it is: a relative one is the caller's to resolve. Otherwise the platform's own place
 * for state: `~/Library/Application Support` on a Mac, elsewhere XDG's, where a path that is not absolute does not
 * count (XDG Base Directory Specification 0.8, "Basics"). An empty variable is one that is not set.
 */
export function stateFolder(
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
  homedir: string,
): string {
  if (env["FLYBRIDGE_HOME"]) return env["FLYBRIDGE_HOME"];
  if (platform === "darwin") return `${homedir}/Library/Application Support/Flybridge`;
  const given = env["XDG_STATE_HOME"];
  return `${given?.startsWith("/") ? given : `${homedir}/.local/state`}/flybridge`;
}
