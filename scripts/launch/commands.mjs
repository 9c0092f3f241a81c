// Which files a command runs. Each step is one process on Node 24; a later step runs only if the one before went well.

/** @typedef {readonly [script: string, ...words: string[]]} Step */

const BUILD_WEB = /** @type {Step} */ (["scripts/web.ts"]);

/** @type {Readonly<Record<string, (words: string[]) => Step[]>>} */
const COMMANDS = {
  // `npm start` alone is the host in the foreground; a word that is not a flag is a CLI command and goes through as it is.
  start: (words) => cliSteps(isFlagOrNothing(words[0]) ? ["up", "--foreground", ...words] : words),
  flybridge: (words) => cliSteps(words),
  test: (words) => [["scripts/test.ts", ...words]],
  check: (words) => [["scripts/check.ts", ...words]],
  features: (words) => [["scripts/features.ts", ...words]],
  dev: (words) => [["scripts/dev.ts", ...words]],
  bench: (words) => [BUILD_WEB, ["bench/main.ts", ...words]],
  screens: (words) => [BUILD_WEB, ["scripts/screens.ts", ...words]],
  "score:asks": (words) => [["scripts/score-asks.ts", ...words]],
  pack: () => [["scripts/pack.ts"]],
  format: (words) => [["node_modules/oxfmt/bin/oxfmt", "--write", ...words]],
};

/**
 * @param {string | undefined} command
 * @param {string[]} words
 * @returns {Step[] | undefined} nothing for a word that is no command
 */
export function commandSteps(command, words) {
  return command !== undefined && Object.hasOwn(COMMANDS, command) ? COMMANDS[command]?.(words) : undefined;
}

/** @returns {string[]} what may follow `npm run`; `flybridge` is a bin of its own */
export function commandNames() {
  return Object.keys(COMMANDS).filter((name) => name !== "flybridge");
}

/**
 * Only a host that comes up and a relay serve the web app, so only these wait for it to be built.
 *
 * @param {string[]} words
 * @returns {Step[]}
 */
function cliSteps(words) {
  const cli = /** @type {Step} */ (["cli/main.ts", ...words]);
  const serves = words[0] === "up" || (words[0] === "relay" && isFlagOrNothing(words[1]));
  return serves ? [BUILD_WEB, cli] : [cli];
}

/** @param {string | undefined} word */
function isFlagOrNothing(word) {
  return word === undefined || word.startsWith("-");
}
