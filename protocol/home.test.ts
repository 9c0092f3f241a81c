import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stateFolder } from "./home.ts";

describe("the state folder", () => {
  it("is what FLYBRIDGE_HOME says, on every platform", () => {
    const env = { FLYBRIDGE_HOME: "/srv/bridge", XDG_STATE_HOME: "/state" };
    assert.equal(stateFolder(env, "linux", "/home/ada"), "/srv/bridge");
    assert.equal(stateFolder(env, "darwin", "/Users/ada"), "/srv/bridge");
  });

  it("is the platform's own place for state otherwise", () => {
    assert.equal(stateFolder({ XDG_STATE_HOME: "/state" }, "linux", "/home/ada"), "/state/flybridge");
    assert.equal(stateFolder({}, "linux", "/home/ada"), "/home/ada/.local/state/flybridge");
    assert.equal(stateFolder({}, "darwin", "/Users/ada"), "/Users/ada/Library/Application Support/Flybridge");
  });

  it("does not take an empty variable, or a relative XDG one, for a place", () => {
    const env = { FLYBRIDGE_HOME: "", XDG_STATE_HOME: "state" };
    assert.equal(stateFolder(env, "linux", "/home/ada"), "/home/ada/.local/state/flybridge");
  });
});
