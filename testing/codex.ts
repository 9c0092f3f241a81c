/** The real Codex in tests: where it is, and a folder of its own with a model that is played. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const CACHE = join(import.meta.dirname, "..", ".cache", "agents");

/**
 * The path of the real binary, from `FLYBRIDGE_TEST_CODEX` or from the cache that `npm test` fills; undefined where
 * there is none, so that a test can say why it was skipped.
 */
export function findCodex(): string | undefined {
  const named = process.env["FLYBRIDGE_TEST_CODEX"];
  if (named !== undefined && existsSync(named)) return named;
  const listed = join(CACHE, "agents.json");
  if (!existsSync(listed)) return undefined;
  const path = (JSON.parse(readFileSync(listed, "utf8")) as { codex?: { path: string } }).codex?.path;
  return path !== undefined && existsSync(path) ? path : undefined;
}

/** A folder that holds a home, Codex's own folder and a workspace, and is gone when it is disposed of. */
export interface CodexPlace extends Disposable {
  readonly folder: string;
  /** CODEX_HOME. */
  readonly codex: string;
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
}

/** `url` is the played model's. `more` goes to the end of config.toml, `first` to its beginning. */
export function codexPlace(
  url: string,
  settings: { readonly first?: string; readonly more?: string } = {},
): CodexPlace {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-codex-"));
  const [codex, workspace, temp] = ["codex", "work", "tmp"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [codex, workspace, temp]) mkdirSync(path);
  writeFileSync(join(codex, "config.toml"), configFor(url, settings));
  return {
    folder,
    codex,
    workspace,
    env: {
      HOME: folder,
      PATH: `${dirname(findCodex() ?? "/")}:${process.env["PATH"] ?? "/usr/bin:/bin"}`,
      CODEX_HOME: codex,
      // Codex makes no helpers under a temporary folder, and without them its sandbox runs nothing.
      TMPDIR: temp,
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Nothing of the person's own, and nothing that leaves this machine. */
function configFor(
  url: string,
  { first = "", more = "" }: { readonly first?: string; readonly more?: string },
): string {
  return `${first}
model = "gpt-6-sol"
model_provider = "played"
approval_policy = "on-request"
sandbox_mode = "workspace-write"
check_for_update_on_startup = false
# Otherwise its sandbox leaves an empty .git in the temporary folder of the machine, which is then a project to others.
[sandbox_workspace_write]
exclude_slash_tmp = true
[analytics]
enabled = false
[features]
plugins = false
[model_providers.played]
name = "Played"
base_url = "${url}"
wire_api = "responses"
requires_openai_auth = false
request_max_retries = 1
stream_max_retries = 1
${more}
`;
}

/** A call of the command tool, for a script: `[[${run("ls")}]]`. */
export function run(command: string, more: object = {}): string {
  return `tool exec_command ${JSON.stringify({ cmd: command, ...more })}`;
}

/** The same, outside the sandbox: it is asked for. */
export function runOutside(command: string, justification = "May I?"): string {
  return run(command, { sandbox_permissions: "require_escalated", justification });
}

export function patch(...lines: readonly string[]): string {
  return ["custom apply_patch *** Begin Patch", ...lines, "*** End Patch"].join("\n");
}
