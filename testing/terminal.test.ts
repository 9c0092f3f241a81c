import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { TerminalDevice } from "./terminal.ts";
import { startWorld } from "./world.ts";

const suite = { timeout: 120_000 };

describe("a terminal", suite, () => {
  it("[C13] takes what a device types, once, and shows what comes of it", async () => {
    await using world = await startWorld({ env: { PS1: "$ " } });
    const device = await world.pair();
    const terminal = await TerminalDevice.open(device, ["sh"], { workspace: world.home });
    await terminal.shows("$");
    await terminal.type("echo he''llo $((40 + 2))\r");
    await terminal.shows("hello 42");
    await terminal.type("x");
    await terminal.typeAgain("x");
    await terminal.type("y");
    await terminal.shows(/\$ xy$/u);
    await terminal.stop();
    assert.equal(terminal.ended, true);
    device.close();
  });
});
