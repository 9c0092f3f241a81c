/** A host's socket: it is seated, and its frames are its circuits'. */
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import type { Hub } from "../circuits/hub.ts";
import type { Held, HostOpening, Peers } from "./admission.ts";
import { refuse, welcome } from "./answer.ts";
import type { PeerSocket } from "./socket.ts";

/** Milliseconds of silence after which a host is gone: it pings every five seconds, and all of its devices wait. */
const HOST_PATIENCE_MS = 15_000;

export async function seatHost(
  socket: PeerSocket,
  opening: HostOpening,
  key: string,
  from: string,
  { hub, access, app, ice, now, log }: Peers,
): Promise<void> {
  const place: { seat?: ReturnType<Hub["seat"]> } = {};
  const held: Held = {
    key,
    tell: (message) => place.seat?.tell(message),
    close: (code) => refuse(socket, code),
  };
  const admitted = await access.host(opening, held, from);
  if (typeof admitted === "string") return refuse(socket, admitted);
  const { host, account, session } = admitted;
  const keyBytes = fromBase64Url(key, 32) ?? new Uint8Array(32);
  welcome(socket, {
    now: now(),
    session,
    app,
    ...(ice.length > 0 ? { ice: [...ice] } : {}),
  });
  const own = hub.seat({ host, rendezvous: opening.rendezvous, key: keyBytes, account }, socket, {
    control(message) {
      admitted
        .control(message)
        .then((changed) => {
          if (changed) own.account = changed.account;
        })
        .catch((error: unknown) => log("a host's word could not be heeded", { error: String(error) }));
    },
    violated: (detail) => log("a host broke the rules", { detail }),
  });
  place.seat = own;
  socket.patienceMs = HOST_PATIENCE_MS;
  socket.listen({
    frame: (bytes) => own.frame(bytes),
    closed() {
      hub.leave(own);
      admitted.gone();
    },
  });
}
