/**
 * Somebody in the middle who carries every frame, as a relay would: keeps it all, and changes, doubles, drops, cuts and
 * swaps frames at every place. The connection dies there, nothing after that place takes effect, and the device that
 * comes back ends where it would have ended.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import { LINK_PATH } from "@flybridge/protocol/relay.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { BareDevice, linkTo, newIntent } from "../bare.ts";
import { startWorld, type World } from "../world.ts";
import { ATTACKS, type Spoil, spoiling } from "./attacks.ts";

const CANARY = "canary-4f1d9c";
const SETTINGS = 4;

let world: World;
let owner: BareDevice;
/** The one that comes through the middle. */
let device: BareDevice;
let session: SessionId;

before(async () => {
  world = await startWorld();
  owner = await world.pair("owner");
  ({ session } = await owner.call("session.create", { agent: "demo" as never, workspace: world.home }));
  device = await world.pair("through the middle");
  device.close();
  await device.ended;
});

after(async () => {
  owner.close();
  await world[Symbol.asyncDispose]();
});

/** A link on which frame `at`, counted from 0, of one direction is spoilt. */
function middle(link: Link, direction: "up" | "down", at: number, spoil: Spoil, kept: Uint8Array[]): Link {
  const through = (to: (frame: Uint8Array) => void): ((frame: Uint8Array) => void) => {
    const spoilt = spoiling(at, spoil, to);
    return (frame) => {
      kept.push(frame.slice());
      spoilt(frame);
    };
  };
  const up = direction === "up" ? through((frame) => link.send(frame)) : (frame: Uint8Array) => link.send(frame);
  return {
    listen: (events) =>
      link.listen({
        ...events,
        frame: direction === "down" ? through((frame) => events.frame(frame)) : (frame) => events.frame(frame),
      }),
    send: up,
    get buffered() {
      return link.buffered;
    },
    close: (detail, lingerMs) => link.close(detail, lingerMs),
  };
}

/** Sets titles one after the other, as far as the connection lets it; gives those that were confirmed. */
async function play(through: BareDevice, intents: readonly { id: ReturnType<typeof newIntent>; title: string }[]) {
  const done: string[] = [];
  for (const { id, title } of intents) {
    await through.call("session.configure", { session, title }, id);
    done.push(title);
  }
  return done;
}

/** Of these titles those that were set, in the order in which they were. */
const setOf = async (titles: readonly string[]): Promise<string[]> => {
  const { entries } = await owner.call("session.page", { session, before: Number.MAX_SAFE_INTEGER });
  return entries.flatMap(({ fact }) =>
    fact.kind === "session.configured" && titles.includes(fact.title ?? "") ? [fact.title ?? ""] : [],
  );
};

describe("somebody who carries every frame", { timeout: 240_000 }, () => {
  it("[A38] finds the secret of an invitation in none of them, in any spelling: it never travels", async () => {
    const { connection } = await owner.call("offer.make", {});
    const { secret, offer } = parseConnection(connection);
    const kept: Uint8Array[] = [];
    const url = `ws://127.0.0.1:${world.port}${LINK_PATH}`;
    const link = middle(linkTo(url), "up", Number.POSITIVE_INFINITY, (frame) => [frame], kept);
    const paired = await BareDevice.pair(
      connection,
      "seen by all",
      middle(link, "down", Number.POSITIVE_INFINITY, (frame) => [frame], kept),
    );
    await paired.call("host.read", {});
    paired.close();
    assert.ok(kept.length > 5);
    for (const bytes of [secret, offer])
      for (const spelling of [
        bytes,
        ...(["hex", "base64", "base64url"] as const).map((to) => Buffer.from(bytes).toString(to)),
      ])
        for (const frame of kept) assert.ok(!Buffer.from(frame).includes(Buffer.from(spelling as Uint8Array)));
  });

  it("[A29] an invitation that is taken back and made anew is another one, and the old one is refused", async () => {
    const first = await owner.call("offer.make", {});
    await owner.call("offer.withdraw", { offer: first.offer });
    const second = await owner.call("offer.make", {});
    assert.notEqual(first.connection, second.connection);
    await assert.rejects(BareDevice.pair(first.connection));
    (await BareDevice.pair(second.connection, "by the new one")).close();
  });

  for (const direction of ["up", "down"] as const)
    for (const [name, spoil] of Object.entries(ATTACKS))
      it(`gets nothing done by ${name}, wherever it is on the way ${direction}, and the device converges`, async () => {
        // Hello and message 1 are tried where the handshake is; from there to beyond the last answer.
        for (let at = 2; at < 3 + SETTINGS; at++) {
          const intents = Array.from({ length: SETTINGS }, (_, one) => ({
            id: newIntent(),
            title: `${direction} ${name} ${at}.${one} ${CANARY}`,
          }));
          const kept: Uint8Array[] = [];
          const titles = intents.map(({ title }) => title);
          const link = middle(linkTo(device.keys.url), direction, at, spoil, kept);
          const through = await BareDevice.reconnect(device.keys, link);
          const ended = await Promise.race([
            play(through, intents).catch(() => undefined),
            through.ended.then(() => undefined),
            // A frame left out is noticed with the one after it.
            cutWhenQuiet(through),
          ]);
          through.close();
          await through.ended;
          const then = await setOf(titles);
          assert.deepEqual(then, titles.slice(0, then.length), `${at}: in order, each once`);
          if (ended) assert.equal(then.length, SETTINGS);
          // What was not answered is sent again under the same id.
          const back = await BareDevice.reconnect(device.keys);
          await play(back, intents);
          back.close();
          await back.ended;
          assert.deepEqual(await setOf(titles), titles, `${at}: each exactly once`);
          for (const frame of kept) assert.ok(!Buffer.from(frame).includes(CANARY), "nothing of it can be read");
          assert.ok(kept.length > at, `frame ${at} was there to be spoilt`);
        }
        const { devices } = await owner.call("device.list", {});
        assert.equal(devices.find((one) => one.name === "through the middle")?.suspended, undefined);
      });
});

/** Both ends wait for each other: nothing more will be said. */
async function cutWhenQuiet(device: BareDevice): Promise<undefined> {
  let heard = -1;
  while (heard !== device.messages.length) {
    heard = device.messages.length;
    await owner.call("host.read", {});
    await owner.call("host.read", {});
    await owner.call("host.check", {});
  }
  return undefined;
}
