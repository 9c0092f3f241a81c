// One launch at a time may change node_modules or .cache; the others wait, and then find the work done.

import { linkSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LaunchFault, say } from "./say.mjs";

const POLL_MS = 100;
/** A slow line and a cold npm cache: ten times what the slowest measured install took. */
const WAIT_LIMIT_MS = 10 * 60 * 1000;

/**
 * Runs `work` while no other process holds `path`. A lock whose process is gone is taken over.
 *
 * @template T
 * @param {string} path
 * @param {string} what what the holder does, for the line a waiting person sees
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function alone(path, what, work) {
  mkdirSync(dirname(path), { recursive: true });
  const token = `${process.pid} ${randomUUID()}`;
  const start = Date.now();
  let told = false;
  while (!take(path, token)) {
    const holder = read(path);
    if (holder === undefined) continue;
    if (!isAlive(holder)) {
      breakLock(path, holder);
      continue;
    }
    if (!told) say(`Another launch is ${what}; waiting for it.`);
    told = true;
    if (Date.now() - start > WAIT_LIMIT_MS) {
      throw new LaunchFault(
        `Process ${holder.split(" ")[0]} has been ${what} for more than ten minutes.`,
        `end that process, or delete ${path}, then run the same command again.`,
      );
    }
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    if (read(path) === token) rmSync(path, { force: true });
  }
}

/**
 * The file appears with its content or not at all: `link` fails when the name is taken.
 *
 * @param {string} path
 * @param {string} token
 */
function take(path, token) {
  const draft = `${path}.${token.split(" ")[1]}`;
  writeFileSync(draft, token);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Two waiters may see the same dead holder; without the marker, the slower one would delete the lock that the faster one
 * has taken since. The marker is named after the dead holder's token and stays, so each lock is broken once.
 *
 * @param {string} path
 * @param {string} holder
 */
function breakLock(path, holder) {
  try {
    closeSync(openSync(`${path}.broken-${holder.split(" ")[1] ?? "unnamed"}`, "wx"));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return;
    throw error;
  }
  if (read(path) === holder) rmSync(path, { force: true });
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return undefined;
    throw error;
  }
}

/** @param {string} holder */
function isAlive(holder) {
  const pid = Number(holder.split(" ")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
