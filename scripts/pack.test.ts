import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, it } from "node:test";
import { pack } from "./pack.ts";

/** A registry that does not answer is told here, and not by whoever waits for the tests. */
const INSTALL_MS = 60_000;

const folder = mkdtempSync(join(tmpdir(), "flybridge-pack-"));
const home = join(folder, "home");
const prefix = join(folder, "prefix");
/** A machine that knows nothing of this clone: the installed command, Node, and the system's own programs. */
const env = {
  PATH: [join(prefix, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
  HOME: home,
  CI: "1",
};

before(async () => {
  const tarball = await pack(folder);
  mkdirSync(home);
  // Where packages come from, and what was fetched before, is the machine's.
  const npmsOwn = { npm_config_cache: npmSetting("cache"), npm_config_userconfig: npmSetting("userconfig") };
  const words = ["install", "--global", "--prefix", prefix, "--prefer-offline", "--no-audit", "--no-fund", tarball];
  const installed = spawnSync("npm", words, {
    cwd: folder,
    env: { ...process.env, ...env, ...npmsOwn },
    encoding: "utf8",
    timeout: INSTALL_MS,
  });
  assert.equal(installed.status, 0, installed.stderr);
  rmSync(join(folder, "package"), { recursive: true });
});

after(() => {
  if (existsSync(join(prefix, "bin", "flybridge"))) flybridge(["down", "--all"]);
  rmSync(folder, { recursive: true, force: true });
});

it("[B10] runs from the packed tarball, installed for a home that has nothing else", async () => {
  assert.match(told(["--version"]), /^\d+\.\d+\.\d+\n$/u);
  const [up] = lines(told(["up", "--port", "0", "--no-open", "--json"]));
  const [status] = lines(told(["status", "--json"]));
  assert.deepEqual([status?.["running"], status?.["pid"]], [true, up?.["pid"]]);
  const page = await fetch(String(up?.["address"]));
  assert.match(await page.text(), /<script type="module"/u);

  // What is started as a program of its own: the keeper, with its library for this platform, an agent, and a hook.
  const [made] = lines(told(["run", "--json", "--detach", "--", "sh", "-c", "echo from the $0", "tarball"]));
  assert.match(told(["attach", String(made?.["session"])]), /from the tarball/u);
  assert.notEqual(told(["run", "demo", "hello", "--model", "demo-quick", "--wait"]), "");
  told(["hooks", "install"]);

  told(["down", "--all"]);
  assert.equal(flybridge(["status"]).status, 1);
});

it("says to an older Node which it needs", () => {
  const preload = join(folder, "old.cjs");
  writeFileSync(preload, `Object.defineProperty(process.versions, "node", { value: "22.1.0" });`);
  const old = flybridge(["--version"], { NODE_OPTIONS: `--require=${preload}` });
  assert.equal(old.status, 1);
  assert.match(old.stderr, /needs Node 24 or newer/u);
});

function flybridge(words: readonly string[], extra: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
  return spawnSync(join(prefix, "bin", "flybridge"), words, {
    cwd: home,
    env: { ...env, ...extra },
    encoding: "utf8",
  });
}

/** What it said, when it went well and Node had nothing to complain of. */
function told(words: readonly string[]): string {
  const { status, stdout, stderr } = flybridge(words);
  assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
  assert.doesNotMatch(stderr, /Warning/u);
  return stdout;
}

function lines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function npmSetting(name: string): string {
  return spawnSync("npm", ["config", "get", name], { encoding: "utf8" }).stdout.trim();
}
