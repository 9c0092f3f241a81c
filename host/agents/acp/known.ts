/**
 * The agents that are known to speak ACP, by the registry of the protocol and their own documents. Claude Code and Codex
 * have folders of their own here, which say more than their ACP adapters can; the adapters are for those who have them.
 */
import type { AcpEntry } from "./entry.ts";

export const KNOWN: readonly AcpEntry[] = [
  {
    name: "opencode",
    title: "opencode",
    command: ["opencode", "acp"],
    install: ["npm", "install", "-g", "opencode-ai"],
    versioned: true,
  },
  {
    name: "gemini",
    title: "Gemini CLI",
    command: ["gemini", "--acp"],
    install: ["npm", "install", "-g", "@google/gemini-cli"],
    versioned: true,
    signIn: {
      variables: [
        { variable: "GEMINI_API_KEY", method: "gemini-api-key" },
        { variable: "GOOGLE_GENAI_USE_VERTEXAI", method: "vertex-ai" },
        { variable: "GOOGLE_GENAI_USE_GCA" },
        { variable: "GOOGLE_API_KEY" },
      ],
      files: [".gemini/settings.json", ".gemini/oauth_creds.json"],
      how: "Run `gemini` in a terminal on this machine and sign in, or start the host with GEMINI_API_KEY set.",
    },
  },
  {
    name: "qwen-code",
    title: "Qwen Code",
    command: ["qwen", "--acp"],
    install: ["npm", "install", "-g", "@qwen-code/qwen-code"],
    versioned: true,
  },
  {
    name: "copilot",
    title: "GitHub Copilot",
    command: ["copilot", "--acp"],
    install: ["npm", "install", "-g", "@github/copilot"],
    versioned: true,
  },
  {
    name: "cursor-agent",
    title: "Cursor",
    command: ["cursor-agent", "acp"],
    page: "https://cursor.com/docs/cli/acp",
    versioned: true,
  },
  {
    name: "goose",
    title: "goose",
    command: ["goose", "acp"],
    page: "https://block.github.io/goose/",
    versioned: true,
  },
  {
    name: "kimi",
    title: "Kimi CLI",
    command: ["kimi", "acp"],
    install: ["uv", "tool", "install", "--python", "3.13", "kimi-cli"],
    versioned: true,
  },
  {
    name: "auggie",
    title: "Auggie",
    command: ["auggie", "--acp"],
    env: { AUGMENT_DISABLE_AUTO_UPDATE: "1" },
    install: ["npm", "install", "-g", "@augmentcode/auggie"],
    versioned: true,
  },
  {
    name: "vibe",
    title: "Mistral Vibe",
    command: ["vibe-acp"],
    page: "https://mistral.ai/products/vibe",
  },
  {
    name: "claude-agent-acp",
    title: "Claude Code over ACP",
    command: ["claude-agent-acp"],
    install: ["npm", "install", "-g", "@agentclientprotocol/claude-agent-acp"],
  },
  {
    name: "codex-acp",
    title: "Codex over ACP",
    command: ["codex-acp"],
    install: ["npm", "install", "-g", "@agentclientprotocol/codex-acp"],
    // In its own first mode an automatic reviewer answers what a person would be asked.
    asks: ["workspace-write", "read-only"],
  },
];
