/** The app's beginning: takes a pairing link out of the address, restores the look, makes the bridge, draws. */
import { makeBridge } from "@flybridge/client/make-bridge.ts";
import { webPlatform } from "@flybridge/client/platform-web.ts";
import { render } from "solid-js/web";
import { App } from "./app.tsx";
import { restoreTheme } from "./design/theme.ts";
import { captureLink } from "./pair/link.ts";
import { storeCell } from "./store-cell.ts";
import { registerWorker } from "./trusted.ts";

captureLink();
restoreTheme();
const root = document.querySelector("#app");
if (!root) throw new Error("the page has no #app");
const bridge = makeBridge(webPlatform(storeCell));
render(() => <App bridge={bridge} />, root);
void registerWorker();
