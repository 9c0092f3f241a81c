/** The shapes of everything that travels, as PROTOCOL.md shows them: read out of the schemas themselves. */

import { AgentInfo } from "../../protocol/agent.ts";
import { Answer, Ask, Choice, Evidence, Question, Reply, Settlement } from "../../protocol/ask.ts";
import { Device, Introduction } from "../../protocol/device.ts";
import { Delivery, Delta, Entry, Fact, Usage } from "../../protocol/entry.ts";
import { CallFault, ErrorCode } from "../../protocol/error.ts";
import { FeedEntry, FeedFact } from "../../protocol/feed.ts";
import { Grant, Verb } from "../../protocol/grant.ts";
import * as ids from "../../protocol/ids.ts";
import { Edit, Item, ToolKind } from "../../protocol/item.ts";
import { DeviceMessage, HostMessage } from "../../protocol/message.ts";
import { METHODS } from "../../protocol/methods.ts";
import { OfferMade } from "../../protocol/offer-made.ts";
import { DeviceHello, HostHello } from "../../protocol/relay.ts";
import * as account from "../../protocol/relay/account.ts";
import * as relay from "../../protocol/relay/words.ts";
import { OpenAsk, SessionState, Status, Summary, WaitingPrompt } from "../../protocol/session.ts";
import { describe, type Names } from "../../protocol/wire.ts";
import { Folder, FolderPath } from "../../protocol/workspace.ts";

const { AgentName, AskId, DeviceId, HostId, IntentId, ItemId, PromptId, Seq, SessionId, Time, TurnId } = ids;
type Schema = Parameters<typeof describe>[0];

const NAMED = {
  HostId,
  DeviceId,
  SessionId,
  IntentId,
  PromptId,
  TurnId,
  ItemId,
  AskId,
  AgentName,
  Seq,
  Time,
  Entry,
  Fact,
  Item,
  ToolKind,
  Edit,
  Delta,
  Usage,
  Delivery,
  Ask,
  Evidence,
  Choice,
  Question,
  Answer,
  Reply,
  Settlement,
  Summary,
  SessionState,
  Status,
  OpenAsk,
  WaitingPrompt,
  FeedEntry,
  FeedFact,
  Device,
  Grant,
  Verb,
  AgentInfo,
  Folder,
  FolderPath,
  OfferMade,
  CallFault,
  ErrorCode,
};
const NAMES: Names = new Map(Object.entries(NAMED).map(([name, schema]) => [schema, name]));

/** Hellos, what a device says of itself, and both directions of the inner conversation. */
export function messageShapes(): string {
  return fenced([
    definition("HostHello", HostHello),
    definition("DeviceHello", DeviceHello),
    definition("Introduction", Introduction),
    definition("DeviceMessage", DeviceMessage),
    definition("HostMessage", HostMessage),
  ]);
}

/** What is said to a relay, and what it says; then the calls about an account. */
export function relayShapes(): string {
  const { RelayHello, Opening, JoinBy, Welcome, Refused, RefusedCode, Session, TicketBody, Caller, ToHost, FromHost } =
    relay;
  const messages = { RelayHello, Opening, JoinBy, Welcome, Refused, Session, TicketBody, Caller, ToHost, FromHost };
  const { Stretching, Lock, Member, AccountHost, Notice, AccountCode, ToMember } = account;
  const shapes = { ...messages, RefusedCode, Stretching, Lock, Member, AccountHost, Notice, AccountCode, ToMember };
  return fenced([
    ...Object.entries(shapes).map(([name, schema]) => definition(name, schema)),
    ...Object.entries(account.ACCOUNT_METHODS).map(
      ([name, { needs, params, result }]) => `${name} (${needs})\n  ${inner(params)}\n  ->${alternatives(result)}`,
    ),
  ]);
}

export function namedShapes(): string {
  return fenced(Object.entries(NAMED).map(([name, schema]) => definition(name, schema)));
}

export function methodShapes(): string {
  return fenced(
    Object.entries(METHODS).map(
      ([name, { params, result }]) => `${name}\n  ${inner(params)}\n  ->${alternatives(result)}`,
    ),
  );
}

/** `Name = …`, with each kind of a union on a line of its own. */
function definition(name: string, schema: unknown): string {
  return `${name} =${alternatives(schema)}`;
}

function alternatives(schema: unknown): string {
  const { type, options } = schema as { type?: string; options?: readonly unknown[] };
  return type === "variant" && options
    ? options.map((option) => `\n  | ${inner(option)}`).join("")
    : ` ${inner(schema)}`;
}

function inner(schema: unknown): string {
  return describe(schema as Schema, NAMES).replaceAll("{  }", "{}");
}

function fenced(lines: readonly string[]): string {
  return `\`\`\`\n${lines.join("\n")}\n\`\`\``;
}
