import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "./command.ts";
import run from "./run.ts";
import { ClipboardFilter, sizeOf } from "./screen.ts";

describe("a terminal shown in this one", () => {
  it("passes everything but what writes the clipboard, however it is cut", () => {
    const stream = Buffer.concat([
      Buffer.from("a\u001b]0;title\u0007b\u001b]52;c;aGVsbG8=\u0007c\u001b]52;p;eHg=\u001b\\d\u001b]5"),
      Buffer.from("2;never ended\u0018é\u001b]520;x\u0007\u001b[31m"),
      Buffer.from([0xff, 0x00, 0x1b]),
    ]);
    const left = Buffer.concat([
      Buffer.from("a\u001b]0;title\u0007bc\u001b\\dé\u001b]520;x\u0007\u001b[31m"),
      Buffer.from([0xff, 0x00]),
    ]);
    for (let size = 1; size <= stream.length; size++) {
      const filter = new ClipboardFilter();
      const passed: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size) passed.push(filter.pass(stream.subarray(at, at + size)));
      assert.deepEqual(Buffer.concat(passed).toString("latin1"), left.toString("latin1"), `in pieces of ${size}`);
    }
  });

  it("has a size that a host takes, whatever its own is", () => {
    assert.deepEqual(sizeOf({ columns: 5_000, rows: 1 }), { cols: 1_000, rows: 2 });
  });

  it("takes what comes after -- as it is", () => {
    const { rest, words, flags } = parse(run, ["--cwd", "/tmp", "--", "ls", "--json", "-la", "--"]);
    assert.deepEqual(rest, ["ls", "--json", "-la", "--"]);
    assert.deepEqual(words, []);
    assert.equal(flags["cwd"], "/tmp");
    assert.throws(() => parse(run, ["--"]), /COMMAND/u);
    assert.throws(() => parse(run, ["claude", "--", "ls"]), /not both/u);
    assert.equal(parse(run, ["demo"]).rest, undefined);
  });
});
