/** The browser that tests drive: one that is installed, or one brought from where this machine can get it. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { say } from "../launch/say.mjs";

const DOWNLOAD_LIMIT_MS = 3 * 60 * 1000;
const APT_LIMIT_MS = 5 * 60 * 1000;
const VERSION_LIMIT_MS = 20 * 1000;

const PATH_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const FIXED_PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Throws, with a sentence, when no way led to a browser. */
export function bringChromium(root: string): string {
  const installed = findChromium();
  if (installed !== undefined) return installed;

  say("No Chromium here; trying Playwright's …");
  const playwright = join(root, "node_modules", "playwright-core", "cli.js");
  spawnSync(process.execPath, [playwright, "install", "chromium"], { stdio: "ignore", timeout: DOWNLOAD_LIMIT_MS });
  const downloaded = findChromium();
  if (downloaded !== undefined) return downloaded;

  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    say("That could not be had; installing Debian's package …");
    const options = {
      stdio: "ignore",
      timeout: APT_LIMIT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    } as const;
    spawnSync("apt-get", ["update"], options);
    spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], options);
    const packaged = findChromium();
    if (packaged !== undefined) return packaged;
  }
  throw new Error("No Chromium was found and none could be brought. Install one, or name it in CHROME_PATH.");
}

function findChromium(): string | undefined {
  const named = [process.env.FLYBRIDGE_TEST_CHROMIUM, process.env.CHROME_PATH].filter((path) => path !== undefined);
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => PATH_NAMES.map((name) => join(folder, name)));
  return [...named, ...onPath, ...FIXED_PLACES, chromium.executablePath()].find(
    (path) => existsSync(path) && runs(path),
  );
}

/** Ubuntu's `chromium` is a stub that only says where to get one. */
function runs(path: string): boolean {
  const said = spawnSync(path, ["--version"], { encoding: "utf8", timeout: VERSION_LIMIT_MS });
  return said.status === 0 && /Chrom/.test(said.stdout);
}
