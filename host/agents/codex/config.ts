/**
 * What of Codex's `config.toml` is needed before it runs: the model, and whether there is a way to reach it. Only
 * tables and plain `key = value` lines are read; anything else is passed over, as Codex itself is the judge of it.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isObject, parsed, textAt } from "../json.ts";
import type { Env, Problem } from "../program.ts";
import { codexHome } from "./install.ts";

/** Bytes of a settings file that are read. */
const MAX_BYTES = 1024 * 1024;

type Value = string | boolean;
/** By table and key: `model`, `model_providers.fake.env_key`. */
export type Config = ReadonlyMap<string, Value>;

const CREDENTIALS = ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN"];

export async function readConfig(env: Env): Promise<Config> {
  return configOf(await textOf(join(codexHome(env), "config.toml")));
}

export function configOf(text: string): Config {
  const values = new Map<string, Value>();
  let table = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const head = /^\[(?<name>[^[\]]+)\]\s*(?:#.*)?$/u.exec(line)?.groups?.["name"];
    if (head !== undefined) {
      table = `${keyOf(head)}.`;
      continue;
    }
    const found = /^(?<key>[\w."'-]+)\s*=\s*(?<value>.+)$/u.exec(line)?.groups;
    const value = found && valueOf(found["value"] ?? "");
    if (found && value !== undefined) values.set(`${table}${keyOf(found["key"] ?? "")}`, value);
  }
  return values;
}

export function configuredModel(config: Config): string | undefined {
  const model = config.get("model");
  return typeof model === "string" && model !== "" ? model : undefined;
}

/** Undefined when a model can be reached, as far as can be seen without trying. */
export async function signInProblem(env: Env, config: Config): Promise<Problem | undefined> {
  const provider = config.get("model_provider");
  if (typeof provider === "string" && provider !== "openai") {
    if (config.get(`model_providers.${provider}.requires_openai_auth`) !== true)
      return providerProblem(env, config, provider);
  }
  if (CREDENTIALS.some((name) => (env[name] ?? "") !== "")) return undefined;
  // The keychain is not ours to open, so nothing is claimed of it.
  const store = config.get("cli_auth_credentials_store");
  if (store === "keyring" || store === "auto") return undefined;
  const auth = parsed(await textOf(join(codexHome(env), "auth.json")));
  if (auth && (textAt(auth, "OPENAI_API_KEY") !== undefined || isObject(auth["tokens"]))) return undefined;
  // A way to sign in that this does not know is for Codex to judge.
  if (auth && Object.values(auth).some((value) => isObject(value) || (typeof value === "string" && value.length > 20)))
    return undefined;
  return {
    code: "not_signed_in",
    message:
      "Codex is not signed in on this machine. Run `codex login` in a terminal there, or name a model provider with a key of its own in config.toml.",
  };
}

/** A provider of the person's own says itself where its key is; the built-in local ones need none. */
function providerProblem(env: Env, config: Config, provider: string): Problem | undefined {
  const key = config.get(`model_providers.${provider}.env_key`);
  if (typeof key !== "string" || key === "" || (env[key] ?? "") !== "") return undefined;
  return {
    code: "not_signed_in",
    message: `Codex uses the model provider "${provider}", whose key is to be in ${key}. Start the host with ${key} set.`,
  };
}

/** `"a.b"` and `'a'` in a key are one name each. */
function keyOf(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*\.\s*/gu, ".")
    .replaceAll(/["']/gu, "");
}

function valueOf(text: string): Value | undefined {
  const word = /^(?<word>true|false)\b/u.exec(text)?.groups?.["word"];
  if (word !== undefined) return word === "true";
  const literal = /^'(?<text>[^']*)'/u.exec(text)?.groups?.["text"];
  if (literal !== undefined) return literal;
  const quoted = /^"(?:[^"\\]|\\.)*"/u.exec(text)?.[0];
  if (quoted === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(quoted);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return (await stat(path)).size > MAX_BYTES ? "" : await readFile(path, "utf8");
  } catch {
    return "";
  }
}
