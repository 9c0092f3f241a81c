import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { fileTexts } from "./kept-node.ts";
import { givenKeys } from "./keys-given-node.ts";
import { memoryKeys } from "./keys-memory.contract.ts";
import { fileKeys } from "./keys-node.ts";
import { keysContract } from "./keys.contract.ts";
import { seededRandom } from "./small-host.contract.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flybridge-keys-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("keys in memory", () => {
  for (const [name, step] of Object.entries(keysContract))
    it(name, async () => {
      const keys = memoryKeys(seededRandom(1));
      await step({ open: () => Promise.resolve(keys) });
    });
});

describe("keys in a folder", () => {
  for (const [name, step] of Object.entries(keysContract))
    it(name, () => step({ open: () => fileKeys(join(folder, "keys")) }));

  it("[A24] are readable by their owner only, each thing in a file of its own", async () => {
    const place = join(folder, "keys");
    const keys = await fileKeys(place);
    await Promise.all([keys.device(), keys.proof()]);
    await keys.keepText("a session", "one");
    assert.equal((await stat(place)).mode & 0o777, 0o700);
    const names = (await readdir(place)).sort();
    assert.equal(names.length, 3);
    assert.deepEqual(names.slice(1), ["device.key", "proof.key"]);
    for (const name of names) assert.equal((await stat(join(place, name))).mode & 0o777, 0o600, name);
    assert.notEqual(
      await readFile(join(place, "device.key"), "utf8"),
      await readFile(join(place, "proof.key"), "utf8"),
    );
    await keys.keepText("a session", undefined);
    assert.deepEqual(await readdir(place), ["device.key", "proof.key"]);
  });

  it("say what is damaged, and what cannot be used", async () => {
    const keys = await fileKeys(folder);
    await writeFile(join(folder, "proof.key"), "nonsense");
    await assert.rejects(keys.proof(), { name: "StoreError", message: /proof\.key is damaged/u });
    await writeFile(join(folder, "file"), "");
    await assert.rejects(fileKeys(join(folder, "file", "keys")), { name: "StoreError", fault: "blocked" });
    await assert.rejects(fileTexts(join(folder, "file", "kept")).keepText("a", "b"), { fault: "blocked" });
  });
});

describe("keys that were given", () => {
  const given = (seed: number) =>
    givenKeys(new Uint8Array(32).fill(seed), { ...memoryKeys(seededRandom(seed)), ...fileTexts(join(folder, "kept")) });

  for (const [name, step] of Object.entries(keysContract))
    it(name, async () => {
      const keys = given(1);
      await step({ open: () => Promise.resolve(keys) });
    });

  it("have another key for relays than for hosts, always the same, and none with another's secret", async () => {
    const [proof, again, other] = await Promise.all([given(1).proof(), given(1).proof(), given(2).proof()]);
    // HKDF-SHA-256 of 32 bytes 01, no salt, "flybridge device proof": a change of it would be another device to a relay.
    assert.equal(toBase64Url(proof.publicKey), "rzcufi_dVohAoeuuLvEN5Y3lebR6u7VRd6v40SBlStI");
    assert.deepEqual(again.publicKey, proof.publicKey);
    assert.notDeepEqual(other.publicKey, proof.publicKey);
  });
});
