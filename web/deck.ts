/** What every screen stands on: the bridge, what is being answered, and the words of the moment. Made once, in main. */
import type { Bridge } from "@flybridge/client/bridge.ts";
import type { HostView, KnownHost, Replica } from "@flybridge/client/replica.ts";
import type { HostId, SessionId } from "@flybridge/protocol/ids.ts";
import { createContext, createSignal, useContext } from "solid-js";
import { type Answering, makeAnswering } from "./ask/answering.ts";
import { makeToasts, type Toasts } from "./design/toasts.tsx";
import { type Aside, makeAside } from "./pairing/aside.ts";
import type { Served } from "./served.ts";

export interface Deck {
  readonly bridge: Bridge;
  readonly answering: Answering;
  readonly toasts: Toasts;
  /** Devices that wait to be let in, and are not to be asked about for now. */
  readonly aside: Aside;
  /** Who served this page; undefined until that is known, which is asked for when somebody wants to know. */
  served(): Served | undefined;
}

/** A host together with what is known of it. */
export interface HostHere {
  readonly known: KnownHost;
  readonly replica: Replica;
  readonly view: HostView;
}

export const DeckContext = createContext<Deck>();

export function makeDeck(bridge: Bridge, servedBy: () => Promise<Served>): Deck {
  const toasts = makeToasts();
  const [served, setServed] = createSignal<Served>();
  let asked = false;
  return {
    bridge,
    toasts,
    aside: makeAside(),
    answering: makeAnswering(toasts),
    served() {
      if (!asked) void servedBy().then(setServed);
      asked = true;
      return served();
    },
  };
}

export function useDeck(): Deck {
  const deck = useContext(DeckContext);
  if (!deck) throw new Error("a screen is drawn outside of the app");
  return deck;
}

export function hostsOf(deck: Deck): HostHere[] {
  return deck.bridge.hosts.value.list.map((known) => hostHere(deck, known));
}

/** One session was shared with this device, and that is all it sees of the host. */
export function isGuest(host: HostHere): boolean {
  return host.known.only !== undefined;
}

/** Those that are this person's own, not of somebody who shares one session. */
export function ownHostsOf(deck: Deck): HostHere[] {
  return hostsOf(deck).filter((host) => !isGuest(host));
}

export function hostOf(deck: Deck, host: string | undefined): HostHere | undefined {
  const known = deck.bridge.hosts.value.list.find((one) => one.host === host);
  return known && hostHere(deck, known);
}

export function sessionPath(host: HostId, session: SessionId): string {
  return `/session/${host}/${session}`;
}

function hostHere(deck: Deck, known: KnownHost): HostHere {
  const replica = deck.bridge.replica(known.host);
  return { known, replica, view: replica.view.value };
}
