/** The closed set of ways a call can fail. The message says what happened, what it means and how to mend it. */
import * as v from "valibot";

export const ErrorCode = v.picklist([
  /** The device's grant does not reach this, or there is no such thing: both look the same from outside a grant. */
  "forbidden",
  "not_found",
  /** The parameters do not fit the method's schema. */
  "bad_params",
  /** This host does not know the method: it is older than the device. */
  "unknown_method",
  /** The ask was settled before: by whom and how is in the journal. */
  "already_settled",
  /** The session is not in a state in which this can be done. */
  "wrong_state",
  /** The answer does not fit the ask. */
  "bad_answer",
  /** The agent cannot be started here. */
  "agent_unavailable",
  /** A limit of this host is reached. */
  "too_many",
  /** The host cannot store anything now (disk full, read-only): nothing was done. */
  "storage",
  /** A fault of the host. It is logged there; nothing was done. */
  "internal",
]);
export type ErrorCode = v.InferOutput<typeof ErrorCode>;

export const CallFault = v.object({
  code: ErrorCode,
  message: v.string(),
  details: v.optional(v.unknown()),
});
export type CallFault = v.InferOutput<typeof CallFault>;

/** Thrown where a call cannot be done; becomes the reply's `error`. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly code: ErrorCode;
  readonly details: unknown;
  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
