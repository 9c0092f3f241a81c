/**
 * The service worker: keeps the app's own files, so that it opens without a network. It never sees what travels: that
 * goes over sockets, sealed. A new version takes over when the last page of the old one is closed.
 */
/// <reference lib="webworker" />
import { CACHE_PREFIX, renewShell, SHELL } from "./shell.ts";

declare const self: ServiceWorkerGlobalScope & {
  readonly __WB_MANIFEST: readonly { url: string; revision: string | null }[];
};

const FILES = self.__WB_MANIFEST;
const CACHE = `${CACHE_PREFIX}${versionOf(FILES.map((file) => `${file.url} ${file.revision ?? ""}`).join("\n"))}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(`/${file.url}`, { cache: "reload" })))),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(
          names.filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
        ),
      ),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const isPage = request.mode === "navigate";
  const key = isPage ? SHELL : url.pathname;
  event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(key)) ?? fetch(request)));
  // For the next time: a page that waits for the network is none that opens without one.
  if (isPage) event.waitUntil(renewShell().catch(() => undefined));
});

/** FNV-1a, 32 bits: a name for a set of files, not a seal. */
function versionOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36);
}
