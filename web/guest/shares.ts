/** Sessions that were shared with this device: one of each host that is not its owner's. */
import type { KnownHost } from "@flybridge/client/replica.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { type Deck, hostsOf } from "../deck.ts";

export interface Share {
  readonly known: KnownHost;
  readonly session: SessionId;
  /** As far as the host has told. */
  readonly until: number | undefined;
}

export function sharesOf(deck: Deck): Share[] {
  return hostsOf(deck).flatMap(({ known, view: { grant } }) =>
    known.only === undefined
      ? []
      : [{ known, session: known.only, until: grant?.kind === "session" ? grant.until : undefined }],
  );
}
