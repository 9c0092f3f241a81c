/**
 * For tests: builds the gallery, serves it as the host serves the app (same Content-Security-Policy), and opens its
 * states in a real Chromium. Every violation of the policy and every uncaught error is kept; a test ends by asking for none.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { World } from "./world.ts";

const WEB = join(import.meta.dirname, "..");
const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "media-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types flybridge dompurify",
].join("; ");

/** As text: this file is read by programs that have no DOM. */
const TELL_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) =>
  console.error("policy: " + event.violatedDirective + " " + event.blockedURI + " " + event.sample));`;

export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
};
export const SMALL: BrowserContextOptions = {
  viewport: { width: 320, height: 568 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
};
export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

export interface Stage extends AsyncDisposable {
  /** Opens a state of the gallery, or a path of the app, in a page of its own; `faults` fills with what went wrong in it. */
  open(state: string, options?: BrowserContextOptions): Promise<{ page: Page; faults: string[] }>;
  readonly browser: Browser;
  readonly origin: string;
  /** What was built, until the stage is gone. */
  readonly directory: string;
}

export async function makeStage(what: "gallery" | "app" = "gallery"): Promise<Stage> {
  // A folder of its own: another test builds at the same time, and a build begins by emptying its folder.
  const directory = mkdtempSync(join(tmpdir(), `flybridge-${what}-`));
  build([...(what === "gallery" ? ["--mode", "gallery"] : []), "--outDir", directory]);
  const server = await serve(directory);
  const { port } = server.address() as { port: number };
  const origin = `http://127.0.0.1:${port}`;
  const browser = await chromium.launch({
    executablePath: process.env["FLYBRIDGE_TEST_CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  return {
    browser,
    origin,
    directory,
    async open(state, options = DESKTOP) {
      const context = await browser.newContext({ reducedMotion: "reduce", serviceWorkers: "block", ...options });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
      });
      await page.addInitScript(TELL_VIOLATIONS);
      await page.goto(what === "gallery" ? `${origin}/gallery.html#${state}` : `${origin}${state}`);
      await page.locator("#app > *").first().waitFor();
      return { page, faults };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The world behind the page, inside the page. */
export function inWorld<Given, Got>(page: Page, act: (world: World, given: Given) => Got, given?: Given): Promise<Got> {
  return page.evaluate<Got>(`(${act.toString()})(window.gallery.world, ${JSON.stringify(given) ?? "undefined"})`);
}

/** Into a folder of the cache, so that a test never takes the served app's place. */
function build(words: readonly string[]): void {
  const vite = join(WEB, "..", "node_modules", "vite", "bin", "vite.js");
  const built = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn", ...words], {
    cwd: WEB,
    encoding: "utf8",
    env: { ...process.env, NODE_ENV: "production", NODE_TEST_CONTEXT: undefined },
  });
  if (built.status !== 0) throw new Error(`vite could not build\n${built.stdout}${built.stderr}`);
}

async function serve(directory: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://x").pathname);
    const file = extname(path) === "" ? "/index.html" : path;
    readFile(join(directory, file)).then(
      (body) => {
        response.writeHead(200, {
          "content-type": TYPES[extname(file)] ?? "application/octet-stream",
          "content-security-policy": POLICY,
          "cache-control": "no-store",
        });
        response.end(body);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
