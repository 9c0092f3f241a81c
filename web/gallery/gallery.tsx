/** The gallery: `/gallery.html#session-rich` draws that state. For tests and for looking; no part of the app. */
import { createMemoryHistory, MemoryRouter } from "@solidjs/router";
import { render } from "solid-js/web";
import { type AppRouter, App } from "../app.tsx";
import { restoreTheme } from "../design/theme.ts";
import { makeWorld } from "./world.ts";
import { SCENES } from "./scenes.ts";

restoreTheme();
const name = decodeURIComponent(location.hash.slice(1)) || "inbox-asks";
const stand = SCENES[name]?.();
const root = document.querySelector("#app");
if (stand && root) {
  const world = makeWorld(stand.scene);
  const history = createMemoryHistory();
  history.set({ value: stand.path, replace: true });
  window.gallery = { world, path: () => history.get() };
  const InMemory: AppRouter = (props) => <MemoryRouter {...props} history={history} />;
  render(
    () => <App bridge={world.bridge} servedBy={() => Promise.resolve(stand.served ?? "host")} router={InMemory} />,
    root,
  );
} else if (root) root.textContent = `No state "${name}". ${Object.keys(SCENES).join(", ")}`;
addEventListener("hashchange", () => location.reload());
