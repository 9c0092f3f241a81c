/** The terminal's page against a canned host, in a real browser, under the policy the app is served with. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { violations } from "../gallery/axe.contract.ts";
import { DESKTOP, inWorld, makeStage, PHONE, SMALL, type Stage } from "../gallery/stage.contract.ts";

const ESC = "\u001b";

/** Everything that makes a terminal answer: xterm 6's own replies, and what others reply to. */
const QUERIES = [
  `${ESC}[c`,
  `${ESC}[0c`,
  `${ESC}[>c`,
  `${ESC}[>0c`,
  `${ESC}[=c`,
  `${ESC}Z`,
  `${ESC}[5n`,
  `${ESC}[6n`,
  `${ESC}[?6n`,
  `${ESC}[?15n`,
  `${ESC}[?25n`,
  `${ESC}[?26n`,
  `${ESC}[?53n`,
  `${ESC}[?996n`,
  `${ESC}[4$p`,
  `${ESC}[?1$p`,
  `${ESC}[?2004$p`,
  `${ESC}[?2026$p`,
  `${ESC}[>q`,
  `${ESC}[>0q`,
  `${ESC}[x`,
  `${ESC}[1;1;1;1;1;1*y`,
  `${ESC}[?u`,
  ...[11, 13, 14, 15, 16, 18, 19, 20, 21].map((op) => `${ESC}[${op}t`),
  `${ESC}[14;2t`,
  `${ESC}[22;0t`,
  `${ESC}[23;0t`,
  `${ESC}P$qm${ESC}\\`,
  `${ESC}P$q"p${ESC}\\`,
  `${ESC}P$qr${ESC}\\`,
  `${ESC}P$q q${ESC}\\`,
  `${ESC}P+q544e${ESC}\\`,
  ...[10, 11, 12, 13, 14, 17, 19].map((code) => `${ESC}]${code};?\u0007`),
  `${ESC}]4;1;?\u0007`,
  `${ESC}]4;1;rgb:00/00/00;2;?${ESC}\\`,
  `${ESC}]5;0;?\u0007`,
  `${ESC}]10;?;?;?\u0007`,
  `${ESC}]52;c;?\u0007`,
  `${ESC}]52;p;?${ESC}\\`,
  "\u0005",
  `${ESC}[?1004h`,
];

let stage: Stage;
before(async () => {
  stage = await makeStage();
});
afterEach(async () => await stage.clear());
after(async () => await stage[Symbol.asyncDispose]());

async function opened(state: string, options: Parameters<Stage["open"]>[1] = DESKTOP) {
  const { page, faults } = await stage.open(state, options);
  page.setDefaultTimeout(30_000);
  if (state !== "terminal-connecting" && state !== "terminal-gone")
    await page.locator(".term-area[data-live=true] .xterm-rows > div").first().waitFor();
  return { page, faults };
}
const SESSION = "01900000-0000-7000-8000-000000000001";
const print = (page: Page, text: string): Promise<void> =>
  inWorld(page, (world, given) => world.terminals.print(given.session as never, given.text), {
    session: SESSION,
    text,
  });
const typed = (page: Page): Promise<string> =>
  inWorld(page, (world, session) => world.terminals.typed(session as never), SESSION);
const untilTyped = async (page: Page, text: string): Promise<void> => {
  await page
    .waitForFunction(([session, wanted]) => window.gallery?.world.terminals.typed(session as never) === wanted, [
      SESSION,
      text,
    ] as const)
    .catch(async () => assert.equal(await typed(page), text));
};
const shows = async (page: Page, text: string): Promise<void> => {
  await page.locator(".xterm-rows").filter({ hasText: text }).waitFor();
};
const calls = (page: Page, method: string): Promise<unknown[]> =>
  inWorld(
    page,
    (world, wanted) => world.terminals.calls.filter((one) => one.method === wanted).map((one) => one.params),
    method,
  );

describe("a terminal's page", () => {
  it("draws what the host sends, in its colours, without a word of the policy being broken", async () => {
    const { page, faults } = await opened("terminal-colours");
    await shows(page, "colour 15");
    await print(page, `${ESC}[38;2;10;200;30mgreen of its own${ESC}[m`);
    await shows(page, "green of its own");
    const colour = await page
      .locator(".xterm-rows span", { hasText: "green of its own" })
      .evaluate((one) => getComputedStyle(one).color);
    assert.match(colour, /^rgb\(\d+, \d+, \d+\)$/u);
    const plain = await page.evaluate(() => getComputedStyle(document.querySelector(".xterm-rows") as Element).color);
    assert.notEqual(colour, plain);
    assert.deepEqual(faults, []);
  });

  it("types what is typed, composed or tapped, and knows Ctrl, Alt and application keys", async () => {
    const { page, faults } = await opened("terminal", PHONE);
    await page.locator(".xterm-screen").tap({ position: { x: 300, y: 500 } });
    await page.keyboard.type("ls -l");
    await page.keyboard.press("Enter");
    await untilTyped(page, "ls -l\r");
    await page.keyboard.insertText("日本語é");
    await untilTyped(page, "ls -l\r日本語é");
    const key = (name: string | RegExp) => page.getByRole("toolbar", { name: "Keys" }).getByRole("button", { name });
    let all = "ls -l\r日本語é";
    const tap = async (name: string, gives: string): Promise<void> => {
      await key(name).tap();
      all += gives;
      await untilTyped(page, all);
    };
    await tap("Esc", ESC);
    await tap("Tab", "\t");
    await tap("^C: interrupt", "\u0003");
    await tap("/", "/");
    await tap("|", "|");
    await tap("-", "-");
    await tap("~", "~");
    await tap("Up: earlier in history", `${ESC}[A`);
    await tap("Down: later in history", `${ESC}[B`);
    await tap("Left", `${ESC}[D`);
    await tap("Right", `${ESC}[C`);
    await print(page, `${ESC}[?1h`);
    await page.waitForTimeout(50);
    await tap("Up: earlier in history", `${ESC}OA`);
    // Once for one key, twice until it is tapped again.
    const ctrl = key("Ctrl, with the next key");
    await ctrl.tap();
    assert.equal(await ctrl.getAttribute("aria-pressed"), "true");
    await page.keyboard.type("dx");
    all += "\u0004x";
    await untilTyped(page, all);
    await ctrl.tap();
    await ctrl.tap();
    await page.keyboard.type("ab");
    await ctrl.tap();
    await page.keyboard.type("c");
    all += "\u0001\u0002c";
    await untilTyped(page, all);
    await key("Alt, with the next key").tap();
    await page.keyboard.type("b");
    all += `${ESC}b`;
    await untilTyped(page, all);
    await ctrl.tap();
    await tap("Right", `${ESC}[1;5C`);
    const focused = await page.evaluate(() => document.activeElement?.classList.contains("xterm-helper-textarea"));
    assert.ok(focused, "the keys leave the focus, and with it the keyboard, where it was");
    assert.deepEqual(faults, []);
  });

  it("answers no query of a program, ever: the host does", async () => {
    const { page, faults } = await opened("terminal");
    for (const query of QUERIES) await print(page, query);
    await print(page, "all asked");
    await shows(page, "all asked");
    await page.locator(".xterm-screen").click();
    await page.locator("h1").click();
    await page.locator(".xterm-screen").click();
    await page.keyboard.type("x");
    await untilTyped(page, "x");
    assert.deepEqual(faults, []);
  });

  it("does no more of what a program repeats than its screen has room for, and counts wide letters as the host does", async () => {
    const { page, faults } = await opened("terminal");
    for (const final of "STLMIZb") await print(page, `x${ESC}[2147483647${final}`);
    await print(page, `${ESC}[2J${ESC}[Hstill here`);
    await shows(page, "still here");
    // Two columns each: what comes after them stands where the program put it.
    await print(page, `${ESC}[2J${ESC}[H🚀🚀${ESC}[1;5Hright behind`);
    await shows(page, "🚀🚀right behind");
    assert.deepEqual(faults, []);
  });

  it("copies for a program only after a tap, and never tells it what is in the clipboard", async () => {
    const { page, faults } = await opened("terminal");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.evaluate(() => navigator.clipboard.writeText("before"));
    const text = "thirty-four characters of somebody";
    await print(page, `${ESC}]52;c;${Buffer.from(text).toString("base64")}\u0007`);
    await page.getByText("The program wants to copy 34 characters").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "before");
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.waitForFunction((wanted) => navigator.clipboard.readText().then((now) => now === wanted), text);
    await page.getByText("The program wants to copy").waitFor({ state: "detached" });
    for (const bad of ["c;?", "c;", "c;!!!!", `c;${"A".repeat(3_000_000)}`, "c;/w==", ";;;", "x"])
      await print(page, `${ESC}]52;${bad}\u0007`);
    await print(page, "nothing more");
    await shows(page, "nothing more");
    assert.equal(await page.getByText("The program wants to copy").count(), 0);
    assert.equal(await typed(page), "");
    assert.deepEqual(faults, []);
  });

  it("pastes in brackets where the program knows them, and shows several lines first where it does not", async () => {
    const { page, faults } = await opened("terminal");
    const paste = (text: string): Promise<void> =>
      page.evaluate((given) => {
        const data = new DataTransfer();
        data.setData("text/plain", given);
        document
          .querySelector(".xterm-helper-textarea")
          ?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      }, text);
    await paste("one");
    await untilTyped(page, "one");
    await paste("rm -rf x\nls\n");
    const sheet = page.getByRole("dialog", { name: "Paste this?" });
    await sheet.getByText("2 lines").waitFor();
    await sheet.getByText("rm -rf x").waitFor();
    await untilTyped(page, "one");
    await sheet.getByRole("button", { name: "Close" }).click();
    await paste("a\r\nb");
    await sheet.getByRole("button", { name: "Paste", exact: true }).click();
    await untilTyped(page, "onea\rb");
    await print(page, `${ESC}[?2004h`);
    await page.waitForTimeout(50);
    await paste(`x\ny${ESC}[201~evil\u0003`);
    await untilTyped(page, `onea\rb${ESC}[200~x\ry[201~evil${ESC}[201~`);
    await page.getByText("2 control characters were left out").waitFor();
    assert.deepEqual(faults, []);
  });

  it("opens an address only after showing all of it, and only of the web", async () => {
    const { page, faults } = await opened("terminal", PHONE);
    await page.getByText("https://vite.d").first().waitFor();
    const at = async (text: string): Promise<void> => {
      const row = page.locator(".xterm-rows > div", { hasText: text });
      await row.waitFor();
      const [box, screen] = [await row.boundingBox(), await page.locator(".xterm-screen").boundingBox()];
      const column = ((await row.textContent()) ?? "").replaceAll("\u00a0", " ").indexOf(text) + 1.5;
      const cols = (await calls(page, "terminal.resize")).map((one) => (one as { size: { cols: number } }).size.cols);
      assert.ok(box && screen);
      await page.touchscreen.tap(screen.x + (column * screen.width) / (cols.at(-1) ?? 80), box.y + box.height / 2);
    };
    await at("https://vite.d");
    const sheet = page.getByRole("dialog", { name: "Open this address?" });
    await sheet.getByText("https://vite.dev/guide/build#chunking", { exact: true }).waitFor();
    const link = sheet.getByRole("link", { name: "Open" });
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
    assert.equal(await link.getAttribute("target"), "_blank");
    await sheet.getByRole("button", { name: "Close" }).tap();
    await at("the build, explained");
    await sheet.getByText("https://docs.example.com/harbour/build?from=terminal", { exact: true }).waitFor();
    await sheet.getByRole("button", { name: "Close" }).tap();
    await print(page, `\r\n${ESC}]8;;javascript:alert(1)${ESC}\\press here${ESC}]8;;${ESC}\\\r\n`);
    await shows(page, "press here");
    await at("press here");
    await page.waitForTimeout(300);
    assert.equal(await sheet.count(), 0);
    assert.deepEqual(faults, []);
  });

  it("is drawn at another device's size until it is taken over with a tap", async () => {
    const { page, faults } = await opened("terminal-other", PHONE);
    await page.getByText("Shown at the size of another device").waitFor();
    assert.deepEqual(await calls(page, "terminal.resize"), []);
    const fits = await page.evaluate(() => {
      const screen = document.querySelector(".xterm-screen")?.getBoundingClientRect();
      const area = document.querySelector(".term-holder")?.getBoundingClientRect();
      return screen && area && screen.width <= area.width + 1 && screen.height <= area.height + 1;
    });
    assert.ok(fits, "the whole of it is seen");
    await page.getByRole("button", { name: "Take over" }).tap();
    await page.getByText("Shown at the size of another device").waitFor({ state: "detached" });
    const asked = (await calls(page, "terminal.resize")) as { take: boolean; size: { cols: number } }[];
    assert.equal(asked.at(0)?.take, true);
    assert.ok((asked.at(0)?.size.cols ?? 0) > 30 && (asked.at(0)?.size.cols ?? 0) < 70);
    assert.deepEqual(faults, []);
  });

  it("shows its text to select and copy, with what the host keeps above it", async () => {
    const { page, faults } = await opened("terminal", PHONE);
    await inWorld(page, (world) => world.terminals.keep(450));
    const box = await page.locator(".xterm-screen").boundingBox();
    assert.ok(box);
    // A long press, as a finger does it.
    const touch = await page.context().newCDPSession(page);
    await touch.send("Input.dispatchTouchEvent", {
      type: "touchStart",
      touchPoints: [{ x: box.x + 60, y: box.y + 60 }],
    });
    const sheet = page.getByRole("dialog", { name: "Text of this terminal" });
    await sheet.waitFor();
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    const text = sheet.getByRole("region");
    assert.match(await text.innerText(), /See https:\/\/vite\.dev\/guide\/build#chunking/u, "wrapped lines are joined");
    await sheet.getByRole("button", { name: "Earlier output" }).tap();
    await sheet.getByText("kept line 449").waitFor();
    await sheet.getByRole("button", { name: "Earlier output" }).tap();
    await sheet.getByText("kept line 100").waitFor();
    await sheet.getByRole("button", { name: "Earlier output" }).tap();
    await text.filter({ hasText: /^kept line 0\n/u }).waitFor();
    assert.equal(await sheet.getByRole("button", { name: "Earlier output" }).count(), 0);
    assert.equal(await typed(page), "");
    assert.deepEqual(faults, []);
  });

  it("scrolls under a finger, and as the program's wheel where it has the screen", async () => {
    const { page, faults } = await opened("terminal", PHONE);
    await print(page, Array.from({ length: 200 }, (_, at) => `\r\nline ${at}`).join(""));
    await shows(page, "line 199");
    const touch = await page.context().newCDPSession(page);
    const drag = async (from: number, to: number): Promise<void> => {
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: 100, y: from }] });
      for (let step = 1; step <= 8; step++)
        await touch.send("Input.dispatchTouchEvent", {
          type: "touchMove",
          touchPoints: [{ x: 100, y: from + ((to - from) * step) / 8 }],
        });
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    await drag(200, 600);
    await page.getByRole("button", { name: "To the newest" }).tap();
    await shows(page, "line 199");
    await print(page, `${ESC}[?1049h${ESC}[?1hpager`);
    await shows(page, "pager");
    await drag(600, 300);
    await page.waitForFunction((session) => {
      const all = window.gallery?.world.terminals.typed(session as never) ?? "";
      return all !== "" && all.replaceAll("\u001bOB", "") === "";
    }, SESSION);
    assert.deepEqual(faults, []);
  });

  it("echoes at once on a slow link, underlined until it is confirmed", async () => {
    const { page, faults } = await opened("terminal-slow");
    await page.evaluate(() => {
      const guessed: string[] = [];
      Reflect.set(globalThis, "guessed", guessed);
      new MutationObserver(() => {
        const shown = [...document.querySelectorAll(".term-guess")];
        if (shown.every((one) => getComputedStyle(one).textDecorationLine === "underline"))
          guessed.push(shown.map((one) => one.textContent).join(""));
      }).observe(document.querySelector(".term-guesses") as Element, { childList: true });
    });
    // The first of a line waits, and so does what was typed as the screen was being fitted.
    for (const [key, line] of [
      ["a", "$ a"],
      ["b", "$ ab"],
    ] as const) {
      await page.keyboard.type(key);
      await shows(page, line);
    }
    await page.keyboard.type("cd");
    await page.locator(".xterm-rows").filter({ hasText: "$ abcd" }).waitFor();
    await page.locator(".term-guess").first().waitFor({ state: "detached" });
    assert.ok((await page.evaluate(() => Reflect.get(globalThis, "guessed") as string[])).includes("cd"));
    assert.deepEqual(faults, []);
  });

  it("says when it is not live, goes on where it was, and types once what was typed meanwhile", async () => {
    const { page, faults } = await opened("terminal");
    await inWorld(page, (world) => world.terminals.cut());
    await page.getByText(/As of .*; catching up/u).waitFor();
    await page.keyboard.type("pwd");
    await inWorld(page, (world) => world.terminals.back());
    await untilTyped(page, "pwd");
    await page.getByText("catching up").waitFor({ state: "detached" });
    assert.deepEqual(faults, []);
  });

  it("says how the program ended, and starts it again", async () => {
    const { page, faults } = await opened("terminal-ended", PHONE);
    await page.getByText("The program ended with exit 1.").waitFor();
    assert.equal(await page.getByRole("toolbar", { name: "Keys" }).count(), 0);
    await page.getByRole("button", { name: "Start again" }).tap();
    const asked = await inWorld(page, (world) => world.intents.map((one) => one.method));
    assert.deepEqual(asked, ["session.resume"]);
    assert.deepEqual(faults, []);
  });

  it("keeps an ask above the keys, to be answered there", async () => {
    const { page, faults } = await opened("terminal-ask", PHONE);
    const card = page.getByRole("region", { name: "What needs you" });
    const [asked] = (await calls(page, "terminal.resize")) as { size: { rows: number } }[];
    const { page: without } = await opened("terminal", PHONE);
    await without.waitForFunction(() =>
      window.gallery?.world.terminals.calls.some((one) => one.method === "terminal.resize"),
    );
    assert.deepEqual(asked, (await calls(without, "terminal.resize"))[0], "the screen is as large as without it");
    const line = await page
      .locator(".xterm-rows > div")
      .filter({ hasText: /shop\$\s*$/u })
      .last()
      .boundingBox();
    assert.ok(line && line.y + line.height <= ((await card.boundingBox())?.y ?? 0), "and its cursor's line is seen");
    await card.getByText("Per line", { exact: true }).tap();
    await card.getByRole("button", { name: "Next" }).tap();
    await page.getByRole("toolbar", { name: "Keys" }).waitFor();
    assert.deepEqual(faults, []);
  });

  it("has a way out for the keyboard, and a reading for those who do not see it", async () => {
    const { page, faults } = await opened("terminal");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Control+k");
    await untilTyped(page, `${ESC}\t\u000b`);
    await page.keyboard.press("Control+Shift+.");
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "Text to select and copy");
    await page.getByRole("button", { name: "More of this terminal" }).click();
    await page.getByRole("menuitem", { name: "Letters, keys, reading aloud" }).click();
    await page.getByLabel("For a screen reader").check();
    await page.getByRole("button", { name: "Larger" }).click();
    await page.getByText("14 px").waitFor();
    await page.getByRole("button", { name: "Close" }).click();
    await page.locator(".xterm-accessibility-tree").getByText("git status -sb").waitFor();
    assert.deepEqual(faults, []);
  });

  it("fits 320 px, with text twice as large; its targets are as large as a fingertip", async () => {
    for (const state of ["terminal", "terminal-other", "terminal-ended", "terminal-ask"]) {
      const { page, faults } = await opened(state, SMALL);
      for (const size of ["100%", "200%"]) {
        await page.evaluate((given) => {
          document.documentElement.style.fontSize = given;
        }, size);
        const found = await page.evaluate(() => {
          const wide = [
            document.documentElement,
            ...document.querySelectorAll(".main, .terminal-page, .term-dock, .term-key"),
          ]
            .filter((one) => one.scrollWidth > one.clientWidth + 1)
            .map((one) => `${one.className} ${one.textContent} ${one.scrollWidth} > ${one.clientWidth}`);
          const small = [
            ...document.querySelectorAll<HTMLElement>(".terminal-page button, .session-head button, .session-head a"),
          ]
            .filter((one) => one.checkVisibility())
            .map((one) => ({ one, box: one.getBoundingClientRect() }))
            .filter(({ box }) => box.width > 1 && (box.width < 43.5 || box.height < 43.5))
            .map(({ one, box }) => `${one.outerHTML.slice(0, 100)} ${Math.round(box.width)}x${Math.round(box.height)}`);
          return [...wide, ...small];
        });
        assert.deepEqual(found, [], `${state} ${size}`);
      }
      assert.deepEqual(faults, []);
      await stage.clear();
    }
  });

  it("is accessible in each state, in light and dark, on phone and desktop", async () => {
    for (const [state, options, colorScheme] of [
      ["terminal", PHONE, "light"],
      ["terminal", DESKTOP, "dark"],
      ["terminal-other", PHONE, "dark"],
      ["terminal-ended", DESKTOP, "light"],
      ["terminal-gone", PHONE, "light"],
      ["terminal-ask", PHONE, "dark"],
    ] as const) {
      const { page, faults } = await opened(state, { ...options, colorScheme });
      await page.locator(".term-cover, .xterm-rows span").first().waitFor();
      assert.deepEqual(await violations(page), [], `${state} ${colorScheme}`);
      assert.deepEqual(faults, []);
      await stage.clear();
    }
  });
});
