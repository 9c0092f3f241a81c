/** Why an attempt to come back did not connect. */
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Connection } from "./replica.ts";

type Refusal = Extract<Connection, { kind: "refused" }>["reason"];

/** With a refusal it is final: no repetition mends it. */
export class NotConnected extends Error {
  readonly refusal: Refusal | undefined;
  /** With `wrong_host`, who answered instead. */
  readonly found: HostId | undefined;
  constructor(message: string, refusal?: Refusal, found?: HostId) {
    super(message);
    this.refusal = refusal;
    this.found = found;
  }
}
