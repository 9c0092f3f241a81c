/** The real opencode and Gemini CLI in tests: where they are, and an environment that keeps them away from all else. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CACHE = join(import.meta.dirname, "..", ".cache", "agents");

export type RealAgent = "opencode" | "gemini";

/** The path of its program; undefined where there is none, so that a test can say why it was skipped. */
export function findAgent(name: RealAgent): string | undefined {
  const named = process.env[`FLYBRIDGE_TEST_${name.toUpperCase()}`];
  if (named !== undefined && existsSync(named)) return named;
  const listed = join(CACHE, "agents.json");
  if (!existsSync(listed)) return undefined;
  const agents = JSON.parse(readFileSync(listed, "utf8")) as Record<string, { path: string } | undefined>;
  const path = agents[name]?.path;
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** For an opencode that asks before edits and commands; `url` is the model's. Its configuration is written to `home`. */
export function opencodeEnv(at: { readonly home: string; readonly url: string }): Record<string, string> {
  const path = join(at.home, "opencode.json");
  // It fetches a package for its plugins into a new home, and may wait for it: this home has it, as far as it looks.
  const config = join(at.home, ".config", "opencode");
  mkdirSync(join(config, "node_modules"), { recursive: true });
  const dependencies = { "@opencode-ai/plugin": "*" };
  writeFileSync(join(config, "package-lock.json"), JSON.stringify({ packages: { "": { dependencies } } }));
  const model = {
    name: "Fake",
    tool_call: true,
    attachment: true,
    modalities: { input: ["text", "image"], output: ["text"] },
  };
  const options = { baseURL: `${at.url}/v1`, apiKey: "none" };
  writeFileSync(
    path,
    JSON.stringify({
      autoupdate: false,
      share: "disabled",
      model: "fake/one",
      small_model: "fake/one",
      provider: {
        fake: {
          npm: "@ai-sdk/openai-compatible",
          name: "Fake",
          options,
          models: { one: model, two: { ...model, name: "Other" } },
        },
      },
      permission: { edit: "ask", bash: "ask" },
    }),
  );
  return {
    HOME: at.home,
    PATH: pathWith("opencode"),
    OPENCODE_CONFIG: path,
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
  };
}

/** For a Gemini CLI that has a key; `url` is the model's. Its settings are written to `home`. */
export function geminiEnv(at: { readonly home: string; readonly url: string }): Record<string, string> {
  const folder = join(at.home, ".gemini");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "settings.json"),
    JSON.stringify({
      security: { auth: { selectedType: "gemini-api-key" }, folderTrust: { enabled: false } },
      privacy: { usageStatisticsEnabled: false },
      telemetry: { enabled: false },
      general: { enableAutoUpdate: false },
    }),
  );
  return { HOME: at.home, PATH: pathWith("gemini"), GEMINI_API_KEY: "none", GOOGLE_GEMINI_BASE_URL: at.url };
}

/** With the program of the agent first, and the Node that runs the tests, which Gemini CLI is run by. */
function pathWith(name: RealAgent): string {
  const agent = findAgent(name);
  const own = agent === undefined ? [] : [dirname(agent)];
  return [...own, dirname(process.execPath), process.env["PATH"] ?? "/usr/bin:/bin"].join(":");
}
