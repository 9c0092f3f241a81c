// The project's dependencies: there and as locked, or installed now.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./lock.mjs";
import { npm } from "./npm.mjs";
import { say } from "./say.mjs";

/**
 * @typedef {{ version?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage
 */

/**
 * Makes node_modules what package-lock.json says. Touches nothing when it already is, whoever installed it.
 *
 * @param {string} root
 */
export async function bringPackages(root) {
  if (areInstalled(root)) return;
  await alone(join(root, ".cache", "packages.lock"), "installing dependencies", async () => {
    if (areInstalled(root)) return;
    const start = Date.now();
    say("Installing dependencies (npm ci) …");
    await npm(["ci", "--include=dev", "--include=optional"], { cwd: root, what: "install the dependencies" });
    writeFileSync(stampPath(root), lockHash(root));
    say(`Dependencies installed in ${Math.round((Date.now() - start) / 1000)} s.`);
  });
}

/**
 * The stamp answers in a millisecond. Without one, npm's own record decides: a person or a CI that ran `npm install`
 * has what it needs, and must not lose it to a second install.
 *
 * @param {string} root
 */
function areInstalled(root) {
  if (!existsSync(join(root, "node_modules"))) return false;
  const hash = lockHash(root);
  if (existsSync(stampPath(root)) && readFileSync(stampPath(root), "utf8") === hash) return true;
  if (!agreesWithLock(root)) return false;
  writeFileSync(stampPath(root), hash);
  return true;
}

/**
 * npm writes `.package-lock.json` last, so an interrupted install has none.
 *
 * @param {string} root
 */
export function agreesWithLock(root) {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = lockedPackages(join(root, "package-lock.json"));
  const there = lockedPackages(record);
  return Object.entries(wanted).every(([path, locked]) => {
    if (!path.includes("node_modules/") || locked.link === true) return true;
    const found = there[path];
    // Another platform's optional package is locked, and rightly absent.
    if (found === undefined) return locked.optional === true || locked.devOptional === true;
    return found.version === locked.version && existsSync(join(root, path));
  });
}

/**
 * @param {string} path
 * @returns {Record<string, LockedPackage>}
 */
function lockedPackages(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
}

/** @param {string} root */
function lockHash(root) {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

/** @param {string} root */
function stampPath(root) {
  return join(root, "node_modules", ".flybridge-stamp");
}
