/**
 * The method table: the whole inner API. From a row come the types on both sides, the validation, the authorization,
 * the reference in PROTOCOL.md and the test that tries every method with every kind of grant. No row, no call.
 */
import * as v from "valibot";
import { AgentInfo, Command } from "./agent.ts";
import { Answer } from "./ask.ts";
import { AuditHead, AuditRow } from "./audit.ts";
import { AttachmentHash, Uploads } from "./attachment.ts";
import { Continued, Conversation, ConversationId, Said } from "./conversation.ts";
import { Device, MAX_DEVICE_NAME_CHARS } from "./device.ts";
import { Description } from "./direct.ts";
import { Delivery, Entry } from "./entry.ts";
import { FeedEntry } from "./feed.ts";
import { Verb } from "./grant.ts";
import { AgentName, AskId, DeviceId, HostId, PromptId, Seq, SessionId, Time } from "./ids.ts";
import {
  AUDIT_PAGE_ROWS,
  MAX_CONVERSATIONS,
  MAX_DEVICES,
  MAX_FILES_FOUND,
  MAX_GRANT_MS,
  MAX_LABEL_CHARS,
  MAX_OFFER_MS,
  MAX_OPEN_OFFERS,
  MAX_PATH_CHARS,
  MAX_PREVIEW_TURNS,
  MAX_PROMPT_CHARS,
  MAX_RULES,
  MAX_SCROLLBACK_LINES,
  MAX_SESSIONS_LISTED,
  MAX_TYPED_CHARS,
  PAGE_ENTRIES,
} from "./limits.ts";
import { OfferMade, OpenOffer } from "./offer-made.ts";
import { Digits, Pairing, PairingId } from "./pairing.ts";
import { Bytes32, Invitation, Signature } from "./relay/shapes.ts";
import { HostRelay, MAX_RELAYS, RelayWay } from "./relays.ts";
import { Rule, RuleId } from "./rule.ts";
import { SessionState, Summary } from "./session.ts";
import { Size, Whose } from "./size.ts";
import { Folder, FolderPath } from "./workspace.ts";

const label = v.pipe(v.string(), v.maxLength(MAX_LABEL_CHARS));
const prompt = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PROMPT_CHARS));
const nothing = v.object({});
const done = v.object({ seq: Seq });
const session = { session: SessionId };
const settings = { model: v.optional(label), mode: v.optional(label) };

const found = v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS));
/** Paths from the folder on, with `/`; a folder's ends with one. */
const files = v.object({
  paths: v.pipe(v.array(v.pipe(v.string(), v.maxLength(MAX_PATH_CHARS))), v.maxLength(MAX_FILES_FOUND)),
});

const Hook = v.object({
  agent: AgentName,
  /** The settings file. */
  path: label,
  state: v.picklist(["installed", "absent", "unreadable"]),
  /** What is in the way, and how to mend it. */
  problem: v.optional(v.string()),
  /** The copy of the file as it was before it was last changed. */
  backup: v.optional(label),
});
export type Hook = v.InferOutput<typeof Hook>;

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
  /** `owner`, or the verb a grant on the session in `params.session` must have; `any`: every grant, while it lasts. */
  readonly verb: "owner" | "any" | Verb;
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
  "direct.open": row(
    "any",
    "query",
    "Answers the offer of a data channel to the host itself: another way in, which gives no more than any way in.",
    v.object({ sdp: Description }),
    v.object({ sdp: Description }),
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
  "workspace.find": row(
    "owner",
    "query",
    "Files of a folder whose path matches, best first: to be mentioned in a first prompt.",
    v.object({ path: FolderPath, text: found }),
    files,
  ),
  "conversation.list": row(
    "owner",
    "query",
    "Conversations that agents keep on this machine, newest first: begun anywhere, to be gone on with here.",
    v.object({ agent: v.optional(AgentName), workspace: v.optional(FolderPath), text: v.optional(label) }),
    v.object({ conversations: v.pipe(v.array(Conversation), v.maxLength(MAX_CONVERSATIONS)) }),
  ),
  "conversation.read": row(
    "owner",
    "query",
    "What was last said in a conversation.",
    v.object({ agent: AgentName, conversation: ConversationId }),
    v.object({ said: v.pipe(v.array(Said), v.maxLength(MAX_PREVIEW_TURNS)) }),
  ),
  "hook.list": row(
    "owner",
    "query",
    "The agents' own settings files in which this host may be told of asks, and whether it is.",
    nothing,
    v.object({ hooks: v.array(Hook) }),
  ),
  "hook.install": row(
    "owner",
    "intent",
    "Adds this host's hook to an agent's settings; what else they hold stays, and a copy is kept.",
    v.object({ agent: AgentName }),
    Hook,
  ),
  "hook.remove": row("owner", "intent", "Takes this host's hook out again.", v.object({ agent: AgentName }), Hook),
  "rule.list": row(
    "owner",
    "query",
    "Standing rules, newest first.",
    nothing,
    v.object({ rules: v.pipe(v.array(Rule), v.maxLength(MAX_RULES)) }),
  ),
  "rule.revoke": row(
    "owner",
    "intent",
    "Ends a standing rule: it is asked again.",
    v.object({ rule: RuleId }),
    nothing,
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
    v.object({
      agent: AgentName,
      workspace: FolderPath,
      ...settings,
      prompt: v.optional(prompt),
      attachments: v.optional(Uploads),
      /** Of a terminal: what runs in it (the person's shell when absent), and its size at first. */
      command: v.optional(Command),
      size: v.optional(Size),
      /** Goes on with a conversation that the agent keeps. */
      from: v.optional(Continued),
    }),
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
    v.object({ ...session, text: prompt, delivery: Delivery, attachments: v.optional(Uploads) }),
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
    "Changes model, mode, title, or one of the agent's own settings.",
    v.object({
      ...session,
      ...settings,
      title: v.optional(label),
      setting: v.optional(v.object({ setting: label, value: label })),
    }),
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
  "session.share": row(
    "share",
    "intent",
    "A one-time invitation to this session alone: the verbs named, until a time, and never more than the caller has.",
    v.object({
      ...session,
      verbs: v.pipe(v.array(Verb), v.minLength(1), v.maxLength(Verb.options.length)),
      /** Milliseconds from now; 8 hours when absent, cut to what the caller's own grant has left. */
      life: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60_000), v.maxValue(MAX_GRANT_MS))),
    }),
    OfferMade,
  ),
  "session.detach": row(
    "detach",
    "intent",
    "Gives the caller's grant on this session back, and ends its connections. The session goes on.",
    v.object(session),
    nothing,
  ),
  "session.find": row(
    "files",
    "query",
    "Files of the session's workspace whose path matches, best first: to be mentioned in a prompt.",
    v.object({ ...session, text: found }),
    files,
  ),
  "attachment.read": row(
    "read",
    "query",
    "The bytes of something that was attached to a prompt of the session.",
    v.object({ ...session, hash: AttachmentHash }),
    v.object({ data: v.string() }),
  ),
  "terminal.follow": row(
    "read",
    "query",
    "Draws a session's terminal on the terminal stream: a snapshot, then frames. From `from` on, where that is near.",
    v.object({ ...session, from: v.optional(Seq) }),
    v.object({ size: Size, whose: Whose, ended: v.boolean() }),
  ),
  "terminal.unfollow": row("read", "query", "Ends what `terminal.follow` began.", v.object(session), nothing),
  "terminal.input": row(
    "input",
    "query",
    "Types into a terminal, once for each keyboard and number; answered when the program can read it. Never journaled.",
    v.object({
      ...session,
      /** Chosen by the device, anew for each terminal it opens. */
      keyboard: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,32}$/)),
      number: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      text: v.pipe(v.string(), v.maxLength(MAX_TYPED_CHARS)),
    }),
    nothing,
  ),
  "terminal.resize": row(
    "input",
    "query",
    "Sets a terminal's size, where it is this device's or nobody's; with `take` it becomes this device's.",
    v.object({ ...session, size: Size, take: v.boolean() }),
    v.object({ size: Size, whose: Whose }),
  ),
  "terminal.page": row(
    "read",
    "query",
    "Lines of scrollback right before line `before` (the newest ones when absent), as plain text.",
    v.object({ ...session, before: v.optional(Seq) }),
    v.object({
      /** Number of the first line of the page, counted from the oldest that is kept. */
      first: Seq,
      lines: v.pipe(v.array(v.string()), v.maxLength(MAX_SCROLLBACK_LINES)),
    }),
  ),
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
  "relay.list": row(
    "owner",
    "query",
    "The relays by which this host is reached, and how each fares.",
    nothing,
    v.object({
      relays: v.pipe(v.array(HostRelay), v.maxLength(MAX_RELAYS)),
      /** HI: what an account signs that the host is to trust. */
      identity: Bytes32,
      /** The origin under which the host itself serves its app. */
      app: label,
    }),
  ),
  "relay.ways": row(
    "any",
    "query",
    "How the calling device comes back by the host's relays: it names the key by which it proves itself to them.",
    v.object({ key: Bytes32 }),
    v.object({ ways: v.pipe(v.array(RelayWay), v.maxLength(MAX_RELAYS)) }),
  ),
  "relay.add": row(
    "owner",
    "intent",
    "Holds a connection to a relay from now on. Of one that is there already, tries again now.",
    v.object({ origin: label, invitation: v.optional(Invitation) }),
    nothing,
  ),
  "relay.remove": row("owner", "intent", "Gives a relay up.", v.object({ origin: label }), nothing),
  "account.trust": row(
    "owner",
    "intent",
    "Lets the devices of an account at one of the host's relays in as the owner's, without an invitation.",
    v.object({
      origin: label,
      /** The account's public key. */
      account: Bytes32,
      /** The secret that the account's devices make for this host. */
      pairing: Bytes32,
      /** The account's signature over the host's identity key and its rendezvous. */
      endorsement: Signature,
    }),
    nothing,
  ),
  "account.distrust": row(
    "owner",
    "intent",
    "Lets no further device of that account in. Those that are in stay until they are revoked.",
    v.object({ origin: label }),
    nothing,
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
  "offer.list": row(
    "owner",
    "query",
    "Invitations that can still be used.",
    nothing,
    v.object({ offers: v.pipe(v.array(OpenOffer), v.maxLength(MAX_OPEN_OFFERS)) }),
  ),
  "offer.withdraw": row("owner", "intent", "Ends an open offer.", v.object({ offer: v.string() }), nothing),
  "pairing.list": row(
    "owner",
    "query",
    "Devices that used an invitation and wait for their digits to be typed at the host.",
    nothing,
    v.object({ pairings: v.array(Pairing) }),
  ),
  "pairing.confirm": row(
    "owner",
    "intent",
    "Lets a waiting device in, by the digits it shows. Other digits turn it away: there is one attempt.",
    v.object({ pairing: PairingId, digits: Digits }),
    nothing,
  ),
  "pairing.refuse": row("owner", "intent", "Turns a waiting device away.", v.object({ pairing: PairingId }), nothing),
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
    "Ends a device's grant, those it passed on, and cuts their connections.",
    v.object({ device: DeviceId }),
    nothing,
  ),
  "device.revokeAll": row(
    "owner",
    "intent",
    "Ends every grant but the caller's and this machine's own shell's, and every open invitation.",
    nothing,
    v.object({ revoked: Seq }),
  ),
  "audit.list": row(
    "owner",
    "query",
    "The page of the audit log right before `before`, or the newest; oldest row first.",
    v.object({ before: v.optional(Seq) }),
    v.object({ rows: v.pipe(v.array(AuditRow), v.maxLength(AUDIT_PAGE_ROWS)), more: v.boolean() }),
  ),
  "audit.verify": row(
    "owner",
    "query",
    "Reads the whole audit log and says whether a row was removed, changed or moved.",
    nothing,
    v.object({
      rows: Seq,
      head: v.optional(AuditHead),
      /** HI.pub of the host, in base64url: what `head` is signed with. */
      key: v.string(),
      fault: v.optional(v.object({ seq: Seq, message: v.string() })),
    }),
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
