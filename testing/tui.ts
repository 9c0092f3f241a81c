/** The full-screen programs of the real agents, as a person starts them in a terminal: faked models behind them. */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { findAgent, geminiEnv, opencodeEnv } from "./acp.ts";
import { startAnthropic, toldIn as toldInMessages } from "./anthropic.ts";
import { startChatCompletions, toldInCompletion } from "./chat-completions.ts";
import { claudeEnv, findClaude } from "./claude.ts";
import { codexPlace, findCodex, runOutside } from "./codex.ts";
import { startGemini, toldInGeneration } from "./gemini.ts";
import { startOpenAi, toldIn } from "./openai.ts";

export interface Tui {
  readonly name: string;
  readonly command: readonly string[];
  /** On its screen when it takes a prompt. */
  readonly ready: RegExp;
  /** On its screen while it asks whether a command may run. */
  readonly asks: RegExp;
  /** A directive for its model that has it ask before it runs `command`. */
  runs(command: string): string;
  /** All that its model was shown so far. */
  told(): string;
  /** What it says on its screen, or to its model, of a command that was not allowed. */
  readonly refused: RegExp;
}

export interface Tuis extends AsyncDisposable {
  readonly workspace: string;
  /** For the host under which they run: a home in which none of them has anything to ask or to fetch when it starts. */
  readonly env: Readonly<Record<string, string>>;
  readonly each: readonly Tui[];
}

/** Throws with the name of the one that is not here. */
export async function startTuis(): Promise<Tuis> {
  const found = {
    claude: findClaude(),
    codex: findCodex(),
    opencode: findAgent("opencode"),
    gemini: findAgent("gemini"),
  };
  for (const [name, path] of Object.entries(found))
    if (path === undefined) throw new Error(`${name} is not in .cache/agents. \`npm test\` brings it.`);
  const stack = new AsyncDisposableStack();
  const anthropic = stack.use(await startAnthropic());
  const openai = stack.use(await startOpenAi());
  const chat = stack.use(await startChatCompletions());
  const google = stack.use(await startGemini());
  const place = stack.use(codexPlace(openai.url));
  const home = place.folder;
  const trusted = { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true, projectOnboardingSeenCount: 9 };
  writeFileSync(
    join(home, ".claude.json"),
    JSON.stringify({
      hasCompletedOnboarding: true,
      hasSeenAutoDefaultNotice: true,
      numStartups: 20,
      theme: "dark",
      autoUpdates: false,
      customApiKeyResponses: { approved: ["sk-ant-fake"], rejected: [] },
      projects: { [place.workspace]: trusted },
    }),
  );
  const envs = [
    claudeEnv({ home, url: anthropic.url }),
    place.env,
    opencodeEnv({ home, url: chat.url }),
    geminiEnv({ home, url: google.url }),
  ];
  const PATH = [dirname(found.claude ?? ""), ...envs.map((env) => env["PATH"])].join(":");
  const input = { description: "Do it" };
  return {
    workspace: place.workspace,
    env: { ...Object.assign({}, ...envs), PATH, HOME: home, LANG: "C.UTF-8" },
    each: [
      {
        name: "claude",
        command: ["claude", "--permission-mode", "manual"],
        ready: /manual mode on/u,
        asks: /Do you want to proceed/u,
        runs: (command) => `[[tool Bash ${JSON.stringify({ command, ...input })}]]`,
        told: () => anthropic.requests.map(toldInMessages).join("\n"),
        refused: /The tool use was rejected/u,
      },
      {
        name: "codex",
        command: ["codex", "--no-daemon"],
        ready: /Ask Codex to do anything/u,
        asks: /Would you like to run/u,
        runs: (command) => `[[${runOutside(command)}]]`,
        told: () => openai.requests.map(toldIn).join("\n"),
        refused: /You canceled the request to run/u,
      },
      {
        name: "opencode",
        command: ["opencode"],
        ready: /Ask anything/u,
        asks: /Permission required/u,
        runs: (command) => `[[tool bash ${JSON.stringify({ command, ...input })}]]`,
        told: () => chat.requests.map(toldInCompletion).join("\n"),
        refused: /The user rejected permission/u,
      },
      {
        name: "gemini",
        command: ["gemini"],
        ready: /Type your message/u,
        asks: /Allow execution/u,
        runs: (command) => `[[tool run_shell_command ${JSON.stringify({ command, ...input })}]]`,
        told: () => google.requests.map(toldInGeneration).join("\n"),
        refused: /Request cancelled/u,
      },
    ],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
