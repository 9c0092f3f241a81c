/** Another way in, for who is in already. */
import type { Queries } from "../doors/desk.ts";
import type { DirectDoor } from "../doors/direct.ts";

export function directQueries(door: Pick<DirectDoor, "open">): Pick<Queries, "direct.open"> {
  return {
    "direct.open": async ({ sdp }, caller) => ({ sdp: await door.open(sdp, caller) }),
  };
}
