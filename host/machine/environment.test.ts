import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { environmentFor } from "./environment.ts";

describe("the environment of agents", () => {
  it("[A40] has the person's tools and credentials", () => {
    const own = { PATH: "/usr/bin", HOME: "/home/ada", ANTHROPIC_API_KEY: "sk-ant", SSH_AUTH_SOCK: "/run/agent" };
    assert.deepEqual(environmentFor(own), own);
  });

  it("has nothing that opens the host or says how it was started", () => {
    const env = environmentFor({
      FLYBRIDGE_HOME: "/home/ada/state",
      FLYBRIDGE_ANYTHING: "secret",
      FLYBRIDGE_CODEX_DESKTOP_KEY: "secret",
      NODE_COMPILE_CACHE: "/home/ada/state/compiled",
      npm_config_registry: "x",
      npm_lifecycle_event: "start",
      CLAUDECODE: "1",
      UNSET: undefined,
    });
    assert.deepEqual(env, {});
  });

  it("has the one of our settings that is an agent's", () => {
    const own = { FLYBRIDGE_CODEX_DESKTOP: "off" };
    assert.deepEqual(environmentFor(own), own);
  });
});
