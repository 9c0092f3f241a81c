/** What a relay counts, for whoever watches over it: numbers, and nothing that names anybody. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Counts } from "../circuits/counts.ts";
import type { Hub } from "../circuits/hub.ts";

export function openMetrics(around: {
  readonly counts: Counts;
  readonly hub: Hub;
  /** All that are open. */
  sockets(): number;
}): Registry {
  const { counts, hub } = around;
  const registers = [new Registry()] as const;
  const [registry] = registers;
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name: `flybridge_relay_${name}`,
      help,
      registers: [...registers],
      collect() {
        this.set(value());
      },
    });
  };
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name: `flybridge_relay_${name}`,
      help,
      registers: [...registers],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
  gauge("sockets", "Open sockets", around.sockets);
  gauge("hosts", "Hosts that are connected to this node", () => [...hub.seats()].length);
  gauge("circuits", "Devices that are joined to hosts of this node", () =>
    [...hub.seats()].reduce((sum, seat) => sum + seat.circuits, 0),
  );
  counter("frames_total", "Frames forwarded", () => counts.frames);
  counter("forwarded_bytes_total", "Bytes forwarded", () => counts.bytes);
  new Counter({
    name: "flybridge_relay_joins_total",
    help: "Devices that asked for a host, by what came of it",
    labelNames: ["outcome"],
    registers: [...registers],
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(counts.joins)) this.inc({ outcome }, count);
    },
  });
  return registry;
}
