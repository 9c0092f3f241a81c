/** Where hosts and devices meet: the seats of this node, and the way to those of others. */
import type { Counts } from "./counts.ts";
import type { DeviceEnd } from "./end.ts";
import { type Join, type Joined, Seat, type Seated, type SeatEvents, type SeatSocket } from "./seat.ts";

/** Other nodes of the same relay. */
export interface Others {
  /** Undefined when no node has that host. */
  join(join: Join, device: DeviceEnd): Promise<Joined | undefined>;
  /** Until it is disposed of, this node is where that host is. */
  claim(rendezvous: string): Disposable;
}

export interface Hub {
  /** A host that comes again takes the place of what it had. */
  seat(seated: Seated, socket: SeatSocket, events: Omit<SeatEvents, "forwarded">): Seat;
  /** Gives up a seat, where it is still that host's. */
  leave(seat: Seat): void;
  join(join: Join, device: DeviceEnd): Promise<Joined>;
  seats(): Iterable<Seat>;
  /** Whether that host is at this node. */
  has(rendezvous: string): boolean;
}

export function makeHub(around: {
  /** The relay's own, which tickets name. */
  origin(): string;
  readonly counts: Counts;
  /** Made over what this hub has itself. */
  others?(here: {
    join(join: Join, device: DeviceEnd): Promise<Joined | undefined>;
    /** That host is at another node now: what it had here it has left, and does not know it yet. */
    moved(rendezvous: string): void;
  }): Others;
  now(): number;
}): Hub {
  const { counts } = around;
  const seats = new Map<string, Seat>();
  const others = around.others?.({
    join: async (join, device) => seats.get(join.rendezvous)?.join(join, device),
    moved(rendezvous) {
      const seat = seats.get(rendezvous);
      if (!seat) return;
      leave(seat, "the host has moved");
      seat.close("replaced by a newer connection of this host");
    },
  });
  const claims = new Map<Seat, Disposable>();

  const leave = (seat: Seat, reason: string): void => {
    const { rendezvous } = seat.seated;
    if (seats.get(rendezvous) === seat) seats.delete(rendezvous);
    claims.get(seat)?.[Symbol.dispose]();
    claims.delete(seat);
    seat.end(reason);
  };

  return {
    seat(seated, socket, events) {
      const seat = new Seat(seated, {
        socket,
        origin: around.origin(),
        now: around.now,
        events: {
          ...events,
          forwarded(bytes) {
            counts.frames += 1;
            counts.bytes += bytes;
          },
        },
      });
      const before = seats.get(seated.rendezvous);
      if (before) {
        leave(before, "replaced");
        before.close("replaced by a newer connection of this host");
      }
      seats.set(seated.rendezvous, seat);
      if (others) claims.set(seat, others.claim(seated.rendezvous));
      return seat;
    },
    leave: (seat) => leave(seat, "the host is gone"),
    async join(join, device) {
      const here = seats.get(join.rendezvous);
      const joined = here ? await here.join(join, device) : await others?.join(join, device);
      const found: Joined = joined ?? { kind: "refused", code: "host_away" };
      const outcome = found.kind === "joined" ? "joined" : found.code;
      counts.joins[outcome] += 1;
      return found;
    },
    seats: () => seats.values(),
    has: (rendezvous) => seats.has(rendezvous),
  };
}
