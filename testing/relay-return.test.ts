/** Five hundred devices that lost one relay: they come back when it does, soon, and not all at once. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { hostIdOf } from "@flybridge/crypto/identity.ts";
import { signTicket } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { Circuits } from "@flybridge/transport/circuits.ts";
import { systemClock } from "@flybridge/transport/clock.ts";
import { dial } from "@flybridge/transport/dial.ts";
import { openAt, RelayRefused } from "@flybridge/transport/relay.ts";
import { setTimeout } from "node:timers/promises";
import { startRelay } from "./relay.ts";
import { joinAt, linkToRelay, newProof } from "./relayed.ts";

const DEVICES = 500;
/** Milliseconds that the relay is away, and in which nineteen of twenty are back. */
const AWAY_MS = 5_000;
const BACK_MS = 3_000;
/** Milliseconds of which no one may have a large part of all. */
const SLICE_MS = 100;
const chance = (): number => (randomBytes(1)[0] ?? 0) / 256;

describe("five hundred devices", { timeout: 120_000 }, () => {
  it("are back within three seconds of a relay that was killed, spread over the time", async () => {
    await using relay = await startRelay();
    const { origin } = relay;
    const hi = newProof();
    const hs = new Uint8Array(randomBytes(32));
    const rendezvous = toBase64Url(new Uint8Array(randomBytes(12)));
    const host = hostIdOf(hs, hi.publicKey) as HostId;

    // A host that lets everybody in and says nothing: what is looked at is the way there.
    const hosting = dial({
      clock: systemClock,
      chance,
      async attempt(up, signal) {
        try {
          const { link } = await openAt(linkToRelay(origin), {
            origin,
            key: hi,
            opening: { t: "host", hs: toBase64Url(hs), rendezvous },
            signal,
          });
          up();
          await new Promise<void>((resolve) => {
            const circuits = new Circuits(link, {
              opened: (_caller, circuit) => circuit.listen({ frame() {}, drained() {}, ended() {} }),
              control() {},
              ended: () => resolve(),
            });
            signal.addEventListener("abort", () => circuits.close("over"));
          });
        } catch {
          // It is away.
        }
        return signal.aborted ? "stop" : "again";
      },
    });

    let joined = 0;
    const backAt: number[] = [];
    const devices = Array.from({ length: DEVICES }, () => {
      const proof = newProof();
      return dial({
        clock: systemClock,
        chance,
        async attempt(up, signal) {
          const body = {
            relay: origin,
            host,
            rendezvous,
            device: toBase64Url(proof.publicKey),
            until: Date.now() + 60_000,
            id: toBase64Url(new Uint8Array(randomBytes(12))),
          };
          try {
            const ticket = await signTicket(hi, body);
            const { link } = await joinAt({ origin, rendezvous }, { kind: "ticket", ticket }, proof);
            up();
            joined += 1;
            backAt.push(performance.now());
            await new Promise<void>((resolve) => {
              link.listen({ frame() {}, drained() {}, ended: () => resolve() });
              signal.addEventListener("abort", () => link.close("over"));
            });
            joined -= 1;
          } catch (error) {
            if (error instanceof RelayRefused && error.code === "host_away") return signal.aborted ? "stop" : "soon";
          }
          return signal.aborted ? "stop" : "again";
        },
      });
    });
    const all = async (): Promise<void> => {
      while (joined < DEVICES) await setTimeout(20);
    };
    try {
      await all();
      // Long enough for a connection to count as good, so that the next wait is a short one.
      await setTimeout(5_500);
      await relay.kill();
      while (joined > 0) await setTimeout(20);
      await setTimeout(AWAY_MS);
      backAt.length = 0;
      await relay.restart();
      const since = performance.now();
      await all();
      const took = backAt.map((at) => at - since).toSorted((one, other) => one - other);
      const [p50 = 0, p95 = 0] = [took[DEVICES / 2], took[Math.floor(DEVICES * 0.95)]];
      const slices = new Map<number, number>();
      for (const at of took) slices.set(Math.floor(at / SLICE_MS), (slices.get(Math.floor(at / SLICE_MS)) ?? 0) + 1);
      const most = Math.max(...slices.values());
      console.log(`back: p50 ${Math.round(p50)} ms, p95 ${Math.round(p95)} ms; at most ${most} in ${SLICE_MS} ms`);
      assert.ok(p95 < BACK_MS, `p95 ${p95} ms`);
      assert.ok(most < DEVICES / 3, `${most} at once`);
    } finally {
      for (const device of [hosting, ...devices]) device.stop();
      await Promise.all([hosting, ...devices].map(({ done }) => done));
    }
  });
});
