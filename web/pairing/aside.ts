/** Devices that wait to be let in, and that the person has put aside for now. */
import type { PairingId } from "@flybridge/protocol/pairing.ts";
import { createSignal } from "solid-js";

export interface Aside {
  has(pairing: PairingId): boolean;
  put(pairing: PairingId): void;
  back(pairing: PairingId): void;
}

export function makeAside(): Aside {
  const [aside, setAside] = createSignal<readonly PairingId[]>([]);
  return {
    has: (pairing) => aside().includes(pairing),
    put: (pairing) => void setAside((before) => [...before, pairing]),
    back: (pairing) => void setAside((before) => before.filter((one) => one !== pairing)),
  };
}
