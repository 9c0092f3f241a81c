/** Sessions and their asks. */
import { CallError } from "@flybridge/protocol/error.ts";
import { PAGE_ENTRIES } from "@flybridge/protocol/limits.ts";
import { summaryOf } from "@flybridge/protocol/fold.ts";
import type { SessionIntent, SessionMethod } from "../core/decide.ts";
import type { Caller, Intents, Queries } from "../doors/desk.ts";
import type { Sessions } from "../live/sessions.ts";

type SessionQueries = Pick<Queries, "session.list" | "session.page">;
type SessionIntents = Pick<Intents, SessionMethod | "session.create" | "session.remove">;

export function sessionQueries(sessions: Sessions): SessionQueries {
  return {
    "session.list": () => ({ sessions: sessions.list().map(({ state }) => summaryOf(state)) }),
    "session.page": ({ session, before, limit = PAGE_ENTRIES }) => sessions.get(session).page(before, limit),
  };
}

export function sessionIntents(sessions: Sessions): SessionIntents {
  /** Each of these is decided on the session's state and journaled; only the method and its parameters differ. */
  const decided = <M extends SessionMethod>(method: M): SessionIntents[M] =>
    ((
      params: { readonly session: SessionIntent["params"]["session"] },
      id: SessionIntent["id"],
      { device, grant }: Caller,
    ) =>
      sessions.intend(params.session, {
        method,
        params,
        id,
        by: device,
        guest: grant.kind !== "owner",
      } as SessionIntent)) as SessionIntents[M];

  return {
    "session.create": (params, intent, { device }) => sessions.create({ intent, by: device, params }),
    "session.remove": ({ session }) => {
      try {
        sessions.remove(session);
      } catch (error) {
        // Removed before: the repeat of an intent whose answer was lost.
        if (!(error instanceof CallError && error.code === "not_found")) throw error;
      }
      return {};
    },
    "session.prompt": decided("session.prompt"),
    "session.withdraw": decided("session.withdraw"),
    "session.interrupt": decided("session.interrupt"),
    "session.configure": decided("session.configure"),
    "session.stop": decided("session.stop"),
    "session.resume": decided("session.resume"),
    "ask.answer": decided("ask.answer"),
    "ask.dismiss": decided("ask.dismiss"),
  };
}
