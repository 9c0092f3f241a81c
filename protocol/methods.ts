/**
 * The method table: the whole inner API. From a row come the types on both sides, the validation, the authorization,
 * the reference in PROTOCOL.md and the test that tries every method with every kind of grant. No row, no call.
 */
import * as v from "valibot";
import { AgentInfo } from "./agent.ts";
import { Answer } from "./ask.ts";
import { Device, MAX_DEVICE_NAME_CHARS } from "./device.ts";
import { Delivery, Entry } from "./entry.ts";
import { FeedEntry } from "./feed.ts";
import type { Verb } from "./grant.ts";
import { AgentName, AskId, DeviceId, HostId, PromptId, Seq, SessionId, Time } from "./ids.ts";
import {
  MAX_DEVICES,
  MAX_LABEL_CHARS,
  MAX_OFFER_MS,
  MAX_PROMPT_CHARS,
  MAX_SESSIONS_LISTED,
  PAGE_ENTRIES,
} from "./limits.ts";
import { OfferMade } from "./offer.ts";
import { SessionState, Summary } from "./session.ts";
import { Folder, FolderPath } from "./workspace.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
const prompt = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PROMPT_CHARS));
const nothing = v.object({});
const done = v.object({ seq: Seq });
const session = { session: SessionId };
const settings = { model: v.optional(label), mode: v.optional(label) };

/** A page of entries: those of `entries` are contiguous and end right before the next newer page, or at the end. */
const Page = v.object({
  entries: v.array(Entry),
  /** Whether older entries exist. */
  more: v.boolean(),
});

export interface Row<
  Kind extends "query" | "intent" = "query" | "intent",
  Params extends Schema = Schema,
  Result extends Schema = Schema,
> {
  /** `owner`, or the verb a grant on the session in `params.session` must have. */
  readonly verb: "owner" | Verb;
  /** A query changes nothing and may be repeated. An intent carries an id; repeating it gives the first answer again. */
  readonly kind: Kind;
  readonly params: Params;
  readonly result: Result;
  /** One sentence for the reference. */
  readonly about: string;
}
type Schema = v.GenericSchema<unknown, unknown>;

function row<const Kind extends "query" | "intent", Params extends Schema, Result extends Schema>(
  verb: Row["verb"],
  kind: Kind,
  about: string,
  params: Params,
  result: Result,
): Row<Kind, Params, Result> {
  return { verb, kind, params, result, about };
}

const FollowResult = v.variant("kind", [
  /** Entries from `from` on follow on the entries stream, then live ones. */
  v.object({ kind: v.literal("entries"), from: Seq }),
  /** The newest page, the fold at its end, and the earlier entries of items still open; then live entries. */
  v.object({
    kind: v.literal("window"),
    state: SessionState,
    ...Page.entries,
    carried: v.array(Entry),
  }),
]);
export type FollowResult = v.InferOutput<typeof FollowResult>;

export const METHODS = {
  "host.read": row(
    "owner",
    "query",
    "What this host is and runs.",
    nothing,
    v.object({
      host: HostId,
      name: label,
      version: label,
      started: Time,
      home: label,
      platform: label,
      keeper: v.object({ pid: v.number(), children: v.number() }),
      rss: v.number(),
    }),
  ),
  "host.check": row(
    "owner",
    "query",
    "What is installed, reachable or wrong, and how to mend it.",
    nothing,
    v.object({
      findings: v.array(
        v.object({
          level: v.picklist(["ok", "warning", "error"]),
          about: label,
          message: v.string(),
          mend: v.optional(v.string()),
        }),
      ),
    }),
  ),
  "host.stop": row(
    "owner",
    "intent",
    "Ends the host; with `keeper` also the agents.",
    v.object({ keeper: v.boolean() }),
    nothing,
  ),
  "feed.follow": row(
    "owner",
    "query",
    "Host-level facts after `from`, then live ones, on the asks stream.",
    v.object({ from: Seq }),
    v.object({ facts: v.array(FeedEntry), last: Seq }),
  ),
  "agent.list": row(
    "owner",
    "query",
    "Agents this host knows, and which can be started.",
    nothing,
    v.object({ agents: v.array(AgentInfo) }),
  ),
  "workspace.list": row(
    "owner",
    "query",
    "Folders that have had sessions, newest first.",
    nothing,
    v.object({ folders: v.array(Folder), home: FolderPath }),
  ),
  "workspace.browse": row(
    "owner",
    "query",
    "The folders inside a folder.",
    v.object({ path: FolderPath }),
    v.object({ path: FolderPath, parent: v.optional(FolderPath), folders: v.array(Folder) }),
  ),
  "session.list": row(
    "owner",
    "query",
    "Sessions, newest first.",
    nothing,
    v.object({ sessions: v.pipe(v.array(Summary), v.maxLength(MAX_SESSIONS_LISTED)) }),
  ),
  "session.create": row(
    "owner",
    "intent",
    "Opens a session whose id is the intent's, starts its agent, and gives it the first prompt, all in one.",
    v.object({ agent: AgentName, workspace: FolderPath, ...settings, prompt: v.optional(prompt) }),
    v.object({ ...session, seq: Seq }),
  ),
  "session.follow": row(
    "read",
    "query",
    "Entries from `from` on, then live entries and deltas. Without `from`, or too far behind: a window.",
    v.object({ ...session, from: v.optional(Seq) }),
    FollowResult,
  ),
  "session.unfollow": row("read", "query", "Ends what `session.follow` began.", v.object(session), nothing),
  "session.page": row(
    "read",
    "query",
    "The page of entries right before `before`.",
    v.object({
      ...session,
      before: Seq,
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(PAGE_ENTRIES))),
    }),
    Page,
  ),
  "session.prompt": row(
    "prompt",
    "intent",
    "Gives the agent a prompt: after the running turn, or into it.",
    v.object({ ...session, text: prompt, delivery: Delivery }),
    done,
  ),
  "session.withdraw": row(
    "prompt",
    "intent",
    "Takes back a prompt that the agent has not taken yet.",
    v.object({ ...session, prompt: PromptId }),
    done,
  ),
  "session.interrupt": row("prompt", "intent", "Stops the running turn; the session stays.", v.object(session), done),
  "session.configure": row(
    "owner",
    "intent",
    "Changes model, mode or title.",
    v.object({ ...session, ...settings, title: v.optional(label) }),
    done,
  ),
  "session.stop": row(
    "owner",
    "intent",
    "Ends the agent's process; the session can be resumed.",
    v.object(session),
    done,
  ),
  "session.resume": row("owner", "intent", "Starts the agent again where the session ended.", v.object(session), done),
  "session.remove": row("owner", "intent", "Forgets an ended session and its journal.", v.object(session), nothing),
  "ask.answer": row(
    "answer",
    "intent",
    "Settles an ask. The first answer wins; a later one gets `already_settled`.",
    v.object({ ...session, ask: AskId, answer: Answer }),
    done,
  ),
  "ask.dismiss": row(
    "answer",
    "intent",
    "Puts the card away on every device. The agent is told nothing; the ask can still be answered.",
    v.object({ ...session, ask: AskId }),
    done,
  ),
  "offer.make": row(
    "owner",
    "intent",
    "A one-time invitation for a new device of the owner.",
    v.object({
      life: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1_000), v.maxValue(MAX_OFFER_MS))),
    }),
    OfferMade,
  ),
  "offer.withdraw": row("owner", "intent", "Ends an open offer.", v.object({ offer: v.string() }), nothing),
  "device.list": row(
    "owner",
    "query",
    "Devices paired with this host.",
    nothing,
    v.object({ devices: v.pipe(v.array(Device), v.maxLength(MAX_DEVICES)) }),
  ),
  "device.rename": row(
    "owner",
    "intent",
    "Names a device.",
    v.object({
      device: DeviceId,
      name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(MAX_DEVICE_NAME_CHARS)),
    }),
    nothing,
  ),
  "device.revoke": row(
    "owner",
    "intent",
    "Ends a device's grant and cuts its connections.",
    v.object({ device: DeviceId }),
    nothing,
  ),
} as const satisfies Record<string, Row>;

export type Method = keyof typeof METHODS;
export type Params<M extends Method> = v.InferOutput<(typeof METHODS)[M]["params"]>;
export type Result<M extends Method> = v.InferOutput<(typeof METHODS)[M]["result"]>;
export type IntentMethod = {
  [M in Method]: (typeof METHODS)[M]["kind"] extends "intent" ? M : never;
}[Method];
export type QueryMethod = Exclude<Method, IntentMethod>;

export function isMethod(name: string): name is Method {
  return Object.hasOwn(METHODS, name);
}
