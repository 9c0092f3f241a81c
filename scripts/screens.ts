/**
 * `npm run screens`: a picture of each screen, light and dark, phone and desktop, into `screens/`, with a page to look
 * at them all. `npm run screens -- product` or `gallery` makes one half; `-- readme` makes the four of the README.
 */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { photographGallery } from "./pictures/gallery.ts";
import { Camera, LOOKS } from "./pictures/look.ts";
import { photographProduct } from "./pictures/product.ts";
import { photographForReadme } from "./pictures/readme.ts";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, "screens");
const README_FOLDER = join(ROOT, "docs", "pictures");
const HALVES = ["product", "gallery"] as const;

/** A page with every picture of the folder, a row per screen. */
function sheetOf(names: readonly string[]): string {
  const screens = [...new Set(names.map((name) => name.slice(0, name.indexOf("."))))].sort();
  const rows = screens.map((screen) => {
    const pictures = names.filter((name) => name.startsWith(`${screen}.`)).sort();
    const figures = pictures.map(
      (name) => `<figure><img src="${name}" loading="lazy"><figcaption>${name}</figcaption></figure>`,
    );
    return `<h2>${screen}</h2><div>${figures.join("")}</div>`;
  });
  const style =
    "body{font:15px system-ui;margin:24px;background:#888}div{display:flex;gap:16px;align-items:start;flex-wrap:wrap}" +
    "figure{margin:0}img{height:480px;display:block}figcaption{font-size:12px}";
  return `<!doctype html><meta charset="utf-8"><title>Screens</title><style>${style}</style>${rows.join("\n")}\n`;
}

async function main(words: readonly string[]): Promise<void> {
  const unknown = words.find((word) => word !== "readme" && !HALVES.some((half) => half === word));
  if (unknown !== undefined) {
    console.error(`There is no "${unknown}" here. Say product, gallery or readme, or nothing for the first two.`);
    process.exitCode = 1;
    return;
  }
  if (words.includes("readme")) {
    await photographForReadme(new Camera(README_FOLDER));
    console.log(`The README's pictures are in ${README_FOLDER}.`);
    return;
  }
  if (words.length === 0) rmSync(FOLDER, { recursive: true, force: true });
  const camera = new Camera(FOLDER);
  const isWanted = (half: (typeof HALVES)[number]): boolean => words.length === 0 || words.includes(half);
  if (isWanted("product")) await photographProduct(camera, LOOKS);
  if (isWanted("gallery")) await photographGallery(camera);
  const page = join(FOLDER, "index.html");
  writeFileSync(page, sheetOf(readdirSync(FOLDER).filter((name) => name.endsWith(".png"))));
  console.log(`${camera.taken.length} pictures. Look at them all: ${page}`);
}

await main(process.argv.slice(2));
