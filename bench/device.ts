/** A bare device, with the time at which each message came. */
import type { HostMessage } from "@flybridge/protocol/message.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { type BareDevice, newIntent } from "@flybridge/testing/bare.ts";
import { wall } from "./clock.ts";

/** Hears messages from now on, until `each` says true. Call before what causes them. */
export function listen(device: BareDevice, each: (message: HostMessage, at: number) => boolean): Promise<void> {
  let next = device.messages.length;
  return device
    .until(() => {
      const at = wall();
      while (next < device.messages.length) {
        const message = device.messages[next];
        next += 1;
        if (message && each(message, at)) return true;
      }
      return undefined;
    })
    .then(() => undefined);
}

/** A session of the demo that this device follows. */
export async function followDemo(device: BareDevice, workspace: string): Promise<SessionId> {
  const { session } = await device.call("session.create", { agent: "demo" as never, workspace }, newIntent());
  await device.call("session.follow", { session });
  return session;
}

/** Sends a prompt; resolves when its turn has ended. What comes meanwhile goes to `each`. */
export async function turn(
  device: BareDevice,
  session: SessionId,
  text: string,
  each: (message: HostMessage, at: number) => void = () => {},
): Promise<void> {
  const ended = listen(device, (message, at) => {
    each(message, at);
    if (message.t !== "entries" || message.session !== session) return false;
    return message.entries.some(({ fact }) => fact.kind === "turn.ended");
  });
  await device.call("session.prompt", { session, text, delivery: "queue" }, newIntent());
  await ended;
}
