/** The relays of a host, asked for again and again while somebody looks: the host does not say when one changes. */
import type { Replica } from "@flybridge/client/replica.ts";
import type { Result } from "@flybridge/protocol/methods.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { createEffect, on, onCleanup } from "solid-js";
import { createStore, reconcile } from "solid-js/store";
import { t } from "../words.ts";

/** Milliseconds between questions while a relay is being connected to. */
const SOON_MS = 500;

type Told = Result<"relay.list">;

export interface Relays {
  /** What the host said last; undefined until it has said anything. */
  readonly told?: Told;
  readonly fault?: string;
}

export interface Watch {
  readonly relays: Relays;
  /** Something was done: asks now. */
  look(): void;
}

interface Shared extends Watch {
  /** The returned function ends it. */
  join(everyMs: number): () => void;
}

const shared = new WeakMap<Replica, Shared>();

/** While the owner of this lives, the page is seen and the host is connected. Who watches the same host sees the same. */
export function watchRelays(replica: Replica, everyMs: number): Watch {
  const watch = shared.get(replica) ?? makeShared(replica);
  shared.set(replica, watch);
  onCleanup(watch.join(everyMs));
  const seen = (): void => {
    if (!document.hidden) watch.look();
  };
  document.addEventListener("visibilitychange", seen);
  onCleanup(() => document.removeEventListener("visibilitychange", seen));
  createEffect(
    on(
      () => isLive(replica),
      (live) => live && watch.look(),
    ),
  );
  return watch;
}

function makeShared(replica: Replica): Shared {
  const [relays, set] = createStore<{ told?: Told; fault?: string }>({});
  const paces: number[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let state: "resting" | "asking" | "asking anew" = "resting";

  const ask = async (): Promise<void> => {
    clearTimeout(timer);
    if (document.hidden || paces.length === 0 || !isLive(replica)) return;
    state = "asking";
    try {
      const told = await replica.call("relay.list", {});
      set("told", reconcile(told, { key: "origin", merge: true }));
      set("fault", undefined as never);
    } catch (fault) {
      if (isLive(replica))
        set("fault", fault instanceof Error ? visible(fault.message) : t("The host could not tell its relays."));
    }
    const anew = (state as string) === "asking anew";
    state = "resting";
    if (anew) return ask();
    const isSoon = relays.told?.relays.some(({ status }) => status.kind === "connecting") === true;
    timer = setTimeout(() => void ask(), isSoon ? SOON_MS : Math.min(...paces));
  };
  const look = (): void => {
    if (state === "resting") void ask();
    else state = "asking anew";
  };
  return {
    relays,
    look,
    join(everyMs) {
      paces.push(everyMs);
      look();
      return () => {
        paces.splice(paces.indexOf(everyMs), 1);
        if (paces.length === 0) clearTimeout(timer);
      };
    },
  };
}

function isLive(replica: Replica): boolean {
  return replica.view.value.connection.kind === "live";
}
