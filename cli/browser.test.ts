import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { doorPage, openerFor } from "./browser.ts";
import { logLine } from "./logs.ts";
import { styleFor } from "./terminal.ts";

describe("the desktop's browser", () => {
  it("is opened where there is one, and where the person sits before it", () => {
    assert.equal(openerFor("linux", { DISPLAY: ":0" }), "xdg-open");
    assert.equal(openerFor("linux", { WAYLAND_DISPLAY: "wayland-0" }), "xdg-open");
    assert.equal(openerFor("darwin", {}), "open");
    assert.equal(openerFor("linux", {}), undefined);
    assert.equal(openerFor("linux", { DISPLAY: ":0", CI: "1" }), undefined);
    assert.equal(openerFor("darwin", { SSH_CONNECTION: "192.0.2.1" }), undefined);
  });

  it("is led to the link by a page that the link cannot break out of", () => {
    const page = doorPage('http://127.0.0.1/pair#flybridge://x?n="><script>&h=1');
    assert.match(page, /url=http:\/\/127\.0\.0\.1\/pair#flybridge:\/\/x\?n=&quot;>&lt;script>&amp;h=1"/u);
    assert.doesNotMatch(page, /<script/u);
  });
});

describe("a line of the host's log", () => {
  it("is read out when it is one, and shown as it is when it is none, made safe both ways", () => {
    const plain = styleFor(false, {});
    const line = JSON.stringify({ level: 40, time: 0, pid: 1, msg: "odd \u001b[2J", file: "a\nb" });
    assert.equal(logLine(line, plain), "1970-01-01T00:00:00.000Z odd ⟨U+001B⟩[2J file=a b");
    assert.equal(logLine("Error: \u0007boom", plain), "Error: ⟨U+0007⟩boom");
    assert.equal(logLine('{"msg":"x","time":1e99}', plain), "x");
  });
});
