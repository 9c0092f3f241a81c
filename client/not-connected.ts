/** Why an attempt to come back did not connect. */
import type { Connection } from "./replica.ts";

type Refusal = Extract<Connection, { kind: "refused" }>["reason"];

/** With a refusal it is final: no repetition mends it. */
export class NotConnected extends Error {
  readonly refusal: Refusal | undefined;
  constructor(message: string, refusal?: Refusal) {
    super(message);
    this.refusal = refusal;
  }
}
