/** Attachments on a real disk: what is put is given again, and nothing else gets in. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { Upload } from "@flybridge/protocol/attachment.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import * as v from "valibot";
import { openAttachments } from "./attachments.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const upload = (content: Buffer | string, name = "a.txt", type = "text/plain"): Upload => ({
  name,
  type,
  data: Buffer.from(content).toString("base64"),
});

describe("attachments", () => {
  const root = mkdtempSync(join(tmpdir(), "flybridge-attachments-"));
  let count = 0;
  let folder = "";
  beforeEach(() => {
    folder = join(root, String(count++), "attachments");
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("gives back what was put, also after a restart, and only to the owner", () => {
    const kept = openAttachments(folder).put(upload(PNG, "Screen shot.PNG", "image/png"));
    assert.equal(kept.name, "Screen shot.PNG");
    assert.equal(kept.size, PNG.length);
    const got = openAttachments(folder).get(kept.hash);
    assert.equal(got?.data, PNG.toString("base64"));
    assert.equal(got.path, join(folder, `${kept.hash}.png`));
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(got.path).mode & 0o777, 0o600);
  });

  it("keeps the same bytes once, whatever they are called", () => {
    const shelf = openAttachments(folder);
    const first = shelf.put(upload("same", "one.txt"));
    const second = shelf.put(upload("same", "two.md"));
    assert.equal(first.hash, second.hash);
    assert.deepEqual([first.name, second.name], ["one.txt", "two.md"]);
    assert.equal(readdirSync(folder).length, 1);
  });

  it("lets no name reach a path", () => {
    const shelf = openAttachments(folder);
    for (const name of [
      "../../../etc/passwd",
      "/etc/cron.d/evil",
      "a/../../b.sh",
      "nul\0byte.txt",
      "line\nfeed.txt",
      "..",
      ".",
      "x.".padEnd(1_900, "y"),
      "\u202Efdp.exe",
      "con.txt:stream",
    ])
      assert.match(shelf.put(upload(name, name)).name, /./su);
    for (const file of readdirSync(folder)) assert.match(file, /^[0-9a-f]{64}\.[a-z0-9]{1,8}$/u);
    assert.deepEqual(readdirSync(dirname(folder)), ["attachments"]);
  });

  it("refuses what is not base64 in its one form, and what is empty", () => {
    const shelf = openAttachments(folder);
    for (const data of [
      "",
      "a",
      "ab",
      "abc",
      "YQ",
      "YQ=",
      "YR==",
      "YQ==\n",
      " YQ==",
      "YQ==YQ==",
      "-_-_",
      "%%%%",
      "data:text/plain;base64,YQ==",
    ])
      assert.throws(
        () => shelf.put({ name: "a", type: "text/plain", data }),
        (error) => error instanceof CallError && error.code === "bad_params",
        data,
      );
    assert.deepEqual(readdirSync(folder), []);
  });

  it("is not asked for more than the protocol carries", () => {
    const large = "A".repeat(7 * 1024 * 1024);
    assert.equal(v.safeParse(Upload, { name: "a", type: "text/plain", data: large }).success, false);
    for (const type of ["", "image", "text/plain; charset=utf-8", "text/pl ain", "../x", "TEXT/PLAIN"])
      assert.equal(v.safeParse(Upload, { name: "a", type, data: "YQ==" }).success, false, type);
  });

  it("calls a picture what its bytes say", () => {
    const shelf = openAttachments(folder);
    assert.equal(shelf.put(upload(PNG, "a.jpg", "image/jpeg")).type, "image/png");
    assert.equal(shelf.put(upload(PNG, "a", "application/octet-stream")).type, "image/png");
    assert.equal(shelf.put(upload("<svg/>", "a.png", "image/png")).type, "application/octet-stream");
    assert.equal(shelf.put(upload("<svg/> ", "a.svg", "image/svg+xml")).type, "image/svg+xml");
  });

  it("does not give a file that was changed, cut, or put there by somebody else", () => {
    const shelf = openAttachments(folder);
    const kept = shelf.put(upload("as it was"));
    const path = shelf.get(kept.hash)?.path ?? "";
    writeFileSync(path, "as it is!");
    assert.equal(shelf.get(kept.hash), undefined);
    const cut = shelf.put(upload("cut short"));
    truncateSync(shelf.get(cut.hash)?.path ?? "", 3);
    assert.equal(shelf.get(cut.hash), undefined);
    const linked = shelf.put(upload("a link"));
    const place = shelf.get(linked.hash)?.path ?? "";
    rmSync(place);
    symlinkSync("/etc/passwd", place);
    assert.equal(shelf.get(linked.hash), undefined);
    assert.equal(shelf.get("../../etc/passwd"), undefined);
  });

  it("drops what nothing names, but nothing whose entry may still be on its way", () => {
    const shelf = openAttachments(folder);
    const named = shelf.put(upload("named"));
    const waiting = shelf.put(upload("waiting"));
    shelf.keepOnly(new Set([named.hash]));
    assert.ok(shelf.get(named.hash) && shelf.get(waiting.hash));
    shelf.keepOnly(new Set());
    assert.equal(shelf.get(named.hash), undefined);
    assert.ok(shelf.get(waiting.hash));
    writeFileSync(join(folder, `${"0".repeat(64)}.txt.new`), "half");
    const again = openAttachments(folder);
    again.keepOnly(new Set());
    assert.deepEqual(readdirSync(folder), []);
  });

  it(
    "says that it could not store, and keeps nothing",
    { skip: process.getuid?.() === 0 && "root may write anywhere" },
    () => {
      const shelf = openAttachments(folder);
      chmodSync(folder, 0o500);
      assert.throws(() => shelf.put(upload("no room")), /could not be stored/u);
      chmodSync(folder, 0o700);
    },
  );
});
