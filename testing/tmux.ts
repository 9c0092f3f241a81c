/** A terminal as a person has it, in tmux: a program runs in it, keys are typed, and the screen is read as text. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How long something may take to be on the screen, in milliseconds: several agents may be starting on a busy machine. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;
const AFTER_TYPING_MS = 600;

/** Undefined where there is no tmux, so that a test can say why it was skipped. */
export function findTmux(): string | undefined {
  try {
    return execFileSync("tmux", ["-V"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

export class Tmux implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "flybridge-tmux-"));
  readonly #name: string;

  /** Runs a program in a terminal of its own, in nothing but this environment. */
  constructor(
    argv: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly name?: string },
  ) {
    this.#name = options.name ?? "t";
    const env = Object.entries({ TERM: "xterm-256color", LANG: "C.UTF-8", ...options.env });
    const command = ["env", "-i", ...env.map(([key, value]) => `${key}=${value}`), ...argv].map(quoted).join(" ");
    this.#run(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-s",
      this.#name,
      "-x",
      "110",
      "-y",
      "40",
      "-c",
      options.cwd,
      command,
    );
    // The screen of a program that ended stays to be read.
    this.#run("set-option", "-g", "remain-on-exit", "on");
  }

  get screen(): string {
    return this.#run("capture-pane", "-p", "-t", this.#name);
  }

  /** Resolves when the screen shows it. Rejects with the screen. */
  async until(shows: RegExp | ((screen: string) => boolean), what: string): Promise<void> {
    const holds = typeof shows === "function" ? shows : (screen: string): boolean => shows.test(screen);
    for (const began = performance.now(); !holds(this.screen); await delay(LOOK_MS))
      if (performance.now() - began > PATIENCE_MS) throw new Error(`${what} is not on the screen:\n${this.screen}`);
  }

  keys(...keys: string[]): void {
    this.#run("send-keys", "-t", this.#name, ...keys);
  }

  /** Types a line and sends it once it is to be seen. */
  async line(text: string): Promise<void> {
    this.#run("send-keys", "-t", this.#name, "-l", text);
    const seen = text.slice(0, 20);
    await this.until((screen) => screen.includes(seen), `what was typed (${seen})`);
    // An Enter that follows at once is taken for part of a paste (Codex: within 120 ms).
    await delay(AFTER_TYPING_MS);
    this.keys("Enter");
  }

  [Symbol.dispose](): void {
    try {
      this.#run("kill-server");
    } catch {
      // Its last program ended, and it with that.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(...args: string[]): string {
    return execFileSync("tmux", ["-S", join(this.#folder, "socket"), ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
