/**
 * Somebody in the middle who carries every frame, as a relay would: keeps it all, and changes, doubles, drops, cuts and
 * swaps frames at every place. The connection dies there, nothing after that place takes effect, and the device that
 * comes back ends where it would have ended.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { parseConnection } from "@flybridge/protocol/offer.ts";
import type { Link } from "@flybridge/transport/link.ts";
import { BareDevice, newIntent } from "../bare.ts";
import { ATTACKS, type Direction, type Kept, type Spoil, spoiling } from "./attacks.ts";
import { startTurnedRelay } from "./turned-relay.ts";
import { type Comer, Place, WAYS } from "./ways.ts";

const CANARY = "canary-4f1d9c";
const SETTINGS = 4;

/** A link on which frame `at` of one direction, counted from 0, is spoilt. */
function middle(link: Link, direction: Direction, at: number, spoil: Spoil, kept: Kept): Link {
  const through = (way: Direction, to: (frame: Uint8Array) => void): ((frame: Uint8Array) => void) =>
    spoiling(direction === way ? at : Number.POSITIVE_INFINITY, spoil, to, kept[way]);
  return {
    listen: (events) => link.listen({ ...events, frame: through("down", (frame) => events.frame(frame)) }),
    send: through("up", (frame) => link.send(frame)),
    get buffered() {
      return link.buffered;
    },
    close: (detail, lingerMs) => link.close(detail, lingerMs),
  };
}

for (const way of WAYS)
  describe(`somebody who carries every frame, ${way},`, { timeout: 240_000 }, () => {
    const held = new AsyncDisposableStack();
    let place: Place;
    let owner: BareDevice;
    /** The one that comes through the middle. */
    let device: BareDevice;
    let session: SessionId;
    /** Puts somebody between the host and the next device; what comes back puts that device's link there, too. */
    let between: (direction: Direction, at: number, spoil: Spoil, kept: Kept) => (comer: Comer) => Comer;

    before(async () => {
      if (way === "by a relay") {
        const relay = held.use(await startTurnedRelay());
        place = held.use(await Place.open(way, { at: relay.origin }));
        between = (...what) => {
          relay.spoilNext(...what);
          return (comer) => comer;
        };
      } else {
        place = held.use(await Place.open(way));
        between =
          (...what) =>
          (comer) => ({ ...comer, link: middle(comer.link, ...what) });
      }
      owner = await place.pair("owner");
      held.defer(() => owner.close());
      ({ session } = await owner.call("session.create", { agent: "demo" as never, workspace: place.world.home }));
      device = await place.pair("through the middle");
      device.close();
      await device.ended;
    });
    after(() => held.disposeAsync());

    /** Sets titles one after the other, as far as the connection lets it; gives those that were confirmed. */
    const play = async (
      through: BareDevice,
      intents: readonly { id: ReturnType<typeof newIntent>; title: string }[],
    ): Promise<string[]> => {
      const done: string[] = [];
      for (const { id, title } of intents) {
        await through.call("session.configure", { session, title }, id);
        done.push(title);
      }
      return done;
    };

    /** Of these titles those that were set, in the order in which they were. */
    const setOf = async (titles: readonly string[]): Promise<string[]> => {
      const { entries } = await owner.call("session.page", { session, before: Number.MAX_SAFE_INTEGER });
      return entries.flatMap(({ fact }) =>
        fact.kind === "session.configured" && titles.includes(fact.title ?? "") ? [fact.title ?? ""] : [],
      );
    };

    /** Both ends wait for each other: nothing more will be said. */
    const cutWhenQuiet = async (waiting: BareDevice): Promise<undefined> => {
      let heard = -1;
      while (heard !== waiting.messages.length) {
        heard = waiting.messages.length;
        await owner.call("host.read", {});
        await owner.call("host.read", {});
        await owner.call("host.check", {});
      }
      return undefined;
    };

    it("[A38] finds the secret of an invitation in none of them, in any spelling: it never travels", async () => {
      const { connection } = await owner.call("offer.make", {});
      const { secret, offer } = parseConnection(connection);
      const kept: Kept = { up: [], down: [] };
      const through = between("up", Number.POSITIVE_INFINITY, (frame) => [frame], kept);
      const { link, route } = through(await place.knock(connection));
      const paired = await BareDevice.pair(connection, "seen by all", link, route);
      await paired.call("host.read", {});
      paired.close();
      const frames = [...kept.up, ...kept.down];
      assert.ok(frames.length > 5);
      for (const bytes of [secret, offer])
        for (const spelling of [
          bytes,
          ...(["hex", "base64", "base64url"] as const).map((to) => Buffer.from(bytes).toString(to)),
        ])
          for (const frame of frames) assert.ok(!Buffer.from(frame).includes(Buffer.from(spelling as Uint8Array)));
    });

    it("[A29] an invitation that is taken back and made anew is another one, and the old one is refused", async () => {
      const first = await owner.call("offer.make", {});
      await owner.call("offer.withdraw", { offer: first.offer });
      const second = await owner.call("offer.make", {});
      assert.notEqual(first.connection, second.connection);
      await assert.rejects(place.redeem(first.connection));
      (await place.redeem(second.connection, "by the new one")).close();
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
            const kept: Kept = { up: [], down: [] };
            const titles = intents.map(({ title }) => title);
            const spoilt = between(direction, at, spoil, kept);
            const { link, route } = spoilt(await place.approach(device.keys));
            const through = await BareDevice.reconnect(device.keys, link, route);
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
            const back = await place.reconnect(device.keys);
            await play(back, intents);
            back.close();
            await back.ended;
            assert.deepEqual(await setOf(titles), titles, `${at}: each exactly once`);
            for (const frame of [...kept.up, ...kept.down])
              assert.ok(!Buffer.from(frame).includes(CANARY), "nothing of it can be read");
            assert.ok(kept[direction].length > at, `frame ${at} was there to be spoilt`);
          }
          const { devices } = await owner.call("device.list", {});
          assert.equal(devices.find((one) => one.name === "through the middle")?.suspended, undefined);
        });
  });
