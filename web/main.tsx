/** The app's beginning: takes a pairing link out of the address, restores the look, makes the bridge, draws. */
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { webPlatform } from "@flybridge/client/platform-web.ts";
import { render } from "solid-js/web";
import { App } from "./app.tsx";
import { restoreTheme } from "./design/theme.ts";
import { captureLink } from "./pair/link.ts";
import { storeCell } from "./store-cell.ts";
import { registerWorker } from "./trusted.ts";
import { t } from "./words.ts";

captureLink();
restoreTheme();
void begin();

/** Not awaited up here: files that are loaded later import this one, and WebKit lets some of them wait for good. */
async function begin(): Promise<void> {
  const root = document.querySelector("#app");
  if (!root) throw new Error("the page has no #app");
  try {
    const bridge = await makeBridge(webPlatform(storeCell), location.origin);
    render(() => <App bridge={bridge} servedBy={async () => (await import("./served.ts")).servedBy()} />, root);
    void registerWorker();
  } catch (fault) {
    root.textContent = t(
      "Flybridge could not start in this browser: {why} It needs storage for its keys; a private window may not give it any.",
      {
        why: fault instanceof Error ? fault.message : String(fault),
      },
    );
  }
}
