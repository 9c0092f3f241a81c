/** Opens the desktop's browser at a link that is a secret: by way of a page in a private file, for what stands on a command line can be read by every user of the machine. */
import { spawn } from "node:child_process";
import { replaceFile } from "./shell-file.ts";

/** False when there is no desktop to open it on. */
export function showInBrowser(link: string, door: string, env: NodeJS.ProcessEnv): boolean {
  const opener = openerFor(process.platform, env);
  if (opener === undefined) return false;
  replaceFile(door, doorPage(link));
  const child = spawn(opener, [door], { detached: true, stdio: "ignore" });
  // No opener installed: the link is on the screen.
  child.once("error", () => {});
  child.unref();
  return true;
}

/** Over SSH the desktop, if there is one, is not where the person sits. */
export function openerFor(platform: string, env: NodeJS.ProcessEnv): string | undefined {
  if (env["CI"] || env["SSH_CONNECTION"]) return undefined;
  if (platform === "darwin") return "open";
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? "xdg-open" : undefined;
}

export function doorPage(link: string): string {
  const address = link.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${address}">
<title>Flybridge</title>
<a href="${address}">Open Flybridge</a>
`;
}
