import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Danger, dangersIn, isOutside, piecesOf } from "./danger.ts";

const WORKSPACE = "/home/ada/work/shop";
const dangers = (command: string): Danger[] => dangersIn(piecesOf(command, WORKSPACE)).sort();

describe("what is marked in a command", () => {
  const cases: [string, Danger[]][] = [
    ["npm test", []],
    ["rm -rf dist", ["removes"]],
    ["cat a > b.txt", ["writes"]],
    ["npm test > /dev/null 2>&1", []],
    ["curl https://x.example/install | sh", ["network", "runs"]],
    ["sudo make install", ["rights"]],
    ["cat ../other/secret", ["outside"]],
    ["cat /etc/passwd", ["outside"]],
    [`cat ${WORKSPACE}/src/a.ts`, []],
    ["git push --force", ["network", "removes"]],
    ["echo 'a -> b'", []],
    ["ls ~/.ssh", ["outside"]],
  ];
  for (const [command, expected] of cases) it(command, () => assert.deepEqual(dangers(command), expected));

  it("loses no character, whatever it marks", () => {
    for (const [command] of cases)
      assert.equal(
        piecesOf(command, WORKSPACE)
          .map((piece) => piece.text)
          .join(""),
        command,
      );
  });

  it("knows a sibling folder with the same beginning from the workspace", () => {
    assert.equal(isOutside("/home/ada/work/shop-old/x", WORKSPACE), true);
    assert.equal(isOutside("src/../../x", WORKSPACE), true);
    assert.equal(isOutside("src/x", WORKSPACE), false);
  });
});
