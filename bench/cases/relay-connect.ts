/** What a relay does for those who come: a host with its session, a device with its ticket, a session that is renewed. */
import { RELAY_FIGURES } from "../capacity.ts";
import { type Bench, countOf, type Measured } from "../figure.ts";
import { cpuMs } from "../process.ts";
import { startMeeting } from "../relayed.ts";
import { inTurns, median } from "../sample.ts";

const COUNT = 300;
const ROUNDS = 4;

export const relayConnect: Bench = {
  name: "relay-connect",
  about: "connections each second, and what one costs a relay's processor",
  async run({ share }) {
    await using meeting = await startMeeting();
    const { relay, node, forwarder, ends } = meeting;
    const count = countOf(COUNT, share, 10);
    const costs: Record<string, number[]> = { bare: [], host: [], device: [], renewal: [] };
    const measure = async (name: string, pid: number, rates: number[], ms: () => Promise<number>): Promise<void> => {
      const before = cpuMs(pid);
      rates.push((1000 * count) / (await ms()));
      costs[name]?.push((cpuMs(pid) - before) / count);
    };
    // They are registered and have a session from then on.
    await ends.order({ do: "hosts", node, from: 0, count });
    const samples = await inTurns(countOf(ROUNDS, share, 1), {
      async host(rates) {
        await ends.order({ do: "leave" });
        await measure(
          "host",
          relay.pid,
          rates,
          async () => (await ends.order({ do: "hosts", node, from: 0, count })).ms,
        );
      },
      device: (rates) =>
        measure(
          "device",
          relay.pid,
          rates,
          async () => (await ends.order({ do: "devices", node, from: 0, count, each: 1 })).ms,
        ),
      renewal: (rates) =>
        measure("renewal", relay.pid, rates, async () => (await ends.order({ do: "renew", from: 0, count })).ms),
      bare: (rates) =>
        measure(
          "bare",
          forwarder.pid,
          rates,
          async () => (await ends.order({ do: "bare", port: forwarder.first.port, from: 0, count })).ms,
        ),
    });
    const bare = "a ws connection and nothing else";
    const cost = (what: string, of: string): Measured => ({
      what,
      value: median(costs[of]?.slice(1) ?? []),
      unit: "ms",
      reference: { what: bare, value: median(costs["bare"]?.slice(1) ?? []) },
    });
    const rate = (what: string, of: string): Measured => ({
      what,
      value: median(samples[of] ?? []),
      unit: "/s",
      reference: { what: bare, value: median(samples["bare"] ?? []) },
    });
    return [
      cost(RELAY_FIGURES.hostConnection, "host"),
      cost(RELAY_FIGURES.deviceConnection, "device"),
      cost(RELAY_FIGURES.renewal, "renewal"),
      rate("hosts that come with a session, their ends on the same machine", "host"),
      rate("devices that come with a ticket, their ends on the same machine", "device"),
      rate("sessions renewed, embedded store", "renewal"),
    ];
  },
};
