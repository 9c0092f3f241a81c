import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { signingKey } from "@flybridge/crypto/identity.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import { openRelays, type Relays } from "./relays.ts";

const ONE = "a".repeat(43) as DeviceId;
const OTHER = "b".repeat(43) as DeviceId;

function opened(root: string): Relays {
  return openRelays({
    root,
    origins: [],
    host: {
      id: "h".repeat(56) as HostId,
      key: new Uint8Array(32).fill(1),
      signing: signingKey(new Uint8Array(32).fill(2)),
    },
    gate: { enter: () => true, close() {} },
    offers: () => [],
    deviceOf: () => undefined,
    doubled() {},
    now: () => 0,
    log() {},
  });
}

function folder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "flybridge-relays-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

describe("the relays of a host", () => {
  it("remember whom the owner revoked, also before an account is trusted and after a restart, until it is paired anew", (t) => {
    const root = folder(t);
    {
      using relays = opened(root);
      relays.bar([ONE, OTHER]);
      relays.readmit(OTHER);
    }
    using relays = opened(root);
    assert.deepEqual([relays.isBarred(ONE), relays.isBarred(OTHER)], [true, false]);
  });

  it("say what is wrong with a damaged file, and how to mend it", (t) => {
    const root = folder(t);
    for (const text of ["{", "[]", '{"relays":[{}],"barred":[]}']) {
      writeFileSync(join(root, "relays.json"), text, { mode: 0o600 });
      assert.throws(() => opened(root), /relays\.json is damaged.*flybridge remote add/u);
    }
  });
});
