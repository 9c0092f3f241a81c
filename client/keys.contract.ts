/**
 * What all keys of a device must do, as steps that throw when they do not: no test runner in it, so that a browser's page
 * can run it as well. Each step begins with nothing kept.
 */
import { sign, verify } from "@flybridge/crypto/identity.ts";
import { nobleKey } from "@flybridge/crypto/noble.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { type Keys, MAX_KEPT_NAME_CHARS } from "./keys.ts";

export interface KeysBench {
  /** The same keys as another process, or a later one, would open them; the first call opens them for the first time. */
  readonly open: () => Promise<Keys>;
}

const HOST = "h".repeat(56) as HostId;
const WORDS = new TextEncoder().encode("words");

export const keysContract: Record<string, (bench: KeysBench) => Promise<void>> = {
  async "have one key for hosts, whoever asks first, and the same ever after"({ open }) {
    const [one, other] = await Promise.all([open(), open()]);
    const keys = await Promise.all([one.device(), one.device(), other.device(), other.device()]);
    keys.push(await one.device(), await (await open()).device());
    same(new Set(keys.map(({ publicKey }) => toBase64Url(publicKey))).size, 1);
    const theirs = nobleKey(new Uint8Array(32).fill(1));
    for (const key of keys)
      same(toBase64Url(await key.agree(theirs.publicKey)), toBase64Url(await theirs.agree(key.publicKey)));
  },
  async "have one key for relays, whoever asks first, and the same ever after"({ open }) {
    const [one, other] = await Promise.all([open(), open()]);
    const keys = await Promise.all([one.proof(), one.proof(), other.proof(), other.proof()]);
    keys.push(await one.proof(), await (await open()).proof());
    same(new Set(keys.map(({ publicKey }) => toBase64Url(publicKey))).size, 1);
    for (const key of keys) {
      const signature = await sign(key, "contract", WORDS);
      same(verify(key.publicKey, signature, "contract", WORDS), true);
      same(verify(key.publicKey, signature, "something else", WORDS), false);
      // RFC 8032: no chance in it, so two signatures of one thing are one.
      same(toBase64Url(await sign(keys[0]!, "contract", WORDS)), toBase64Url(signature));
    }
    same(keys[0]!.publicKey.join() === (await one.device()).publicKey.join(), false);
  },
  async "keep what is shared with a host, and forget it"({ open }) {
    const [keys, other] = [await open(), "i".repeat(56) as HostId];
    same((await keys.secrets(HOST)).length, 0);
    await keys.keep(HOST, [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]);
    await keys.keep(other, [new Uint8Array(32).fill(4)]);
    await keys.keep(HOST, [new Uint8Array(32).fill(3), new Uint8Array(32).fill(1)]);
    const later = await open();
    same((await later.secrets(HOST)).map(([first]) => first).join(), "3,1");
    await later.forget(HOST);
    same((await later.secrets(HOST)).length, 0);
    same((await later.secrets(other)).length, 1);
  },
  async "keep texts under any name, and let go of them"({ open }) {
    const keys = await open();
    const names = ["a", "A", "../a", "a/b:c?%2f", `\u{1f600}${"ä".repeat(MAX_KEPT_NAME_CHARS - 2)}`];
    for (const name of names) same(await keys.kept(name), undefined);
    for (const name of names) await keys.keepText(name, `text of ${name}`);
    const later = await open();
    for (const name of names) same(await later.kept(name), `text of ${name}`);
    await later.keepText("a", "");
    same(await later.kept("a"), "");
    await later.keepText("a", undefined);
    await later.keepText("a", undefined);
    same(await later.kept("a"), undefined);
    same(await (await open()).kept("A"), "text of A");
    same(await later.kept(HOST), undefined);
  },
  async "end with the last of several texts at once"({ open }) {
    const keys = await open();
    await Promise.all(Array.from({ length: 20 }, (_, at) => keys.keepText("k", "x".repeat(20 - at) + at)));
    same(await keys.kept("k"), "x19");
    const [, , between] = await Promise.all([
      keys.keepText("k", "long".repeat(5_000)),
      keys.keepText("k", undefined),
      keys.kept("k"),
    ]);
    same([between, await (await open()).kept("k")].join("|"), "|");
  },
  async "let one after the other do what needs to be alone"({ open }) {
    const rings = await Promise.all([open(), open()]);
    const running = new Set<string>();
    const work = async (): Promise<void> => {
      same(running.has("here"), false);
      running.add("here");
      await rings[0].keepText("alone", "x");
      running.delete("here");
    };
    await Promise.all(
      rings.flatMap((ring) =>
        [1, 2, 3].map(() => ring.alone("relay https://a.example", work, new AbortController().signal)),
      ),
    );
  },
};

function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`expected ${String(expected)}, got ${String(actual).slice(0, 500)}`);
}
