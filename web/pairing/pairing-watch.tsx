/** On every screen of an owner's device: the first of those that wait to be let in is asked about at once. */
import { createEffect, createMemo, createSignal, on, Show } from "solid-js";
import { ownHostsOf, useDeck } from "../deck.ts";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { type Candidate, candidatesOf } from "./waiting.ts";

const PairingSheet = lazySheet(() => import("./pairing-sheet.tsx"));

export default function PairingWatch() {
  const deck = useDeck();
  /** Stays until the person has read how it ended, also when that was elsewhere. */
  const [shown, setShown] = createSignal<Candidate>();
  const candidates = createMemo(() => candidatesOf(ownHostsOf(deck)));
  const isGone = (): boolean => !candidates().some(({ pairing }) => pairing.pairing === shown()?.pairing.pairing);
  const next = (): Candidate | undefined => candidates().find(({ pairing }) => !deck.aside.has(pairing.pairing));
  createEffect(
    on([next, shown], ([candidate, now]) => {
      if (!now && candidate) setShown({ host: candidate.host, pairing: { ...candidate.pairing } });
    }),
  );
  return (
    <Show when={shown()} keyed>
      {(candidate) => (
        <PairingSheet
          candidate={candidate}
          gone={isGone()}
          onClose={() => {
            deck.aside.put(candidate.pairing.pairing);
            setShown();
          }}
        />
      )}
    </Show>
  );
}
