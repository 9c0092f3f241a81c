/** What a browser loads before the first screen can be used, as brotli sends it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { parseSync } from "oxc-parser";
import type { Bench } from "../figure.ts";

const LIMIT_KB = 60;

export const bytes: Bench = {
  name: "bytes",
  about: "JS and CSS to the first usable screen, brotli",
  run({ app }) {
    if (!existsSync(join(app, "index.html")))
      throw new Error(`${app} holds no built app. \`npm run bench\` builds it.`);
    const assets = readdirSync(join(app, "assets"))
      .filter((name) => /\.(?:js|css)$/u.test(name))
      .map((name) => `/assets/${name}`);
    const value = brotliKb(app, firstScreen(app));
    const reference = { what: "all JS and CSS of the app", value: brotliKb(app, assets) };
    return Promise.resolve([
      { what: "JS and CSS to the first screen", value, unit: "KB", reference, limit: { value: LIMIT_KB } },
    ]);
  },
};

/** Paths of what `index.html` names and what that imports statically, over and over. */
export function firstScreen(app: string): string[] {
  const html = readFileSync(join(app, "index.html"), "utf8");
  const named = [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="(\/[^"]+\.(?:js|css))"/gu)].map(
    ([, path]) => path ?? "",
  );
  const found = new Set(named);
  for (const path of found) {
    if (!path.endsWith(".js")) continue;
    const { module } = parseSync(path, readFileSync(join(app, path), "utf8"));
    const imports = [
      ...module.staticImports.map((one) => one.moduleRequest.value),
      ...module.staticExports.flatMap(reexportsOf),
    ];
    for (const name of imports) found.add(posix.join(posix.dirname(path), name));
  }
  return [...found];
}

function reexportsOf({
  entries,
}: {
  readonly entries: readonly { readonly moduleRequest: { readonly value: string } | null }[];
}): string[] {
  return entries.flatMap(({ moduleRequest }) => (moduleRequest ? [moduleRequest.value] : []));
}

/** Each file is its own answer, so each is compressed alone. In units of 1,000 bytes. */
function brotliKb(app: string, paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + brotliCompressSync(readFileSync(join(app, path))).length, 0) / 1000;
}
