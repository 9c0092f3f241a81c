/** The desktop app that is told where a conversation went on: stand-ins for its opener, on a PATH of their own. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { nudge } from "./desktop.ts";

const CONVERSATION = "0198c2f4-7a5b-7c3d-8e9f-0123456789ab";

/** Programs that note how they were called; `says` is what each prints, and one that prints nothing has found nothing. */
function machine(says: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "flybridge-desktop-"));
  const log = join(folder, "log");
  for (const [name, words] of Object.entries(says)) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> ${log}\necho "${words}"\n`);
    chmodSync(path, 0o755);
  }
  return {
    env: { PATH: folder, DISPLAY: ":0" },
    calls: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

describe("the Codex desktop app", () => {
  it("[E06] is asked on Linux to open the conversation, where a program takes such links", async () => {
    using at = machine({ "xdg-mime": "codex.desktop", "xdg-open": "" });
    await nudge(CONVERSATION, at.env, "linux");
    assert.deepEqual(at.calls(), [
      "xdg-mime query default x-scheme-handler/codex",
      `xdg-open codex://threads/${CONVERSATION}`,
    ]);
  });

  it("[E06] is asked on a Mac while it runs, and stays behind", async () => {
    using at = machine({ pgrep: "4711", open: "" });
    await nudge(CONVERSATION, at.env, "darwin");
    assert.deepEqual(at.calls(), ["pgrep -x Codex", `open -g codex://threads/${CONVERSATION}`]);
  });

  it("is left alone where it is not, where there is no screen, and where nothing is installed", async () => {
    using at = machine({ "xdg-mime": "", "xdg-open": "", pgrep: "", open: "" });
    await nudge(CONVERSATION, at.env, "linux");
    await nudge(CONVERSATION, at.env, "darwin");
    await nudge(CONVERSATION, at.env, "win32");
    assert.deepEqual(at.calls(), ["xdg-mime query default x-scheme-handler/codex", "pgrep -x Codex"]);
    using headless = machine({ "xdg-mime": "codex.desktop", "xdg-open": "" });
    await nudge(CONVERSATION, { PATH: headless.env.PATH }, "linux");
    assert.deepEqual(headless.calls(), []);
    await nudge(CONVERSATION, { PATH: "/nowhere", DISPLAY: ":0" }, "linux");
  });

  it("[E18] is given nothing that is no conversation, and nothing at all when that is turned off", async () => {
    using at = machine({ "xdg-mime": "codex.desktop", "xdg-open": "" });
    for (const other of ["", "new", "../new", `${CONVERSATION}?prompt=x`, `${CONVERSATION}\n`, "-x"])
      await nudge(other, at.env, "linux");
    await nudge(CONVERSATION, { ...at.env, FLYBRIDGE_CODEX_DESKTOP: "off" }, "linux");
    assert.deepEqual(at.calls(), []);
  });
});
