/**
 * Circuits whose host is at another node than their device: each node has the end at the other as an end of its own. The
 * windows of a circuit bound what is on the way between them, so nothing here waits.
 */
import { randomBytes } from "node:crypto";
import { creditIn } from "@flybridge/protocol/relay/circuit.ts";
import { decode, encode, JoinBy, RefusedCode, Rendezvous, Ticket } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import { type Bus, BusAway } from "../bus/bus.ts";
import type { CircuitEnd, DeviceEnd } from "./end.ts";
import type { Others } from "./hub.ts";
import type { Join, Joined } from "./seat.ts";

const ID_BYTES = 12;
/** kind u8, id. */
const HEADER_BYTES = 1 + ID_BYTES;
const DATA = 0;
const CREDIT = 1;
const CLOSE = 2;
/** Read nothing from the end there, or again. */
const HOLD = 3;
const RELEASE = 4;
const NOTHING = new Uint8Array(0);
/** Milliseconds between looks whether the nodes at the other ends are still there, and how often one may not answer. */
const LOOK_MS = 1_000;
const MAX_UNANSWERED = 3;
const SLOW = "the way between two nodes is too slow, or gone";
const CUT = "the way between two nodes is gone";
const MOVED = "the host has moved";
const ALIVE = new Uint8Array([1]);
const DEAD = new Uint8Array([0]);

const Request = v.object({
  node: v.string(),
  id: v.string(),
  join: v.object({ rendezvous: Rendezvous, by: JoinBy, key: v.string(), account: v.optional(v.string()) }),
});
const Reply = v.variant("kind", [
  v.object({ kind: v.literal("joined"), node: v.string(), ticket: v.optional(Ticket) }),
  v.object({ kind: v.literal("refused"), code: RefusedCode }),
]);

/** A circuit of which one end is here, and the other at `node`. */
interface Circuit {
  readonly rendezvous: string;
  /** Undefined while it is not known who has the host. */
  node: string | undefined;
  /** The one that is here. Undefined while the host is asked. */
  end: CircuitEnd | DeviceEnd | undefined;
}

/** `join` and `moved` are the hub's own, for hosts of this node. */
export function openAcross(
  bus: Bus,
  here: {
    join(join: Join, device: DeviceEnd): Promise<Joined | undefined>;
    moved(rendezvous: string): void;
    ended(keys: readonly string[], code: RefusedCode): void;
  },
): Others & Disposable {
  const circuits = new Map<string, Circuit>();
  /** Ends that are here and fill the bus. */
  const held = new Set<CircuitEnd>();
  const unanswered = new Map<string, number>();

  const close = (id: string, circuit: Circuit, reason: string): void => {
    circuits.delete(id);
    circuit.end?.close(reason);
  };
  const closeAll = (which: (circuit: Circuit) => boolean, reason: string): void => {
    for (const [id, circuit] of circuits) if (which(circuit)) close(id, circuit, reason);
  };
  const sendClose = (id: string, { node }: Circuit, reason: string): void => {
    if (node !== undefined) bus.send(node, frameOf(CLOSE, id, new TextEncoder().encode(reason)));
  };
  const hold = ({ end }: Circuit): void => {
    if (!end || held.has(end)) return;
    held.add(end);
    end.hold();
  };
  const release = (): void => {
    const ends = [...held];
    held.clear();
    for (const end of ends) end.release();
  };
  const send = (id: string, circuit: Circuit, kind: number, payload: Uint8Array): void => {
    if (circuit.node === undefined) return;
    if (bus.send(circuit.node, frameOf(kind, id, payload))) {
      if (bus.isFull && kind === DATA) hold(circuit);
      return;
    }
    // Too much waits, or there is no bus: of a circuit that lost a frame nothing is of use.
    if (circuits.get(id) !== circuit) return;
    sendClose(id, circuit, SLOW);
    close(id, circuit, SLOW);
  };
  /** The end at the other node. */
  const farEnd = (id: string, circuit: Circuit): CircuitEnd => ({
    data: (frame) => send(id, circuit, DATA, frame),
    credit: (bytes) => send(id, circuit, CREDIT, uint32(bytes)),
    hold: () => send(id, circuit, HOLD, NOTHING),
    release: () => send(id, circuit, RELEASE, NOTHING),
    close(reason) {
      if (circuits.get(id) === circuit) circuits.delete(id);
      sendClose(id, circuit, reason);
    },
  });
  const farDevice = (id: string, circuit: Circuit & { readonly node: string }): DeviceEnd => ({
    ...farEnd(id, circuit),
    isAlive: async () => (await bus.query(circuit.node, idBytes(id)).catch(() => undefined))?.[0] === ALIVE[0],
  });

  bus.listen({
    async asked(rendezvous, bytes) {
      const request = decode(Request, bytes);
      if (!request || request.join.rendezvous !== rendezvous) return encode({ kind: "refused", code: "bad_opening" });
      const { node, id, join } = request;
      const name = bus.node;
      const circuit = { rendezvous, node, end: undefined as CircuitEnd | undefined };
      const joined = await here.join(join, farDevice(id, circuit));
      if (!joined) return encode({ kind: "refused", code: "host_away" });
      if (joined.kind === "refused") return encode(joined);
      if (bus.node !== name) joined.end.close(CUT);
      circuit.end = joined.end;
      circuits.set(id, circuit);
      const { ticket } = joined;
      return encode({ kind: "joined", node: bus.node, ...(ticket === undefined ? {} : { ticket }) });
    },
    async queried(bytes) {
      // Without a circuit, it is asked whether this node is there.
      if (bytes.length === 0) return ALIVE;
      const end = circuits.get(Buffer.from(bytes).toString("base64url"))?.end;
      return end && isDevice(end) && (await end.isAlive()) ? ALIVE : DEAD;
    },
    frame(bytes) {
      const id = Buffer.from(bytes.subarray(1, HEADER_BYTES)).toString("base64url");
      const circuit = circuits.get(id);
      const end = circuit?.end;
      if (!circuit || !end) return;
      const payload = bytes.subarray(HEADER_BYTES);
      switch (bytes[0]) {
        case DATA:
          return end.data(payload);
        case CREDIT:
          return end.credit(creditIn(payload) ?? 0);
        case CLOSE:
          return close(id, circuit, new TextDecoder().decode(payload));
        case HOLD:
          return end.hold();
        case RELEASE:
          return end.release();
        default:
          // Of a newer node: nothing of ours hangs on it.
          return undefined;
      }
    },
    ended: (keys, code) => here.ended(keys, code),
    moved(rendezvous, node) {
      here.moved(rendezvous);
      closeAll((circuit) => circuit.rendezvous === rendezvous && isJoined(circuit) && circuit.node !== node, MOVED);
    },
    drained: release,
    cut() {
      closeAll(isJoined, CUT);
      release();
    },
  });

  const looking = setInterval(() => {
    if (!bus.isConnected) return;
    const nodes = new Set([...circuits.values()].flatMap(({ node }) => node ?? []));
    for (const node of unanswered.keys()) if (!nodes.has(node)) unanswered.delete(node);
    for (const node of nodes) {
      const missed = (by: number): void => {
        const count = (unanswered.get(node) ?? 0) + by;
        unanswered.set(node, count);
        if (count >= MAX_UNANSWERED) closeAll((circuit) => circuit.node === node, "a node of this relay is gone");
      };
      bus.query(node, new Uint8Array(0)).then(
        (reply) => (reply ? unanswered.delete(node) : missed(MAX_UNANSWERED)),
        () => missed(1),
      );
    }
  }, LOOK_MS);
  looking.unref();

  return {
    async join(join, device) {
      const id = randomBytes(ID_BYTES).toString("base64url");
      const circuit: Circuit = { rendezvous: join.rendezvous, node: undefined, end: device };
      // Before the answer: the host's first words may be quicker.
      circuits.set(id, circuit);
      const refused = (code: RefusedCode): Joined => {
        circuits.delete(id);
        return { kind: "refused", code };
      };
      try {
        const name = bus.node;
        const bytes = await bus.ask(join.rendezvous, encode({ node: name, id, join }));
        if (!bytes) return refused("host_away");
        const reply = decode(Reply, bytes);
        if (reply?.kind !== "joined") return refused(reply?.code ?? "unavailable");
        // The bus was cut with the answer, and what the host said first is lost.
        if (bus.node !== name) return refused("unavailable");
        circuit.node = reply.node;
        const { ticket } = reply;
        return { kind: "joined", end: farEnd(id, circuit), ...(ticket === undefined ? {} : { ticket }) };
      } catch (error) {
        if (error instanceof BusAway) return refused("unavailable");
        throw error;
      }
    },
    claim: (rendezvous) => bus.claim(rendezvous),
    [Symbol.dispose]: () => clearInterval(looking),
  };
}

/** Who still asks hears of a cut by that. */
function isJoined({ node, end }: Circuit): boolean {
  return node !== undefined && end !== undefined;
}

function isDevice(end: CircuitEnd | DeviceEnd): end is DeviceEnd {
  return "isAlive" in end;
}

function frameOf(kind: number, id: string, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame[0] = kind;
  frame.set(idBytes(id), 1);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

function idBytes(id: string): Uint8Array {
  return Buffer.from(id, "base64url").subarray(0, ID_BYTES);
}

function uint32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}
