/**
 * Two builds: the app (`vite build`, into dist/) and, for tests and for looking, the gallery (`--mode gallery`), which
 * draws every screen from canned data and is no part of what is served.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import solid from "vite-plugin-solid";

const HERE = import.meta.dirname;
const DOM = join(HERE, "dom.ts");

/** Sends every import of `solid-js/web` to `dom.ts`; see `trusted.ts` for why. */
const trustedTemplates: Plugin = {
  name: "trusted-templates",
  enforce: "pre",
  resolveId: (source, importer) => (source === "solid-js/web" && importer !== DOM ? DOM : null),
};

/** The table of methods says of each in a sentence what it does: for the reference, and two kilobytes of the first screen. */
const unsaid: Plugin = {
  name: "unsaid",
  enforce: "pre",
  transform(code, id) {
    if (!id.endsWith("/protocol/methods.ts")) return null;
    let rows = 0;
    const short = code.replaceAll(
      /(\brow\(\s*"\w+",\s*"(?:query|intent)",\s*)"(?:[^"\\]|\\.)*"/gu,
      (_, head: string) => {
        rows++;
        return `${head}""`;
      },
    );
    if (rows < 40)
      throw new Error(`only ${rows} methods were found in ${id}: their rows are written in another way now`);
    return { code: short, map: null };
  },
};

const pwa = VitePWA({
  strategies: "injectManifest",
  srcDir: ".",
  filename: "sw.ts",
  injectRegister: false,
  // The globs find them already, and a cache refuses a list that names a file twice.
  includeManifestIcons: false,
  injectManifest: { globPatterns: ["**/*.{html,js,css,svg,png}"], rollupFormat: "iife" },
  manifest: {
    id: "/",
    name: "Flybridge",
    short_name: "Flybridge",
    description: "The second set of controls for your coding agents",
    start_url: "/",
    scope: "/",
    display: "standalone",
    background_color: "#11161c",
    theme_color: "#11161c",
    icons: [
      { src: "/icon.svg", sizes: "any", type: "image/svg+xml", purpose: "any" },
      { src: "/icon-maskable.svg", sizes: "any", type: "image/svg+xml", purpose: "maskable" },
    ],
  },
});

export default defineConfig(({ mode }) => {
  const gallery = mode === "gallery";
  return {
    root: HERE,
    plugins: [trustedTemplates, unsaid, solid(), gallery ? [] : pwa],
    resolve: {
      // Dependencies come compiled for the browser, so that they too go through `trusted-templates`.
      alias: {
        "virtua/solid": createRequire(import.meta.url)
          .resolve("virtua/solid")
          .replace(/index\.cjs$/, "index.js"),
      },
    },
    optimizeDeps: { exclude: ["virtua", "@solidjs/router"] },
    build: {
      outDir: gallery ? join(HERE, "..", ".cache", "gallery") : join(HERE, "dist"),
      emptyOutDir: true,
      target: ["es2023", "chrome123", "safari17.5", "firefox128"],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: join(HERE, gallery ? "gallery.html" : "index.html"),
        // In one file: thirty small ones, as later screens share them, are a kilobyte more and as many questions.
        output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } },
      },
    },
  };
});
