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
/** Milliseconds between looks whether the nodes at the other ends are still there, and how often one may not answer. */
const LOOK_MS = 1_000;
const MAX_UNANSWERED = 3;
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

/** One end that is here, of a circuit whose other end is at `node`. */
interface Here {
  readonly end: CircuitEnd & Partial<Pick<DeviceEnd, "isAlive">>;
  readonly rendezvous: string;
  /** Undefined while it is not known who has the host. */
  node: string | undefined;
}

/** `join` is the hub's own, for hosts of this node. */
export function openAcross(
  bus: Bus,
  here: {
    join(join: Join, device: DeviceEnd): Promise<Joined | undefined>;
    ended(keys: readonly string[], code: RefusedCode): void;
  },
): Others & Disposable {
  const circuits = new Map<string, Here>();
  const unanswered = new Map<string, number>();

  const send = (node: string | undefined, kind: number, id: string, payload: Uint8Array): void => {
    if (node === undefined || bus.send(node, frameOf(kind, id, payload))) return;
    // Too much waits, or there is no bus: of a circuit that lost a frame nothing is of use.
    const circuit = circuits.get(id);
    circuits.delete(id);
    circuit?.end.close("the way between two nodes is too slow");
  };
  /** The end at the other node. */
  const far = (circuit: () => Here | undefined, id: string): CircuitEnd => ({
    data: (frame) => send(circuit()?.node, DATA, id, frame),
    credit: (bytes) => send(circuit()?.node, CREDIT, id, uint32(bytes)),
    close(reason) {
      const found = circuit();
      circuits.delete(id);
      if (found?.node !== undefined) bus.send(found.node, frameOf(CLOSE, id, new TextEncoder().encode(reason)));
    },
  });
  const closeAll = (which: (circuit: Here) => boolean, reason: string): void => {
    for (const [id, circuit] of circuits) {
      if (!which(circuit)) continue;
      circuits.delete(id);
      circuit.end.close(reason);
    }
  };

  bus.listen({
    async asked(rendezvous, bytes) {
      const request = decode(Request, bytes);
      if (!request || request.join.rendezvous !== rendezvous) return encode({ kind: "refused", code: "bad_opening" });
      const { node, id, join } = request;
      const circuit = { current: undefined as Here | undefined };
      const device: DeviceEnd = {
        ...far(() => circuit.current ?? { end: device, rendezvous, node }, id),
        // The window is what holds it.
        hold() {},
        release() {},
        isAlive: async () => (await bus.query(node, idBytes(id)).catch(() => undefined))?.[0] === 1,
      };
      const joined = await here.join(join, device);
      if (!joined) return encode({ kind: "refused", code: "host_away" });
      if (joined.kind === "refused") return encode(joined);
      circuit.current = { end: joined.end, rendezvous, node };
      circuits.set(id, circuit.current);
      const { ticket } = joined;
      return encode({ kind: "joined", node: bus.node, ...(ticket === undefined ? {} : { ticket }) });
    },
    async queried(bytes) {
      // Without a circuit, it is asked whether this node is there.
      if (bytes.length === 0) return ALIVE;
      const circuit = circuits.get(Buffer.from(bytes).toString("base64url"));
      return (await circuit?.end.isAlive?.()) === true ? ALIVE : DEAD;
    },
    frame(bytes) {
      const id = Buffer.from(bytes.subarray(1, HEADER_BYTES)).toString("base64url");
      const circuit = circuits.get(id);
      if (!circuit) return;
      const payload = bytes.subarray(HEADER_BYTES);
      switch (bytes[0]) {
        case DATA:
          return circuit.end.data(payload);
        case CREDIT:
          return circuit.end.credit(creditIn(payload) ?? 0);
        case CLOSE:
          circuits.delete(id);
          return circuit.end.close(new TextDecoder().decode(payload));
      }
    },
    ended: (keys, code) => here.ended(keys, code),
    moved: (rendezvous, node) =>
      closeAll(
        (circuit) => circuit.rendezvous === rendezvous && circuit.node !== node && circuit.end.isAlive !== undefined,
        "the host has moved",
      ),
    cut: () => closeAll(() => true, "the way between two nodes is gone"),
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
      const circuit: Here = { end: device, rendezvous: join.rendezvous, node: undefined };
      // Before the answer: the host's first words may be quicker.
      circuits.set(id, circuit);
      try {
        const bytes = await bus.ask(join.rendezvous, encode({ node: bus.node, id, join }));
        const reply = bytes && decode(Reply, bytes);
        if (reply?.kind !== "joined") {
          circuits.delete(id);
          return bytes === undefined ? undefined : (reply ?? { kind: "refused", code: "unavailable" });
        }
        circuit.node = reply.node;
        const { ticket } = reply;
        return {
          kind: "joined",
          end: far(() => circuit, id),
          ...(ticket === undefined ? {} : { ticket }),
        };
      } catch (error) {
        circuits.delete(id);
        if (error instanceof BusAway) return { kind: "refused", code: "unavailable" };
        throw error;
      }
    },
    claim: (rendezvous) => bus.claim(rendezvous),
    [Symbol.dispose]: () => clearInterval(looking),
  };
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
