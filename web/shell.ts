/**
 * The one page of the app, as the service worker keeps it. Its policy comes with it and names the relays that its host
 * uses, so it may be another than when the page was kept.
 */

export const SHELL = "/index.html";
export const CACHE_PREFIX = "flybridge-";

/** Rejects without a network. */
export async function renewShell(): Promise<void> {
  // Not by the name under which it is kept, or a worker would answer with what it keeps.
  const fresh = await fetch("/", { cache: "no-cache" });
  if (!fresh.ok) return;
  const text = await fresh.clone().text();
  for (const name of (await caches.keys()).filter((one) => one.startsWith(CACHE_PREFIX))) {
    const cache = await caches.open(name);
    const kept = await cache.match(SHELL);
    // Other words are of another version, whose files are not in there.
    if ((await kept?.text()) === text) await cache.put(SHELL, fresh.clone());
  }
}
