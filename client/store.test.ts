import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileStore } from "./store-file-node.ts";
import { memoryStore } from "./store-memory.ts";
import { storeContract } from "./store.contract.ts";

describe("the store in memory", () => {
  for (const [name, step] of Object.entries(storeContract))
    it(name, async () => {
      const store = memoryStore();
      await step({ store, reopen: () => Promise.resolve(store) });
    });
});

describe("the store in a folder", () => {
  for (const [name, step] of Object.entries(storeContract))
    it(name, async () => {
      const folder = await mkdtemp(join(tmpdir(), "flybridge-store-"));
      try {
        await step({ store: await fileStore(folder), reopen: () => fileStore(folder) });
      } finally {
        await rm(folder, { recursive: true });
      }
    });

  it("[A24] is readable by its owner only, and leaves no half-written files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flybridge-store-"));
    try {
      const store = await fileStore(join(folder, "device"));
      await store.write("hosts", "h", "v");
      const [name] = await readdir(join(folder, "device", "hosts"));
      assert.equal((await stat(join(folder, "device", "hosts", name!))).mode & 0o777, 0o600);
      assert.equal((await stat(join(folder, "device", "hosts"))).mode & 0o777, 0o700);
      await store.write("hosts", "h", "w");
      assert.deepEqual(await readdir(join(folder, "device", "hosts")), ["h.json"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("says what is wrong when it cannot write", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flybridge-store-"));
    const store = await fileStore(folder);
    await rm(folder, { recursive: true });
    await assert.rejects(store.write("hosts", "h", "v"), { name: "StoreError", fault: "blocked" });
  });
});
