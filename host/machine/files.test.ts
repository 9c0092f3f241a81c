import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { privateFile, privateFolder, readPrivate, writePrivate } from "./files.ts";

const root = mkdtempSync(join(tmpdir(), "flybridge-files-"));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(root, `p${count++}`);
const modeOf = (path: string) => statSync(path).mode & 0o777;
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Whatever the umask, because a host may be started under any. */
function underUmask(umask: number, work: () => void): void {
  const before = process.umask(umask);
  try {
    work();
  } finally {
    process.umask(before);
  }
}

describe("what the host keeps", () => {
  it("lies in folders of mode 0700, those above it included, under any umask", () => {
    for (const umask of [0, 0o022, 0o077])
      underUmask(umask, () => {
        const top = fresh();
        privateFolder(join(top, "a", "b"));
        for (const path of [top, join(top, "a"), join(top, "a", "b")]) assert.equal(modeOf(path), 0o700, path);
      });
  });

  it("lies in files of mode 0600, under any umask", () => {
    for (const umask of [0, 0o022, 0o077])
      underUmask(umask, () => {
        const [written, made] = [fresh(), fresh()];
        writePrivate(written, "secret");
        privateFile(made);
        assert.deepEqual([modeOf(written), modeOf(made)], [0o600, 0o600]);
      });
  });

  it("is narrowed to its owner where it is open to others", () => {
    const folder = fresh();
    mkdirSync(folder);
    chmodSync(folder, 0o755);
    privateFolder(folder);
    assert.equal(modeOf(folder), 0o700);
    for (const open of [(path: string) => void readPrivate(path), privateFile]) {
      const file = fresh();
      writeFileSync(file, "secret");
      chmodSync(file, 0o644);
      open(file);
      assert.equal(modeOf(file), 0o600);
      assert.equal(readFileSync(file, "utf8"), "secret");
    }
  });

  it("is no link to somewhere else", () => {
    const [folder, file, toFolder, toFile, toNothing] = [fresh(), fresh(), fresh(), fresh(), fresh()];
    mkdirSync(folder);
    writeFileSync(file, "theirs");
    symlinkSync(folder, toFolder);
    symlinkSync(file, toFile);
    symlinkSync(join(root, "nothing"), toNothing);
    assert.throws(() => privateFolder(toFolder), /is not a folder\. Move it away/u);
    assert.throws(() => privateFolder(toNothing), /is not a folder/u);
    for (const link of [toFile, toNothing]) {
      assert.throws(() => readPrivate(link), /is not a file/u);
      assert.throws(() => privateFile(link), /is not a file/u);
    }
    writePrivate(toFile, "ours");
    assert.equal(readFileSync(file, "utf8"), "theirs", "writing replaces the link, not what it leads to");
    assert.equal(readPrivate(toFile), "ours");
  });

  it("is a folder where a folder should be, and a file where a file should be", () => {
    const [file, folder] = [fresh(), fresh()];
    writeFileSync(file, "");
    mkdirSync(folder);
    assert.throws(() => privateFolder(file), /is not a folder\. Move it away, or point FLYBRIDGE_HOME elsewhere/u);
    assert.throws(() => readPrivate(folder), /is not a file/u);
    assert.throws(() => privateFolder(join(file, "below")));
  });

  it("is never somebody else's", { skip: isRoot ? false : "only root can give a file away" }, () => {
    const [file, folder] = [fresh(), fresh()];
    writeFileSync(file, "");
    mkdirSync(folder);
    chownSync(file, NOBODY, NOBODY);
    chownSync(folder, NOBODY, NOBODY);
    assert.throws(() => privateFolder(folder), /belongs to somebody else/u);
    assert.throws(() => readPrivate(file), /belongs to somebody else/u);
    assert.throws(() => privateFile(file), /belongs to somebody else/u);
    assert.equal(statSync(folder).uid, NOBODY);
  });

  it("is replaced whole, or stays as it was, and leaves nothing beside it", (t) => {
    const folder = fresh();
    privateFolder(folder);
    const path = join(folder, "file");
    writePrivate(path, "one");
    writePrivate(path, "two");
    assert.equal(readPrivate(path), "two");
    assert.deepEqual(readdirSync(folder), ["file"]);
    if (
      !isRoot ||
      process.platform !== "linux" ||
      spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status !== 0
    )
      return;
    t.after(() => assert.equal(spawnSync("umount", ["-l", folder]).status, 0));
    writePrivate(path, "small");
    assert.throws(() => writePrivate(path, "x".repeat(1024 * 1024)), { code: "ENOSPC" });
    assert.equal(readPrivate(path), "small");
    assert.deepEqual(readdirSync(folder), ["file"]);
  });

  it("that is not there is nothing", () => {
    assert.equal(readPrivate(fresh()), undefined);
    assert.equal(readPrivate(join(fresh(), "below")), undefined);
  });
});
