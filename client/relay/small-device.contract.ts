/** A device that reaches one small relay and nothing else, with a clock that the test turns. */
import { nobleSuite } from "@flybridge/crypto/noble.ts";
import type { Clock } from "@flybridge/transport/clock.ts";
import { plainCell } from "../cell.ts";
import type { Keys } from "../keys.ts";
import type { Platform } from "../platform.ts";
import { seededRandom } from "../small-host.contract.ts";
import { memoryStore } from "../store-memory.ts";
import type { SmallRelay } from "./small-relay.contract.ts";

/** One window of it, or the device after a restart: `keys` are the same, `seed` is another. */
export function smallDevice(
  relay: SmallRelay,
  { clock, keys, seed, onNetwork }: { clock: Clock; keys: Keys; seed: number; onNetwork?: (awake: () => void) => void },
): Platform {
  const random = seededRandom(seed);
  const dial = (origin: string) => relay.dial(origin);
  return {
    reach: () => Promise.resolve({ suite: nobleSuite(random), dial, relay: dial }),
    keys,
    store: memoryStore(),
    owner: { self: `${seed}`, isAlive: () => Promise.resolve(true) },
    clock,
    makeCell: plainCell,
    // A clock that is wrong by a day must not matter.
    now: () => 1_800_000_000_000 - 86_400_000 + clock.now(),
    random,
    addressesOf: () => [],
    onNetwork(awake) {
      onNetwork?.(awake);
      return () => {};
    },
  };
}
