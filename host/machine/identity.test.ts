import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { checkHostId } from "@flybridge/crypto/identity.ts";
import { MAX_DEVICE_NAME_CHARS } from "@flybridge/protocol/device.ts";
import { identityFrom } from "./identity.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-identity-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const freshPath = () => join(root, `host${count++}.json`);

describe("the host's identity", () => {
  it("is made once, and is the same ever after", () => {
    const path = freshPath();
    const first = identityFrom(path, undefined);
    assert.equal(checkHostId(first.host), first.host);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const text = readFileSync(path, "utf8");
    const second = identityFrom(path, undefined);
    assert.deepEqual([second.host, second.name, second.key.publicKey], [first.host, first.name, first.key.publicKey]);
    assert.equal(readFileSync(path, "utf8"), text);
    assert.notEqual(identityFrom(freshPath(), undefined).host, first.host);
  });

  it("keeps the name it was given last, within a device name's length", () => {
    const path = freshPath();
    const { host } = identityFrom(path, "Box");
    assert.equal(identityFrom(path, undefined).name, "Box");
    assert.equal(identityFrom(path, " Other\n").name, "Other");
    assert.equal(identityFrom(path, undefined).name, "Other");
    assert.ok(identityFrom(path, "x".repeat(5000)).name.length <= MAX_DEVICE_NAME_CHARS);
    assert.notEqual(identityFrom(path, "  ").name, "");
    assert.equal(identityFrom(path, undefined).host, host);
  });

  it("keeps what a newer version wrote beside it", () => {
    const path = freshPath();
    identityFrom(path, "Box");
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), moon: 1 }));
    identityFrom(path, "Other");
    assert.equal((JSON.parse(readFileSync(path, "utf8")) as { moon?: number }).moon, 1);
  });

  it("that is damaged is refused with what it means, and is never made anew in silence", () => {
    const path = freshPath();
    identityFrom(path, "Box");
    const whole = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    const damages = [
      "",
      "{",
      "null",
      readFileSync(path, "utf8").slice(0, -20),
      JSON.stringify({ ...whole, static: undefined }),
      JSON.stringify({ ...whole, identity: 7 }),
      JSON.stringify({ ...whole, static: "short" }),
      JSON.stringify({ ...whole, static: "A".repeat(43) }),
      JSON.stringify({ ...whole, identity: "A".repeat(43) }),
    ];
    for (const damaged of damages) {
      writeFileSync(path, damaged);
      assert.throws(
        () => identityFrom(path, "Another name"),
        (error) =>
          error instanceof Error &&
          error.message.startsWith(`${path} is damaged`) &&
          /backup.*pair every device again/u.test(error.message),
        damaged,
      );
      assert.equal(readFileSync(path, "utf8"), damaged);
    }
  });
});
