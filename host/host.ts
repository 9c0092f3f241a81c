/** Builds the host out of its parts, and takes it down in the other order. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { CallError } from "@flybridge/protocol/error.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { AgentName, DeviceId, HostId } from "@flybridge/protocol/ids.ts";
import type { Agent } from "./agents/agent.ts";
import type { ScreenAgent } from "./agents/screen-agent.ts";
import { makeAccounts } from "./access/accounts.ts";
import { type Access, openAccess } from "./access/access.ts";
import type { Desk } from "./doors/desk.ts";
import { type DirectDoor, openDirect } from "./doors/direct.ts";
import { type Confirm, type Gate, makeGate } from "./doors/gate.ts";
import { openLocal } from "./doors/local.ts";
import { makeFeed } from "./live/feed.ts";
import { makeHands } from "./live/hands.ts";
import { makeSessions, type Sessions } from "./live/sessions.ts";
import { makeWriter } from "./live/writer.ts";
import { openAttachments } from "./machine/attachments.ts";
import { nodeDeflate, nodeInflate } from "./machine/deflate.ts";
import { echoes } from "./machine/echo.ts";
import { environmentFor } from "./machine/environment.ts";
import { makeFinder } from "./machine/finder.ts";
import { type Home, takeHome } from "./machine/home.ts";
import { identityFrom } from "./machine/identity.ts";
import { connectKeeper, type Keeper, keeperPlace } from "./machine/keeper.ts";
import { openRules } from "./machine/rule-file.ts";
import { openStore, type Store } from "./machine/store/store.ts";
import { nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { attachmentQueries } from "./methods/attachment.ts";
import { conversationQueries } from "./methods/conversation.ts";
import { deviceIntents, deviceQueries } from "./methods/device.ts";
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
import { openOutside, type OutsideHere } from "./outside/open.ts";
import { pairShell } from "./shell.ts";
import { openRelays, type Relays } from "./relays.ts";
import { type Bind, openWays, type Ways } from "./ways.ts";

export interface HostOptions {
  readonly home: Home;
  readonly port: number;
  /** Loopback only when absent. */
  readonly bind?: Bind | undefined;
  /** Relays to be reached by, beside those it was told before, and what registers it with the new ones. */
  readonly relays?: readonly string[];
  readonly invitation?: string | undefined;
  readonly name?: string | undefined;
  readonly origins: readonly string[];
  /** Devices that come by a relay or a proxy may go on without it, unless false. */
  readonly direct?: boolean;
  /** STUN and TURN servers for that; none when absent. */
  readonly ice?: readonly IceServer[];
  /** When a person has to let in a new device of the owner's. */
  readonly confirm: Confirm;
  /** The built web app. */
  readonly app: string;
  readonly agents: readonly (Agent | ScreenAgent)[];
  /** The environment of the host, of which agents get what does not open the host. */
  readonly env: NodeJS.ProcessEnv;
  /** The person's own umask; the host's is 077. */
  readonly umask: number;
  readonly log: Log;
  /** The wall clock, in milliseconds; a test sets it where it likes. */
  readonly now?: () => number;
}

export interface Log {
  info(detail: Record<string, unknown>, message: string): void;
  warn(detail: Record<string, unknown>, message: string): void;
}

export interface Host extends Pick<Ways, "port" | "tls"> {
  readonly id: HostId;
  /** Settles when the host has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** With `keeper`, the agents end too. */
  stop(keeper: boolean): Promise<void>;
}

/** Rejects with an error whose message says what is wrong and how to mend it; then nothing is left behind. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { home, env, log } = options;
  await using held = new AsyncDisposableStack();
  held.use(takeHome(home));
  const store = openStore(home.database);
  held.defer(() => store.close());
  const identity = identityFrom(home.identity, options.name);
  const now = options.now ?? Date.now;
  const note = (message: string, detail: Record<string, unknown>): void => log.warn(detail, message);

  const feed = makeFeed(store.feed);
  const after = (milliseconds: number, work: () => void): Disposable => {
    const timer = setTimeout(work, milliseconds);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  };
  /** Grants may be over before there are sessions. */
  const live: { sessions?: Sessions; relays?: Relays } = {};
  const access = held.use(
    openAccess({
      store,
      identity,
      publish: (fact) => feed.published([store.feed.put(fact)]),
      gone: (ids, ended) => {
        for (const session of live.sessions?.list() ?? []) session.drop(ids);
        live.relays?.revoked(ended.flatMap(({ proof }) => proof ?? []));
        live.relays?.bar(ended.flatMap(({ device, grant }) => (grant.kind === "owner" ? [device] : [])));
      },
      offersChanged: () => live.relays?.offersChanged(),
      now,
      after,
    }),
  );
  const { devices } = access;
  const host = { id: identity.host, name: identity.name, key: identity.key.publicKey };

  const hands = makeHands({ lost: (reason) => void keeperLost(reason), umask: options.umask, echoes, log: note });
  const place = keeperPlace(home.root);
  let keeper: Keeper = await connectKeeper({ place, events: hands.events, start: true });
  hands.attach(keeper);
  held.defer(() => keeper[Symbol.dispose]());

  const published = (facts: readonly FeedEntry[]): void => {
    feed.published(facts);
    for (const { fact } of facts) access.heard(fact);
  };
  const writer = makeWriter(store.journal, published);
  held.defer(() => writer.flush());
  const childEnv = environmentFor(env);
  const rules = held.use(openRules({ path: join(home.root, "rules.json"), now, random: randomBytes, after }));
  if (rules.problem !== undefined) note(rules.problem, {});
  const attachments = openAttachments(join(home.root, "attachments"));
  // What a crash left without an entry that names it.
  attachments.keepOnly(store.attached.all());
  const outside = held.use(
    openOutside({
      agents: options.agents,
      env: childEnv,
      journal: store.journal,
      shelf: store.sessions,
      hook: { program: home.hookProgram, socket: home.hooks },
      keeper: () => keeper.hello.pid,
      now,
      after,
      log: note,
    }),
  );
  const sessions = makeSessions({
    shared: {
      journal: store.journal,
      shelf: store.sessions,
      writer,
      hands,
      rules,
      attachments,
      outside: outside.run,
      env: childEnv,
      now,
      after,
      log: note,
    },
    agents: new Map<AgentName, Agent | ScreenAgent>(options.agents.map((agent) => [agent.name, agent])),
    published: (facts) => {
      published(facts);
      if (facts.some(({ fact }) => fact.kind === "session.gone")) attachments.keepOnly(store.attached.all());
    },
  });

  live.sessions = sessions;

  let stopping: Promise<void> | undefined;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const stop = (withKeeper: boolean): Promise<void> => {
    stopping ??= (async () => {
      gate.close("the host is stopping");
      if (withKeeper) await keeper.shutdown();
      await running.disposeAsync();
      end();
    })();
    return stopping;
  };

  const keeperLost = async (reason: { readonly code: string; readonly message: string }): Promise<void> => {
    if (stopping) return;
    log.warn({ code: reason.code }, reason.message);
    if (reason.code === "replaced") return stop(false);
    sessions.lost();
    keeper = await connectKeeper({ place, events: hands.events, start: true });
    hands.attach(keeper);
  };

  const direct = held.use(
    openDirect({
      isWanted: options.direct ?? true,
      ice: () => [...(options.ice ?? []), ...(live.relays?.ice() ?? [])],
      enter: (link) => gate.enter(link, { way: "direct" }),
      log: note,
    }),
  );
  const desk = deskOf({
    options,
    direct,
    host,
    access,
    shell: () => shell,
    sessions,
    feed,
    rules,
    attachments,
    names: store.attached,
    outside,
    shelf: store.sessions,
    childEnv,
    now,
    keeper: () => ({
      pid: keeper.hello.pid,
      children: sessions.list().filter(({ state }) => state.pid !== undefined).length,
    }),
    relays: () => relays,
    reach: () => reachOf(ways, relays),
    identity: toBase64Url(identity.signing.publicKey),
    app: () => ways.reach().origin,
    stop: (withKeeper) => void setImmediate(() => void stop(withKeeper)),
  });
  const gate: Gate = makeGate({
    suite: nodeSuite(),
    hostKey: identity.key,
    hostId: identity.host,
    devices,
    offers: access.offers,
    pairings: access.pairings,
    accounts: makeAccounts({
      host: identity.host,
      trusted: () => relays.trusted(),
      isBarred: (device) => relays.isBarred(device),
      readmit: (device) => relays.readmit(device),
    }),
    confirm: options.confirm,
    note: (what) => access.audit.note(what),
    desk,
    deflate: nodeDeflate,
    inflate: nodeInflate,
    direct: (way) => direct.told(way),
    now,
    log: note,
  });
  const shell = pairShell({ path: home.shell, devices, host, socket: home.socket });
  hands.dismiss((name) => sessions.owns(name));
  sessions.recover();
  access.keepOnly(
    new Set(sessions.list().flatMap(({ state }) => (state.status.kind === "ended" ? [] : [state.session]))),
  );
  await outside.start(sessions);
  const relays = held.use(
    openRelays({
      root: home.root,
      origins: options.relays ?? [],
      invitation: options.invitation,
      host: { id: identity.host, key: identity.key.publicKey, signing: identity.signing },
      gate,
      offers: () => access.offers.list(),
      deviceOf(key) {
        const device = devices.byProof(key);
        if (!device || device.suspended !== undefined) return undefined;
        return { device: device.device, until: device.grant.kind === "session" ? device.grant.until : undefined };
      },
      doubled(key) {
        const device = devices.byProof(key);
        if (device) access.audit.note({ event: "ticket.doubled", device: device.device, detail: device.name });
      },
      now,
      log: note,
    }),
  );
  live.relays = relays;
  held.use(await openLocal({ path: home.socket, gate }));
  const ways = held.use(
    await openWays({
      ...options,
      gate,
      connect: () => relays.list().map(({ origin }) => origin.replace(/^http/u, "ws")),
      root: home.root,
      host: { ...host, version: VERSION },
      now,
      log: note,
    }),
  );
  const running = held.move();
  return { id: identity.host, port: ways.port, ...(ways.tls ? { tls: ways.tls } : {}), ended, stop };
}

function deskOf(parts: {
  readonly options: HostOptions;
  readonly host: { readonly id: HostId; readonly name: string; readonly key: Uint8Array };
  readonly access: Access;
  readonly direct: DirectDoor;
  /** This machine's own shell. */
  readonly shell: () => DeviceId;
  readonly sessions: Sessions;
  readonly feed: ReturnType<typeof makeFeed>;
  readonly rules: ReturnType<typeof openRules>;
  readonly attachments: ReturnType<typeof openAttachments>;
  readonly names: Store["attached"];
  readonly outside: OutsideHere;
  readonly shelf: Store["sessions"];
  readonly childEnv: Readonly<Record<string, string>>;
  now(): number;
  keeper(): { readonly pid: number; readonly children: number };
  readonly relays: () => Relays;
  readonly reach: Parameters<typeof deviceIntents>[0]["reach"];
  /** HI, base64url. */
  readonly identity: string;
  /** Under which origin the host itself serves its app. */
  readonly app: () => string;
  stop(keeper: boolean): void;
}): Desk {
  const { options, host, access, sessions, feed, rules, attachments, names, childEnv, now } = parts;
  const { agents, home } = options;
  const hook = {
    agents,
    env: childEnv,
    program: home.hookProgram,
    write: () => writeHookProgram({ program: home.hookProgram, socket: home.hooks }),
  };
  const facts = { ...host, version: VERSION, started: now(), root: options.home.root, keeper: parts.keeper };
  return {
    host: facts,
    queries: {
      ...hostQueries({ host: facts, agents: options.agents, env: childEnv, rules: rules.problem, now }),
      ...directQueries(parts.direct),
      ...workspaceQueries(sessions, homedir()),
      ...sessionQueries(sessions),
      ...findQueries({ sessions, finder: makeFinder(now) }),
      ...attachmentQueries({ attachments, names }),
      ...ruleQueries(rules),
      ...conversationQueries({
        agents,
        env: childEnv,
        shelf: parts.shelf,
        open: () =>
          parts.outside.present.map(({ agent, stranger }) => ({ agent, conversation: stranger.conversation })),
      }),
      ...hookQueries(hook),
      ...terminalQueries(sessions),
      ...deviceQueries(access),
      ...relayQueries({
        relays: parts.relays,
        devices: access.devices,
        identity: parts.identity,
        app: parts.app,
      }),
    },
    intents: {
      ...hostIntents(parts.stop),
      ...sessionIntents(sessions),
      ...ruleIntents(rules),
      ...hookIntents(hook),
      ...relayIntents({ relays: parts.relays, audit: access.audit }),
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

/** Where devices find this host: at its own addresses, and by a relay that has it now. */
function reachOf(ways: Ways, relays: Relays): ReturnType<Parameters<typeof deviceIntents>[0]["reach"]> {
  const { addresses, origin, isRemote } = ways.reach();
  const relay = relays.forOffer();
  // A link to loopback opens nothing on another machine.
  return { addresses, origin: relay?.app && !isRemote ? relay.origin : origin, ...(relay ? { relay } : {}) };
}

export const VERSION = (
  JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as { version: string }
).version;
