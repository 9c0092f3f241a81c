/** There and back by a relay, sealed at both ends, beside the same bytes by a bare forwarder. */
import { type Bench, countOf, type Measured } from "../figure.ts";
import { startNginx } from "../nginx.ts";
import { bareEcho, bareSealedEcho, random, rawEcho, sealedEcho, startMeeting, tripsOf } from "../relayed.ts";
import { inTurns, percentile } from "../sample.ts";

/** Few in each turn and many turns: whatever else the machine does, it does to all alike. */
const TRIPS = 100;
const ROUNDS = 30;
/** Of each before the first: until its code is compiled as it proves busy, the seal is several times slower. */
const WARM_TRIPS = 2_000;
const RATIO = 1.4;
/** Of a message, and whether the limit is on it. The second is as long as fits a record of 1 KiB, the third is padded to 2. */
const SIZES = [
  ["64 B", 64, false],
  ["1,018 B, a record of 1 KiB", 1_018, true],
  ["1 KiB, a record of 2 KiB", 1_024, true],
  ["16 KiB", 16 * 1_024, false],
] as const;

export const relayTrip: Bench = {
  name: "relay-trip",
  about: "round trip device → relay → host and back, sealed, beside a bare forwarder",
  async run({ share }) {
    await using meeting = await startMeeting();
    const { node, forwarder, ends } = meeting;
    await ends.order({ do: "hosts", node, from: 0, count: 1 });
    await ends.order({ do: "bare", port: forwarder.first.port, from: 0, count: 1 });
    await ends.order({ do: "bare", port: forwarder.first.port, from: 1, count: 1, sealed: true });
    const { port = 0 } = await ends.order({ do: "serve" });
    await using nginx = await startNginx(port);
    if (!nginx) process.stderr.write(" (no nginx with its stream module here: its rows are left out) …");
    const bare = await bareEcho(forwarder.first.port, "/0");
    const bareSealed = await bareSealedEcho(forwarder.first.port, 1);
    const sealed = await sealedEcho(node, 0, 0);
    const plain = await rawEcho(node, 0, 1);
    const other = nginx && (await bareEcho(nginx.port, "/"));

    for (const echo of [bare, bareSealed, sealed, plain, ...(other ? [other] : [])])
      await tripsOf(echo, random(1_024), countOf(WARM_TRIPS, share), []);
    const measured: Measured[] = [];
    const trips = countOf(TRIPS, share, 10);
    for (const [name, size, isLimited] of SIZES) {
      const payload = random(size);
      const samples = await inTurns(countOf(ROUNDS, share, 2), {
        bare: (times) => tripsOf(bare, payload, trips, times),
        bareSealed: (times) => tripsOf(bareSealed, payload, trips, times),
        sealed: (times) => tripsOf(sealed, payload, trips, times),
        plain: (times) => tripsOf(plain, payload, trips, times),
        ...(other ? { nginx: (times: number[]) => tripsOf(other, payload, trips, times) } : {}),
      });
      const row = (what: string, of: string, rank: number, limit?: number): Measured => ({
        what: `round trip of ${name}, ${what}`,
        value: 1000 * percentile(samples[of] ?? [], rank),
        unit: "µs",
        reference: { what: "a bare ws forwarder and ends", value: 1000 * percentile(samples["bare"] ?? [], rank) },
        ...(limit === undefined ? {} : { limit: { ratio: limit } }),
      });
      measured.push(
        row("by a relay, sealed, p50", "sealed", 0.5, isLimited ? RATIO : undefined),
        row("by a relay, sealed, p99", "sealed", 0.99),
        row("by a bare forwarder, sealed, p50", "bareSealed", 0.5),
        row("by a relay, without the seal, p50", "plain", 0.5),
        ...(other ? [row("by nginx stream, bare ends, p50", "nginx", 0.5)] : []),
      );
    }
    for (const echo of [bare, bareSealed, sealed, plain, other]) echo?.close();
    return measured;
  },
};
