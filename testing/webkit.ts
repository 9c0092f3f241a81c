/**
 * A real WebKit for tests, by the W3C's WebDriver over HTTP: Debian's WebKitGTK on a screen that nobody sees. It is
 * Safari's engine without Safari; what it shows is that nothing here is of one browser's make only.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Milliseconds for the browser to start, and for what a test waits for. */
const START_MS = 60_000;
const WAIT_MS = 45_000;
const LOOK_MS = 100;
/** The name under which WebDriver hands out elements (W3C WebDriver §12.1). */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Keys that have no letter (W3C WebDriver §17.4.2). */
export const KEYS = { enter: "\ue007", escape: "\ue00c", tab: "\ue004", down: "\ue015", backspace: "\ue003" } as const;

export interface WebKit extends AsyncDisposable {
  open(url: string): Promise<void>;
  /** Runs a function's body in the page. */
  run<T>(script: string, ...args: unknown[]): Promise<T>;
  /** Until the body gives something true; says what it waited for when it does not. */
  until<T>(what: string, script: string, ...args: unknown[]): Promise<T>;
  /** Clicks the first element that a selector finds and that is shown. */
  click(selector: string): Promise<void>;
  /** Presses keys, one after the other, wherever the focus is. */
  type(keys: string): Promise<void>;
  picture(path: string): Promise<void>;
}

export function webkitPaths(): { driver: string; browser: string; display: string } {
  const driver = "/usr/bin/WebKitWebDriver";
  const display = "/usr/bin/Xvfb";
  const [browser] = globSync("/usr/lib/*/webkit2gtk-4.*/MiniBrowser").sort().reverse();
  if (browser === undefined || !existsSync(driver) || !existsSync(display))
    throw new Error("No WebKit was found. `npm test` brings it on Debian: webkit2gtk-driver and xvfb.");
  return { driver, browser, display };
}

export async function launchWebKit(size: { width: number; height: number }): Promise<WebKit> {
  const paths = webkitPaths();
  const home = mkdtempSync(join(tmpdir(), "flybridge-webkit-"));
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, "exit");
      child.kill();
      await exit;
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const screen = spawn(paths.display, ["-displayfd", "3", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    children.push(screen);
    const [display] = (await once(createInterface(screen.stdio[3] as Readable), "line")) as [string];
    const port = await freePort();
    const driver = spawn(paths.driver, [`--port=${port}`], {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: home,
        XDG_RUNTIME_DIR: home,
        DISPLAY: `:${display}`,
        LIBGL_ALWAYS_SOFTWARE: "1",
        WEBKIT_DISABLE_COMPOSITING_MODE: "1",
        NO_AT_BRIDGE: "1",
      },
      stdio: "ignore",
    });
    children.push(driver);
    return await drive(`http://127.0.0.1:${port}`, paths.browser, size, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function drive(
  origin: string,
  browser: string,
  size: { width: number; height: number },
  close: () => Promise<void>,
): Promise<WebKit> {
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${origin}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: unknown };
    const fault = value as { error?: string; message?: string } | null;
    if (!response.ok) throw new Error(`${method} ${path}: ${fault?.error} ${fault?.message}`);
    return value as T;
  };
  const capabilities = {
    alwaysMatch: { "webkitgtk:browserOptions": { binary: browser, args: ["--automation"] } },
  };
  const begun = await untilGiven("the driver", START_MS, () =>
    ask<{ sessionId: string }>("POST", "/session", { capabilities }).catch((error: unknown) => {
      // Until it listens.
      if (error instanceof TypeError) return undefined;
      throw error;
    }),
  );
  const base = `/session/${begun.sessionId}`;
  await ask("POST", `${base}/window/rect`, size);
  const run = <T>(script: string, ...args: unknown[]): Promise<T> =>
    ask<T>("POST", `${base}/execute/sync`, { script, args });
  const until = <T>(what: string, script: string, ...args: unknown[]): Promise<T> =>
    untilGiven(what, WAIT_MS, () => run<T>(script, ...args));
  return {
    open: (url) => ask("POST", `${base}/url`, { url }),
    run,
    until,
    async click(selector) {
      const element = await until<Record<string, string>>(
        selector,
        "return [...document.querySelectorAll(arguments[0])].find((one) => one.checkVisibility())",
        selector,
      );
      await ask("POST", `${base}/element/${element[ELEMENT]}/click`, {});
    },
    async type(keys) {
      const actions = [...keys].flatMap((value) => [
        { type: "keyDown", value },
        { type: "keyUp", value },
      ]);
      await ask("POST", `${base}/actions`, { actions: [{ type: "key", id: "keyboard", actions }] });
    },
    async picture(path) {
      writeFileSync(path, Buffer.from(await ask<string>("GET", `${base}/screenshot`), "base64"));
    },
    async [Symbol.asyncDispose]() {
      await ask("DELETE", base).catch(() => undefined);
      await close();
    },
  };
}

async function untilGiven<T>(what: string, limit: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const given = await look();
    if (given) return given;
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
