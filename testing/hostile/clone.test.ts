/** A copy of a device: whoever of the two comes second is refused, both are from then on, and the owner is told. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RelayRefused } from "@flybridge/transport/relay.ts";
import { HandshakeError } from "@flybridge/transport/secure.ts";
import { BareDevice, type Keys } from "../bare.ts";
import { Place, WAYS } from "./ways.ts";

const copyOf = (keys: Keys): Keys => ({ ...keys, continuity: keys.continuity.slice() });

/** By the host, or before it by the relay. */
const refused = (error: unknown): boolean =>
  error instanceof RelayRefused || (error instanceof HandshakeError && error.fault === "refused");

for (const way of WAYS)
  describe(`a copy of a device, ${way}`, { timeout: 60_000 }, () => {
    let place: Place;
    let owner: BareDevice;

    before(async () => {
      place = await Place.open(way);
      owner = await place.pair("owner");
      await owner.call("feed.follow", { from: 0 });
    });
    after(async () => {
      owner?.close();
      await place?.[Symbol.asyncDispose]();
    });

    /** Comes back and leaves, once the host has said that it took the next secret. */
    const visit = async (keys: Keys): Promise<void> => {
      const device = await place.reconnect(keys);
      await device.until(() => device.messages.find(({ t }) => t === "welcome"));
      device.close();
      await device.ended;
    };
    const shown = async (name: string) =>
      (await owner.call("device.list", {})).devices.find((one) => one.name === name);

    it("that comes after the original moved on is refused, and the device is suspended, cut and told of", async () => {
      const device = await place.pair("copied");
      device.close();
      await device.ended;
      const thief = copyOf(device.keys);
      await visit(device.keys);
      await visit(device.keys);
      const live = await place.reconnect(device.keys);
      await live.until(() => live.messages.find(({ t }) => t === "welcome"));
      // The host does not say in the handshake that this one is too old: the thief learns nothing by asking.
      const copy = await place.reconnect(thief);
      await copy.ended;
      assert.ok(!copy.messages.some(({ t }) => t === "welcome"));
      assert.deepEqual(await live.ended, { kind: "bye", by: "them", reason: "suspended" });
      await owner.until(() =>
        owner.messages.some(
          (message) =>
            message.t === "feed" &&
            message.facts.some(
              ({ fact }) =>
                fact.kind === "device" && fact.device.name === "copied" && fact.device.suspended !== undefined,
            ),
        )
          ? true
          : undefined,
      );
      for (const keys of [thief, device.keys]) {
        const again = await place.reconnect(copyOf(keys)).catch((error: unknown) => {
          assert.ok(refused(error));
          return undefined;
        });
        if (again) {
          await again.ended;
          assert.ok(!again.messages.some(({ t }) => t === "welcome"));
        }
      }
      const { rows } = await owner.call("audit.list", {});
      assert.ok(rows.some(({ event, detail }) => event === "device.suspended" && detail.includes("copied")));
      const { device: id = "" } = (await shown("copied")) ?? {};
      await owner.call("device.revoke", { device: id as never });
      assert.equal(await shown("copied"), undefined);
    });

    it("that comes first is found out when the original comes", async () => {
      const device = await place.pair("robbed");
      device.close();
      await device.ended;
      const thief = copyOf(device.keys);
      await visit(thief);
      await visit(thief);
      const original = await place.reconnect(device.keys);
      await original.ended;
      assert.ok(!original.messages.some(({ t }) => t === "welcome"));
      assert.ok((await shown("robbed"))?.suspended !== undefined);
      await assert.doesNotReject(place.pair("robbed, paired anew").then((one) => one.close()));
    });

    it("is not suspected where a word of the host was lost: a hundred cuts at each point accuse nobody", async () => {
      const device = await place.pair("unlucky");
      device.close();
      await device.ended;
      const { keys } = device;
      for (let time = 0; time < 100; time++) {
        const before = keys.continuity.slice();
        const { link, route } = await place.approach(keys);
        const back = await BareDevice.reconnect(keys, link, route);
        // Cut before the welcome, so that the device does not know whether the host took the next secret.
        back.close();
        await back.ended;
        if (time % 2 === 0) keys.continuity = before;
      }
      await visit(keys);
      assert.equal((await shown("unlucky"))?.suspended, undefined);
    });
  });
