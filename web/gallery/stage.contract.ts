/**
 * For tests: serves the gallery as the host serves the app (same Content-Security-Policy), and opens its states in a
 * real Chromium. Every violation of the policy and every uncaught error is kept; a test ends by asking for none.
 */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { World } from "./world.ts";

const ROOT = join(import.meta.dirname, "..", "..");
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
/** Of the app's origin, and nothing in it: where a page waits for the next test. */
const NOWHERE = "/nowhere";

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
  /** Between tests: pages are left, with all that they had stored and were permitted, for the next to be opened in. */
  clear(): Promise<void>;
  readonly browser: Browser;
  readonly origin: string;
  /** What was built. */
  readonly directory: string;
}

/** A page, what it was made for, and what has gone wrong in it since it was last opened. */
interface Seat {
  readonly look: string;
  readonly page: Page;
  faults: string[];
}

export async function makeStage(what: "gallery" | "app" = "gallery"): Promise<Stage> {
  const directory = built(what);
  const server = await serve(directory);
  const { port } = server.address() as { port: number };
  const origin = `http://127.0.0.1:${port}`;
  const browser = await chromium.launch({
    executablePath: process.env["FLYBRIDGE_TEST_CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  const free: Seat[] = [];
  const taken: Seat[] = [];
  /** To load a page anew costs a fifth of what a new browser context with its process does. */
  const seatFor = async (options: BrowserContextOptions): Promise<Seat> => {
    const look = JSON.stringify(options);
    const at = free.findIndex((seat) => seat.look === look);
    const [known] = at === -1 ? [] : free.splice(at, 1);
    if (known) return known;
    const context = await browser.newContext({ reducedMotion: "reduce", serviceWorkers: "block", ...options });
    const page = await context.newPage();
    await page.addInitScript(TELL_VIOLATIONS);
    const seat: Seat = { look, page, faults: [] };
    page.on("pageerror", (error) => seat.faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") seat.faults.push(message.text());
    });
    return seat;
  };
  return {
    browser,
    origin,
    directory,
    async open(state, options = DESKTOP) {
      const seat = await seatFor(options);
      taken.push(seat);
      const { page } = seat;
      const faults: string[] = (seat.faults = []);
      await page.goto(what === "gallery" ? `${origin}/gallery.html#${state}` : `${origin}${state}`);
      await page.locator("#app > *").first().waitFor();
      return { page, faults };
    },
    async clear() {
      for (const seat of taken.splice(0)) {
        await seat.page.context().clearPermissions();
        await seat.page.goto(`${origin}${NOWHERE}`);
        await seat.page.evaluate("localStorage.clear(); sessionStorage.clear()");
        free.push(seat);
      }
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The world behind the page, inside the page. */
export function inWorld<Given, Got>(page: Page, act: (world: World, given: Given) => Got, given?: Given): Promise<Got> {
  return page.evaluate<Got>(`(${act.toString()})(window.gallery.world, ${JSON.stringify(given) ?? "undefined"})`);
}

/** Its folder. */
function built(what: "gallery" | "app"): string {
  const words = what === "gallery" ? [what] : [];
  const ran = spawnSync(process.execPath, [join(ROOT, "scripts", "web.ts"), ...words], { encoding: "utf8" });
  if (ran.status !== 0) throw new Error(ran.stderr);
  return what === "gallery" ? ran.stdout.trim() : join(ROOT, "web", "dist");
}

async function serve(directory: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://x").pathname);
    // Without an icon of its own, it is asked for one that is not there.
    if (path === NOWHERE)
      return void response.writeHead(200, { "content-type": "text/html" }).end('<link rel="icon" href="data:,">');
    if (path === "/served.json")
      return void response.writeHead(200, { "content-type": "application/json" }).end('{"by":"host"}');
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
