// Runs one step and stands aside: the child has the terminal, signals reach it, its end becomes ours.

import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";

const FORWARDED_SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/** Node 24.0 to 24.11 still warn that they strip types; that is how we run, not news for the person. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning"];

/**
 * @param {string} node path of the Node to run on
 * @param {import("./commands.mjs").Step} step
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} place
 * @returns {Promise<{ code: number, signal: NodeJS.Signals | null }>}
 */
export function runStep(node, step, place) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [...NODE_FLAGS, ...step], { ...place, stdio: "inherit" });
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      // Ctrl-C in a terminal reaches the whole foreground group: forwarding would make it two, and a second one means
      // "at once, never mind the rest" to most programs.
      if (signal === "SIGINT" && process.stdin.isTTY) return;
      child.kill(signal);
    };
    for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
    const settle = () => {
      for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("exit", (code, signal) => {
      settle();
      resolve({ code: code ?? 1, signal });
    });
  });
}

/**
 * A host that was started by npm must not hand npm's own variables to the person's agents and shells: an
 * `npm install` there would see our prefix and our `node_modules/.bin`.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 * @param {string | undefined} command
 * @returns {NodeJS.ProcessEnv}
 */
export function personsEnvironment(env, root, command) {
  if (command !== "start") return env;
  const own = Object.entries(env).filter(
    ([name]) => !/^npm_/i.test(name) && !["INIT_CWD", "NODE", "COLOR"].includes(name),
  );
  const clean = Object.fromEntries(own);
  const path = Object.keys(clean).find((name) => name.toUpperCase() === "PATH");
  if (path !== undefined) {
    clean[path] = (clean[path] ?? "")
      .split(delimiter)
      .filter((folder) => !folder.startsWith(join(root, "node_modules")) && !isNpmsBin(folder))
      .join(delimiter);
  }
  return clean;
}

/**
 * npm prepends `node_modules/.bin` of the project and of every folder above it, and node-gyp-bin of its own.
 *
 * @param {string} folder
 */
function isNpmsBin(folder) {
  return /[\\/]node_modules[\\/]\.bin$|[\\/]node-gyp-bin$/.test(folder);
}
