/** Serving the built app over HTTP, as a host does and a relay may: the one page for every address, and its assets. */
import { serveStatic } from "@hono/node-server/serve-static";
import { policyFor } from "@flybridge/protocol/policy.ts";
import { type Context, Hono } from "hono";

export interface ServedApp {
  /** The built app. */
  readonly folder: string;
  /** What `/served.json` says: who served the page, and can change it. */
  readonly by: Readonly<Record<string, string | boolean>>;
  /** Origins beyond its own that the page may open sockets to; asked anew each time. */
  connect(): readonly string[];
  /** An answer instead of the app, for whoever should not be here. */
  refuse(context: Context): Response | undefined;
}

export function serveApp({ folder, by, connect, refuse }: ServedApp): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(policyFor(connect()))) context.header(name, value);
    // An asset that is not there may be there after the next build.
    const immutable = context.res.ok && new URL(context.req.url).pathname.startsWith("/assets/");
    context.header("cache-control", immutable ? "public, max-age=31536000, immutable" : "no-cache");
  });
  app.use(async (context, next) => {
    const refused = refuse(context);
    if (refused) return refused;
    if (context.req.method !== "GET" && context.req.method !== "HEAD")
      return context.text("Only GET is served here.\n", 405);
    return next();
  });
  app.get("/served.json", (context) => context.json(by));
  app.use(serveStatic({ root: folder, precompressed: true }));
  // The app's own addresses (/session/…) are all its one page; a name with an ending is a file that is not there.
  app.get("*", async (context, next) => {
    if (/\.[a-z0-9]+$/u.test(new URL(context.req.url).pathname)) return context.text("There is no such file.\n", 404);
    return serveStatic({ root: folder, path: "index.html" })(context, next);
  });
  app.notFound((context) => context.text("The app is not built. Run `npm start`, which builds it.\n", 404));
  return app;
}
