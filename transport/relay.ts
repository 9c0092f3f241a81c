/** What comes first at a relay: its nonce, what we want with our signature, and its answer. Then the link is what we came for. */
import { signOpening } from "@flybridge/crypto/proof.ts";
import type { SigningKey } from "@flybridge/crypto/identity.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import {
  Answer,
  decode,
  encode,
  type Opening,
  OPENING_BYTES,
  OPENING_MS,
  type RefusedCode,
  RelayHello,
  type Welcome,
} from "@flybridge/protocol/relay/words.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Inbox, LinkEnded } from "./inbox.ts";
import type { Link, LinkEnd, LinkEvents } from "./link.ts";
import { Listener } from "./listener.ts";

const NONCE_BYTES = 32;
/** Milliseconds that a relay may take beyond those it allows us: it may have to ask the host. */
const PATIENCE_MS = 2 * OPENING_MS;

/** Frames that may follow the welcome in one read: devices that waited for a host. */
const MAX_WAITING = 2_048;

/** The relay said no; `message` is for a person. */
export class RelayRefused extends Error {
  override readonly name = "RelayRefused";
  readonly code: RefusedCode;
  /** Milliseconds after which it may be tried again, where the relay said so. */
  readonly after: number | undefined;
  constructor(code: RefusedCode, message: string, after?: number) {
    super(message);
    this.code = code;
    this.after = after;
  }
}

/** No answer came, or none of a relay's. */
export class RelayAway extends Error {
  override readonly name = "RelayAway";
}

export interface Opened {
  readonly welcome: Welcome;
  readonly link: Link;
}

/** Rejects with `RelayRefused` or `RelayAway`; the link is closed then. */
export async function openAt(
  link: Link,
  options: {
    /** Of the relay, as it was dialled. */
    readonly origin: string;
    readonly key: SigningKey;
    readonly opening: Opening;
    readonly clock?: Clock;
    readonly signal?: AbortSignal;
  },
): Promise<Opened> {
  const { origin, key, opening, clock = systemClock, signal } = options;
  const inbox = new Inbox(link, OPENING_BYTES, MAX_WAITING);
  const stop = (detail: string): void => {
    link.close(detail);
    inbox.fail({ kind: "cut", detail });
  };
  const stopTimer = clock.setTimer(PATIENCE_MS, () => stop("The relay did not answer in time."));
  const abort = (): void => stop("Connecting was cancelled.");
  signal?.addEventListener("abort", abort);
  if (signal?.aborted) abort();
  try {
    const hello = decode(RelayHello, await inbox.next());
    const nonce = hello && fromBase64Url(hello.nonce, NONCE_BYTES);
    if (!nonce) throw new RelayAway(`What answers at ${origin} is not a Flybridge relay, or a much newer one.`);
    link.send(await signOpening(key, origin, nonce, encode(opening)));
    const answer = decode(Answer, await inbox.next());
    if (!answer) throw new RelayAway(`What ${origin} answers is not understood. Update both sides.`);
    if (answer.t === "refused") throw new RelayRefused(answer.code, answer.message, answer.after);
    return { welcome: answer, link: new Rest(link, inbox) };
  } catch (error) {
    link.close("closed");
    if (!(error instanceof LinkEnded)) throw error;
    throw new RelayAway(`The relay at ${origin} cannot be reached: ${wordsOf(error.end)}.`, { cause: error });
  } finally {
    stopTimer();
    signal?.removeEventListener("abort", abort);
  }
}

/** What a person can do something about, in words; what the system says otherwise, and nothing that the other side says. */
function wordsOf({ kind, detail }: LinkEnd): string {
  if (kind === "closed") return "it ended the connection. Try again, and ask whoever runs it";
  if (/ENOTFOUND|EAI_AGAIN/u.test(detail))
    return "its name is not found. Check the address, and that this machine is online";
  if (/ECONNREFUSED/u.test(detail)) return "nothing answers there. See that it runs";
  if (/ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|no connection in time/u.test(detail)) return "no network leads there now";
  if (/certificate|CERT_|altname/iu.test(detail))
    return `its certificate is not one that this machine trusts (${detail}). Renew it, or name its authority in NODE_EXTRA_CA_CERTS`;
  return detail.replace(/\.$/u, "");
}

/** A link of which the beginning was read. */
class Rest implements Link {
  readonly #link: Link;
  // How much waits, the inbox has seen to.
  readonly #listener = new Listener({ maxUnheardBytes: Number.POSITIVE_INFINITY });

  constructor(link: Link, inbox: Inbox) {
    this.#link = link;
    inbox.handOver({
      receive: (frame) => void this.#listener.frame(frame),
      linkDrained: () => this.#listener.drained(),
      linkEnded: (end) => void this.#listener.end(end),
    });
  }

  get buffered(): number {
    return this.#link.buffered;
  }

  listen(events: LinkEvents): void {
    this.#listener.listen(events);
  }

  send(frame: Uint8Array): void {
    this.#link.send(frame);
  }

  close(detail: string, lingerMs?: number): void {
    this.#listener.drop();
    this.#link.close(detail, lingerMs);
  }
}
