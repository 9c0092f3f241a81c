/** WebKit and the programs that terminals are tried with, where this machine can get them. */

import { bring } from "./debian.ts";

const PROGRAMS = ["vim", "less", "htop", "tmux", "nano", "whiptail", "dialog"];

/** Throws, with a sentence, when there is none and none can be had. */
export function bringWebKit(): void {
  bring({ what: "WebKit", programs: ["WebKitWebDriver", "Xvfb"], packages: ["webkit2gtk-driver", "xvfb"] });
}

/** As above, naming those that are missing. */
export function bringPrograms(): void {
  bring({ what: "the programs that terminals are tried with", programs: PROGRAMS, packages: PROGRAMS });
}
