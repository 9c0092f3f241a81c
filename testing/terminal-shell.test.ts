import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openShell } from "./shell.ts";
import { TerminalDevice } from "./terminal.ts";
import { startWorld } from "./world.ts";

const MAIN = join(import.meta.dirname, "..", "cli", "main.ts");

describe("a terminal in the shell", { timeout: 240_000 }, () => {
  it("[C13] is run, left, come back to and ended from a person's own terminal", async () => {
    await using world = await startWorld({ env: { PS1: "$ " } });
    const device = await world.pair();
    // The person's own terminal is a terminal of the same host: as real as any, and with a screen to look at.
    const own = await TerminalDevice.open(device, ["sh"], { workspace: world.home });
    await own.shows("$");
    const alias = `fb() { FLYBRIDGE_HOME='${world.state}' '${process.execPath}' --disable-warning=ExperimentalWarning '${MAIN}' "$@"; }`;
    await own.type(`${alias}; clear\r`);
    await own.type("fb run -- sh -c 'PS1=\"in> \" exec sh'\r");
    await own.shows(/^in>/mu);
    await own.type("stty size; printf '\\033[6n'; echo in''ner\r");
    await own.shows("24 80");
    await own.shows("inner");
    // The inner program's query was answered by the host, and not by this terminal as well.
    await own.type("\u0015echo cl''ean\r");
    await own.shows(/^clean$/mu);
    await own.type("\u001c");
    await own.shows(/It goes on\. Come back with flybridge attach \S+/u);
    const { sessions } = await device.call("session.list", {});
    const inner = sessions.find(({ session }) => session !== own.session);
    assert.ok(inner?.terminal && inner.status.kind !== "ended");
    await own.type(`clear; fb attach ${inner.session}\r`);
    await own.shows(/^(?![^]*It goes on)[^]*\nclean\s+in>$/u);
    await own.type("exit\r");
    await own.shows("The program has ended");
    await own.stop();
    device.close();
  });

  it("is run from a script, which is told its id, and can read what it writes", async () => {
    await using shell = openShell();
    assert.equal((await shell.run(["up", "--no-open", "--port", "0"])).code, 0);
    const { stdout } = await shell.run(["run", "--", "sh", "-c", "echo first; read -r go; echo last"]);
    const id = stdout.trim();
    assert.match(id, /^[0-9a-f-]{36}$/u);
    const attached = shell.start(["attach", id]);
    // No line yet: what a snapshot draws ends where the cursor is.
    await new Promise<void>((resolve) => {
      let text = "";
      attached.child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes("first")) resolve();
      });
    });
    assert.equal((await shell.run(["send", id, "on"])).code, 0);
    const { stdout: written, code } = await attached.ended;
    assert.equal(code, 0);
    assert.match(written, /first[^]*last/u);
    const [last] = (await shell.run(["logs", id, "--json"])).json.slice(-1);
    assert.match(JSON.stringify(last), /agent\.ended/u);
  });
});
