/** All benches, in the order of the table. */
import { ask } from "./cases/ask.ts";
import { bytes } from "./cases/bytes.ts";
import { cpu } from "./cases/cpu.ts";
import { journal } from "./cases/journal.ts";
import { memory } from "./cases/memory.ts";
import { open } from "./cases/open.ts";
import { relayConnect } from "./cases/relay-connect.ts";
import { relayCpu } from "./cases/relay-cpu.ts";
import { relayMemory } from "./cases/relay-memory.ts";
import { relayNodes } from "./cases/relay-nodes.ts";
import { relaySlow } from "./cases/relay-slow.ts";
import { relayTls } from "./cases/relay-tls.ts";
import { relayTrip } from "./cases/relay-trip.ts";
import { resume } from "./cases/resume.ts";
import { seal } from "./cases/seal.ts";
import { start } from "./cases/start.ts";
import { stream } from "./cases/stream.ts";
import { terminal } from "./cases/terminal.ts";
import type { Bench } from "./figure.ts";

export const BENCHES: readonly Bench[] = [
  stream,
  ask,
  terminal,
  cpu,
  open,
  resume,
  journal,
  seal,
  memory,
  start,
  bytes,
  relayTrip,
  relayCpu,
  relayMemory,
  relayConnect,
  relaySlow,
  relayTls,
  relayNodes,
];
