/** A socket of a person's account: calls and their answers, one after the other. */
import type { Held, MemberOpening, Peers } from "./admission.ts";
import { refuse, welcome } from "./answer.ts";
import type { PeerSocket } from "./socket.ts";

/** Calls of one member that wait. */
const MAX_CALLS = 16;

export async function admitMember(
  socket: PeerSocket,
  opening: MemberOpening,
  key: string,
  from: string,
  { access, now }: Peers,
): Promise<void> {
  const held: Held = { key, tell: () => {}, close: (code) => refuse(socket, code) };
  const send = (frame: Uint8Array): void => socket.send(frame);
  const member = await access.member(opening, held, send, from);
  if (typeof member === "string") return refuse(socket, member);
  const { session, registered } = member;
  const { registration } = access;
  welcome(socket, {
    now: now(),
    registered,
    ...(registration === undefined ? {} : { registration }),
    ...(session === undefined ? {} : { session }),
  });
  let before: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  socket.listen({
    frame(frame) {
      if (waiting >= MAX_CALLS) return refuse(socket, "too_many");
      waiting += 1;
      // One after the other: what a person does in one window is in order.
      before = before.then(async () => {
        socket.send(await member.call(frame));
        waiting -= 1;
      });
      before.catch(() => socket.terminate());
    },
    closed: () => member.gone(),
  });
}
