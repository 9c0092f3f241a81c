/** Who may: what the doors ask of the rules over the store, and what they are told of a peer that is let in. */
import type { IceServer } from "@flybridge/protocol/direct.ts";
import type { FromHost, Opening, RefusedCode, Session, ToHost, Welcome } from "@flybridge/protocol/relay/words.ts";
import type { Hub } from "../circuits/hub.ts";

export type HostOpening = Extract<Opening, { t: "host" }>;
export type JoinOpening = Extract<Opening, { t: "join" }>;
export type MemberOpening = Extract<Opening, { t: "member" }>;

/** The socket of a host or a member, as what ends sessions sees it. */
export interface Held {
  /** Base64url. */
  readonly key: string;
  tell(message: ToHost): void;
  close(code: RefusedCode): void;
}

export interface AdmittedHost {
  /** Base32, derived from its keys. */
  readonly host: string;
  readonly account: string | undefined;
  readonly session: Session;
  /** What its control messages bring about. */
  control(
    message: Extract<FromHost, { t: "kept" | "renew" | "account" }>,
  ): Promise<{ readonly account?: string } | void>;
  gone(): void;
}

export interface AdmittedMember {
  readonly session?: Session;
  readonly registered: boolean;
  /** Answers a call; what it answers is sent. */
  call(frame: Uint8Array): Promise<Uint8Array>;
  gone(): void;
}

/** Who may: the rules over the store. All reject when the store is away. */
export interface Access {
  /** `from` is the peer's address. */
  host(opening: HostOpening, held: Held, from: string): Promise<AdmittedHost | RefusedCode>;
  /** The account of a device that comes by its session. */
  accountOf(
    key: string,
    session: string | undefined,
    from: string,
  ): Promise<{ readonly account: string } | RefusedCode>;
  member(
    opening: MemberOpening,
    held: Held,
    send: (frame: Uint8Array) => void,
    from: string,
  ): Promise<AdmittedMember | RefusedCode>;
  readonly registration: Welcome["registration"];
}

export interface Peers {
  /** As peers dial it. */
  origin(): string;
  readonly app: boolean;
  /** Named to hosts. */
  readonly ice: readonly IceServer[];
  readonly hub: Hub;
  readonly access: Access;
  now(): number;
  log(message: string, detail: Record<string, unknown>): void;
}
