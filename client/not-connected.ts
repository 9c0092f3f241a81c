/** Why an attempt to come back did not connect. */
import type { Connection } from "./replica.ts";

type Refused = Extract<Connection, { kind: "refused" }>;

/** With a refusal it is final: no repetition mends it. */
export class NotConnected extends Error {
  readonly refusal: Refused["reason"] | undefined;
  /** What was found where something else was looked for. */
  readonly instead: Pick<Refused, "found" | "shown">;
  /** What was reached says that the host may be back any moment. */
  readonly isSoon: boolean;
  constructor(
    message: string,
    refusal?: Refused["reason"],
    instead: Pick<Refused, "found" | "shown"> = {},
    isSoon = false,
  ) {
    super(message);
    this.refusal = refusal;
    this.instead = instead;
    this.isSoon = isSoon;
  }
}
