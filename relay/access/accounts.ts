/** Accounts at a relay: takes a call of a device, sees that it may make it, and answers. What each does is a function of a table. */
import {
  ACCOUNT_METHODS,
  AccountCall,
  type AccountMethod,
  type AccountReply,
  FRESH_MS,
  type Notice,
} from "@flybridge/protocol/relay/account.ts";
import { decode, encode } from "@flybridge/protocol/relay/words.ts";
import * as v from "valibot";
import { StoreError } from "../store/database.ts";
import { noticesIn } from "../store/notices.ts";
import { registrationsIn } from "../store/registrations.ts";
import {
  AccountError,
  type AccountsAround,
  type Call,
  type Change,
  type FreshCall,
  type Handlers,
  type MemberCaller,
  notSignedIn,
} from "./account-call.ts";
import { memberHandlers } from "./members.ts";
import { deriving } from "./secret.ts";
import { signInHandlers } from "./sign-in.ts";
import { makeTries } from "./tries.ts";

/** Bytes of one call: more than the longest that is right. */
const CALL_BYTES = 16 * 1_024;
/** Milliseconds after which what failed for want of the store may be tried again. */
const UNAVAILABLE_MS = 2_000;
/** The id of an answer to what has none. */
const NO_ID = 0;

export type { AccountsAround, MemberCaller } from "./account-call.ts";

export interface Accounts {
  /** The answer; it never rejects. Whoever has the socket makes its calls one after the other. */
  callOf(frame: Uint8Array, caller: MemberCaller): Promise<Uint8Array>;
  /** Forgets what is old. */
  sweep(): Promise<void>;
}

export function makeAccounts(around: AccountsAround): Accounts {
  const derive = deriving(around.secret);
  const tries = makeTries({ ...around, derive, now: () => around.now() });
  const within = { ...around, derive, tries, now: () => around.now() };
  const handlers: Handlers = { ...signInHandlers(within), ...memberHandlers(within) };

  const answered = async (frame: Uint8Array, caller: MemberCaller, ending: Set<string>): Promise<Reply> => {
    const call = frame.length <= CALL_BYTES ? decode(AccountCall, frame) : undefined;
    if (!call) return replyError(NO_ID, new AccountError("bad_params", "This is no call. Update this device."));
    try {
      return { t: "reply", id: call.id, ok: await made(call, caller, ending) };
    } catch (error) {
      if (!(error instanceof AccountError)) around.failed(error);
      return replyError(call.id, error instanceof AccountError ? error : unavailable(error));
    }
  };

  const made = async (
    { method, params }: v.InferOutput<typeof AccountCall>,
    caller: MemberCaller,
    ending: Set<string>,
  ): Promise<unknown> => {
    if (!Object.hasOwn(ACCOUNT_METHODS, method))
      throw new AccountError("unknown_method", "This relay does not know that call. Update it, or this device.");
    const name = method as AccountMethod;
    const parsed = v.safeParse(ACCOUNT_METHODS[name].params, params);
    if (!parsed.success)
      throw new AccountError("bad_params", `What was given to ${name} is not what it takes. Update this device.`);
    const call = await allowed(name, caller, ending);
    // The table has for each method the function that takes its parameters, which the types of this line cannot say.
    return (handlers[name] as (params: unknown, call: Call) => Promise<unknown>)(parsed.output, call);
  };

  /** Throws `AccountError` where it does not have what the method needs. */
  const allowed = async (name: AccountMethod, caller: MemberCaller, ending: Set<string>): Promise<Call> => {
    const { needs } = ACCOUNT_METHODS[name];
    const at = around.now();
    const isMembers = needs === "member" || needs === "fresh";
    const call: Call = {
      caller,
      at,
      end: (keys) => keys.forEach((key) => ending.add(key)),
      async change(work) {
        const { result, ended, said } = await around.database.transaction(async (tx) => {
          const account = isMembers ? accountOf(await registrationsIn(tx).lock(caller.key)) : undefined;
          if (isMembers && account !== member) throw notSignedIn();
          const follows = { ended: [] as string[], said: [] as [string, Notice][] };
          const change: Change = {
            query: (sql, ...values) => tx.query(sql, ...values),
            end: (keys) => void follows.ended.push(...keys),
            async tell(whom, notice, once) {
              const notices = noticesIn(tx);
              if (once && !(await notices.addOnce(whom, notice))) return;
              if (!once) await notices.add(whom, notice);
              follows.said.push([whom, notice]);
            },
          };
          return { result: await work(change), ...follows };
        });
        call.end(ended);
        for (const [whom, notice] of said) around.told(whom, notice);
        return result;
      },
    };
    const { opened } = caller;
    if (needs === "nothing") return call;
    if (needs === "opened") {
      if (!opened) throw new AccountError("not_signed_in", "Sign in with the passphrase or the recovery code first.");
      return { ...call, opened } as Call;
    }
    const member = accountOf(await registrationsIn(around.database).byKey(caller.key));
    if (member === undefined) throw notSignedIn();
    if (needs === "member") return { ...call, account: member } as Call;
    const isFresh = opened?.account === member && Math.abs(at - opened.at) < FRESH_MS;
    if (!isFresh) throw new AccountError("not_fresh", "This needs the passphrase or the recovery code once more.");
    return { ...call, account: member, opened } as FreshCall;
  };

  return {
    async callOf(frame, caller) {
      const ending = new Set<string>();
      const reply = await answered(frame, caller, ending);
      const others = [...ending].filter((key) => key !== caller.key);
      if (others.length > 0) around.ended(others);
      // Its own comes last, and after the answer has been taken: on a closed socket nobody would hear it.
      if (ending.has(caller.key)) setImmediate(() => around.ended([caller.key]));
      return encode(reply);
    },
    sweep: () => tries.sweep(),
  };
}

type Reply = v.InferOutput<typeof AccountReply>;

/** Undefined for a key that is not registered, a host's, or one that a person has to sign in anew. */
function accountOf(
  registration: { readonly kind: string; readonly account?: string; readonly held: boolean } | undefined,
): string | undefined {
  return registration?.kind === "device" && !registration.held ? registration.account : undefined;
}

function replyError(id: number, { code, message, after }: AccountError): Reply {
  return { t: "reply", id, error: { code, message, ...(after === undefined ? {} : { after }) } };
}

function unavailable(error: unknown): AccountError {
  const isPassing = error instanceof StoreError && error.fault === "unavailable";
  return new AccountError(
    "unavailable",
    "The relay cannot do this now. Try again in a moment; if it stays so, tell whoever runs it.",
    isPassing ? UNAVAILABLE_MS : undefined,
  );
}
