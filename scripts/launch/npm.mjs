// Everything that comes from the npm registry comes through here: quietly, exactly, and with a remedy when it fails.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LaunchFault } from "./say.mjs";

/** What npm says is kept for the case that it fails; the first lines hold the reason. */
const SHOWN_LINES = 12;

/**
 * @param {string[]} words
 * @param {{ cwd: string, what: string }} job `what` ends the sentence "npm could not …"
 */
export async function npm(words, job) {
  const { command, first } = npmCommand();
  const quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--no-update-notifier"];
  /** @type {{ code: number | null, output: string }} */
  const { code, output } = await new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...words, ...quiet], {
      cwd: job.cwd,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32" && first.length === 0,
      // A person's NODE_ENV=production would leave out the tools that the project is run with.
      env: { ...process.env, NODE_ENV: "development" },
    });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.stderr.on("data", (chunk) => (text += chunk));
    child.once("error", (error) => {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "ENOENT") return reject(error);
      reject(new LaunchFault("npm was not found.", "install npm (it comes with Node), or put it on your PATH."));
    });
    child.once("close", (status) => resolve({ code: status, output: text }));
  });
  if (code !== 0) throw new LaunchFault(`npm could not ${job.what}.\n${firstLines(output)}`, remedy(output));
}

/**
 * Installs one package at one version into a folder of its own and moves it into place whole, so that a folder that
 * exists is complete. With `integrity`, npm refuses a package whose content is another.
 *
 * @param {{ name: string, version: string, integrity?: string, into: string }} wanted
 * @returns {Promise<string>} the package's own folder
 */
export async function fetchPackage({ name, version, integrity, into }) {
  const place = join(into, "node_modules", ...name.split("/"));
  if (existsSync(join(place, "package.json"))) return place;
  const draft = join(dirname(into), `.${basename(into)}-${randomBytes(4).toString("hex")}`);
  mkdirSync(draft, { recursive: true });
  try {
    const manifest = { name: "fetched", version: "0.0.0", private: true, dependencies: { [name]: version } };
    writeFileSync(join(draft, "package.json"), JSON.stringify(manifest));
    if (integrity !== undefined) {
      const packages = { "": manifest, [`node_modules/${name}`]: { version, integrity } };
      const lock = { name: "fetched", version: "0.0.0", lockfileVersion: 3, requires: true, packages };
      writeFileSync(join(draft, "package-lock.json"), JSON.stringify(lock));
    }
    await npm([integrity === undefined ? "install" : "ci", "--ignore-scripts", "--prefix", draft], {
      cwd: draft,
      what: `fetch ${name}@${version}`,
    });
    rmSync(into, { recursive: true, force: true });
    renameSync(draft, into);
    return place;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Under `npm start` the npm that started us is the person's choice; elsewhere the one on the PATH. */
function npmCommand() {
  const path = process.env.npm_execpath;
  if (path !== undefined && /^npm(-cli)?\.c?js$/.test(basename(path)) && existsSync(path)) {
    return { command: process.execPath, first: [path] };
  }
  return { command: "npm", first: [] };
}

/**
 * npm says the reason first and its usage after it.
 *
 * @param {string} output
 */
function firstLines(output) {
  return output
    .split("\n")
    .filter((line) => line.replace(/^npm (error|warn|notice)/, "").trim() !== "" && !/^npm error {5}at /.test(line))
    .slice(0, SHOWN_LINES)
    .map((line) => `  ${line}`)
    .join("\n");
}

/** @param {string} output */
function remedy(output) {
  const code = /code (E[A-Z0-9_]+)/.exec(output)?.[1];
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "ETIMEDOUT":
    case "ERR_SOCKET_TIMEOUT":
      return "check the network, and `npm config get registry` and proxy; then run the same command again.";
    case "E401":
    case "E403":
    case "E404":
      return "see which registry npm asks (`npm config get registry`); it must carry public packages.";
    case "ENOSPC":
      return "free some disk space, then run the same command again.";
    case "EACCES":
    case "EPERM":
      return "make this folder yours (an earlier run as another user may have left files), then run the same command again.";
    case "EINTEGRITY":
      return "run `npm cache verify`; if it stays, the registry serves other content than we pinned: do not go on.";
    case "EUSAGE":
      return "run `npm install`: package.json and package-lock.json do not agree.";
    default:
      return "run `npm ci` by hand to see all of what it says, then run the same command again.";
  }
}
