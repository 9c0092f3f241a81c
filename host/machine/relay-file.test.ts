import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import type { RelayShelf, StoredRelay } from "../core/ports.ts";
import { openRelayFile } from "./relay-file.ts";

const ONE = "a".repeat(43) as DeviceId;
const OTHER = "b".repeat(43) as DeviceId;
const NEAR: StoredRelay = { origin: "https://near.example", rendezvous: "r".repeat(22) };
const FAR: StoredRelay = { origin: "https://far.example", rendezvous: "s".repeat(22) };

const opened = (root: string, log: string[] = []): RelayShelf =>
  openRelayFile(join(root, "relays.json"), (message) => log.push(message));

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "flybridge-relays-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

describe("the file of a host's relays", () => {
  it("has them again after a restart, each as it was put last", (t) => {
    const root = folder(t);
    const file = opened(root);
    file.put(NEAR);
    file.put(FAR);
    file.put({ ...NEAR, session: "shown" });
    file.remove(FAR.origin);
    assert.deepEqual(file.list(), [{ ...NEAR, session: "shown" }]);
    assert.deepEqual(opened(root).list(), file.list());
  });

  it("remembers whom the owner revoked, also before an account is trusted and after a restart, until it is paired anew", (t) => {
    const root = folder(t);
    const file = opened(root);
    file.bar([ONE, OTHER]);
    file.readmit(OTHER);
    const again = opened(root);
    assert.deepEqual([again.isBarred(ONE), again.isBarred(OTHER)], [true, false]);
  });

  it("bars all the same where it cannot be written, and keeps no relay that is not in it", (t) => {
    const root = folder(t);
    // What is no file cannot be replaced by one.
    const log: string[] = [];
    const file = opened(root, log);
    mkdirSync(join(root, "relays.json", "in the way"), { recursive: true });
    file.bar([ONE]);
    assert.ok(file.isBarred(ONE));
    assert.deepEqual(log, ["who was revoked could not be written down"]);
    assert.throws(() => file.put(NEAR));
    assert.deepEqual(file.list(), []);
  });

  it("says what is wrong with it when it is damaged, and how to mend it", (t) => {
    const root = folder(t);
    for (const text of ["{", "[]", '{"relays":[{}],"barred":[]}']) {
      writeFileSync(join(root, "relays.json"), text, { mode: 0o600 });
      assert.throws(() => opened(root), /relays\.json is damaged.*flybridge remote add/u);
    }
  });
});
