/** A real Chromium for tests: phones and desktops as contexts, and a camera that shows what a test draws. */
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import encodeQR from "qr";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Side of the camera's picture and of one module of the code in it, in pixels. */
const CAMERA = { width: 640, height: 480, module: 5 };

export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
};
export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };

/** Throws, saying how to get one, when there is no Chromium. */
export function chromiumPath(): string {
  const path = [process.env["FLYBRIDGE_TEST_CHROMIUM"], ...CANDIDATES].find(
    (one) => one !== undefined && existsSync(one),
  );
  if (path === undefined)
    throw new Error("No Chromium was found. `npm test` brings one; or set FLYBRIDGE_TEST_CHROMIUM to its path.");
  return path;
}

export function launchChromium(
  options: { readonly camera?: string; readonly args?: readonly string[] } = {},
): Promise<Browser> {
  const camera =
    options.camera === undefined
      ? []
      : ["--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${options.camera}`];
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      ...camera,
      ...(options.args ?? []),
    ],
  });
}

/** A page that fails the test when it breaks its own policy or throws. `faults` is what it said. */
export async function openPage(context: BrowserContext, url: string): Promise<{ page: Page; faults: string[] }> {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error.stack)));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    );
  });
  await page.goto(url);
  return { page, faults };
}

/** A film of one QR code, as Chromium's fake camera takes it (YUV4MPEG2). The folder goes with the test's. */
export function cameraShowing(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "flybridge-camera-")), "code.y4m");
  writeFileSync(path, filmOf(text));
  return path;
}

function filmOf(text: string): Buffer {
  const { width, height, module } = CAMERA;
  const code = encodeQR(text, "raw", { ecc: "medium", border: 4 });
  const luma = Buffer.alloc(width * height, 200);
  const left = Math.floor((width - code.length * module) / 2);
  const top = Math.floor((height - code.length * module) / 2);
  code.forEach((row, y) =>
    row.forEach((dark, x) => {
      for (let line = 0; line < module; line++) {
        const at = (top + y * module + line) * width + left + x * module;
        luma.fill(dark ? 16 : 235, at, at + module);
      }
    }),
  );
  const chroma = Buffer.alloc((width * height) / 2, 128);
  const head = Buffer.from(`YUV4MPEG2 W${width} H${height} F5:1 Ip A1:1 C420jpeg\n`);
  const frame = Buffer.concat([Buffer.from("FRAME\n"), luma, chroma]);
  return Buffer.concat([head, frame, frame]);
}
