/** The desk: what each call does, put together of the nouns that it needs. */
import { homedir } from "node:os";
import { CallError } from "@flybridge/protocol/error.ts";
import type { DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import type { Access } from "./access/access.ts";
import type { Agent } from "./agents/agent.ts";
import type { ScreenAgent } from "./agents/screen-agent.ts";
import type { AttachmentShelf } from "./core/ports.ts";
import type { Desk } from "./doors/desk.ts";
import type { DirectDoor } from "./doors/direct.ts";
import type { Feed } from "./live/feed.ts";
import type { Sessions } from "./live/sessions.ts";
import { makeFinder } from "./machine/finder.ts";
import type { Home } from "./machine/home.ts";
import type { RuleFile } from "./machine/rule-file.ts";
import type { Store } from "./machine/store/store.ts";
import { attachmentQueries } from "./methods/attachment.ts";
import { conversationQueries } from "./methods/conversation.ts";
import { deviceIntents, deviceQueries, type Reach } from "./methods/device.ts";
import { directQueries } from "./methods/direct.ts";
import { findQueries } from "./methods/find.ts";
import { hookIntents, hookQueries } from "./methods/hook.ts";
import { hostIntents, hostQueries } from "./methods/host.ts";
import { relayIntents, relayQueries } from "./methods/relay.ts";
import { ruleIntents, ruleQueries } from "./methods/rule.ts";
import { sessionIntents, sessionQueries } from "./methods/session.ts";
import { followTerminal, terminalQueries } from "./methods/terminal.ts";
import { workspaceQueries } from "./methods/workspace.ts";
import { writeHookProgram } from "./outside/hook-program.ts";
import type { OutsideHere } from "./outside/open.ts";
import type { Relays } from "./relays.ts";

export function makeDesk(parts: {
  readonly host: { readonly id: HostId; readonly name: string; readonly key: Uint8Array; readonly version: string };
  /** HI, base64url. */
  readonly identity: string;
  readonly home: Home;
  readonly agents: readonly (Agent | ScreenAgent)[];
  readonly store: Store;
  readonly access: Access;
  /** This machine's own shell. */
  readonly shell: DeviceId;
  readonly sessions: Sessions;
  readonly feed: Feed;
  readonly rules: RuleFile;
  readonly attachments: AttachmentShelf;
  readonly outside: OutsideHere;
  readonly relays: Relays;
  readonly direct: DirectDoor;
  /** What agents get. */
  readonly env: Readonly<Record<string, string>>;
  now(): number;
  keeper(): { readonly pid: number; readonly children: number };
  readonly reach: () => Reach;
  /** Under which origin the host itself serves its app. */
  readonly app: () => string;
  stop(keeper: boolean): void;
}): Desk {
  const { home, agents, store, access, sessions, feed, rules, attachments, outside, relays, env, now } = parts;
  const hook = {
    agents,
    env,
    program: home.hookProgram,
    write: () => writeHookProgram({ program: home.hookProgram, socket: home.hooks }),
  };
  const host = { ...parts.host, started: now(), root: home.root, keeper: parts.keeper };
  return {
    host,
    queries: {
      ...hostQueries({ host, agents, env, rules: rules.problem, now }),
      ...directQueries(parts.direct),
      ...workspaceQueries(sessions, homedir()),
      ...sessionQueries(sessions),
      ...findQueries({ sessions, finder: makeFinder(now) }),
      ...attachmentQueries({ attachments, names: store.attached }),
      ...ruleQueries(rules),
      ...conversationQueries({
        agents,
        env,
        shelf: store.sessions,
        open: () => outside.present.map(({ agent, stranger }) => ({ agent, conversation: stranger.conversation })),
      }),
      ...hookQueries(hook),
      ...terminalQueries(sessions),
      ...deviceQueries(access),
      ...relayQueries({ relays, devices: access.devices, identity: parts.identity, app: parts.app }),
    },
    intents: {
      ...hostIntents(parts.stop),
      ...sessionIntents(sessions),
      ...ruleIntents(rules),
      ...hookIntents(hook),
      ...relayIntents({ relays, audit: access.audit }),
      ...deviceIntents({
        ...access,
        host,
        shell: parts.shell,
        requireRunning(session) {
          if (sessions.get(session).state.status.kind === "ended")
            throw new CallError("wrong_state", "The session has ended. Resume it, then share it.");
        },
        now,
        reach: parts.reach,
      }),
    },
    follow(id, from, sink, { device }) {
      const session = sessions.get(id);
      const { answer, follower } = session.follow(from, sink);
      const view = access.devices.view(device, id);
      return {
        answer,
        following: {
          pump: () => follower.pump(),
          [Symbol.dispose]() {
            session.unfollow(follower);
            view[Symbol.dispose]();
          },
        },
      };
    },
    followTerminal: followTerminal(sessions),
    followFeed: (from, sink) => feed.follow(from, sink),
  };
}
