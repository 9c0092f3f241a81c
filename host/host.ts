/** Builds the host out of its parts, and takes it down in the other order. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import type { FeedEntry } from "@flybridge/protocol/feed.ts";
import type { AgentName, HostId } from "@flybridge/protocol/ids.ts";
import { openAccess } from "./access/access.ts";
import type { Agent } from "./agents/agent.ts";
import type { ScreenAgent } from "./agents/screen-agent.ts";
import { openDirect } from "./doors/direct.ts";
import { type Confirm, type Gate, makeGate } from "./doors/gate.ts";
import { openLocal } from "./doors/local.ts";
import { makeFeed } from "./live/feed.ts";
import { makeHands } from "./live/hands.ts";
import { makeSessions } from "./live/sessions.ts";
import { makeWriter } from "./live/writer.ts";
import { openAttachments } from "./machine/attachments.ts";
import { nodeDeflate, nodeInflate } from "./machine/deflate.ts";
import { echoes } from "./machine/echo.ts";
import { environmentFor } from "./machine/environment.ts";
import { type Home, takeHome } from "./machine/home.ts";
import { identityFrom } from "./machine/identity.ts";
import { connectKeeper, type Keeper, keeperPlace } from "./machine/keeper.ts";
import { openRelayFile } from "./machine/relay-file.ts";
import { openRules } from "./machine/rule-file.ts";
import { openStore } from "./machine/store/store.ts";
import { openOutside } from "./outside/open.ts";
import { nodeSuite } from "@flybridge/crypto/suite-node.ts";
import { makeDesk } from "./desk.ts";
import type { Reach } from "./methods/device.ts";
import { makeRelays, type Relays } from "./relays.ts";
import { pairShell } from "./shell.ts";
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
  const relayFile = openRelayFile(join(home.root, "relays.json"), note);
  const access = held.use(
    openAccess({
      store,
      relays: relayFile,
      identity,
      publish: (fact) => feed.published([store.feed.put(fact)]),
      now,
      after,
    }),
  );
  const host = { id: identity.host, name: identity.name, key: identity.key.publicKey, version: VERSION };
  const relays = makeRelays({
    shelf: relayFile,
    host: { ...host, signing: identity.signing },
    access,
    now,
    log: note,
  });

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

  access.attach({
    gone(ids, ended) {
      for (const session of sessions.list()) session.drop(ids);
      relays.revoked(ended.flatMap(({ proof }) => proof ?? []));
    },
    offersChanged: () => relays.offersChanged(),
  });

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
      ice: () => [...(options.ice ?? []), ...relays.ice()],
      enter: (link) => gate.enter(link, { way: "direct" }),
      log: note,
    }),
  );
  const shell = pairShell({ path: home.shell, devices: access.devices, host, socket: home.socket });
  const desk = makeDesk({
    host,
    identity: toBase64Url(identity.signing.publicKey),
    home,
    agents: options.agents,
    store,
    access,
    shell,
    sessions,
    feed,
    rules,
    attachments,
    outside,
    relays,
    direct,
    env: childEnv,
    now,
    keeper: () => ({
      pid: keeper.hello.pid,
      children: sessions.list().filter(({ state }) => state.pid !== undefined).length,
    }),
    reach: () => reachOf(ways, relays),
    app: () => ways.reach().origin,
    stop: (withKeeper) => void setImmediate(() => void stop(withKeeper)),
  });
  const gate: Gate = makeGate({
    ...access,
    suite: nodeSuite(),
    hostKey: identity.key,
    hostId: identity.host,
    confirm: options.confirm,
    note: (what) => access.audit.note(what),
    desk,
    deflate: nodeDeflate,
    inflate: nodeInflate,
    direct: (way) => direct.told(way),
    now,
    log: note,
  });
  hands.dismiss((name) => sessions.owns(name));
  sessions.recover();
  access.keepOnly(
    new Set(sessions.list().flatMap(({ state }) => (state.status.kind === "ended" ? [] : [state.session]))),
  );
  await outside.start(sessions);
  const ways = held.use(
    await openWays({
      ...options,
      gate,
      connect: () => relays.list().map(({ origin }) => origin.replace(/^http/u, "ws")),
      root: home.root,
      host,
      now,
      log: note,
    }),
  );
  held.use(await openLocal({ path: home.socket, gate }));
  held.use(relays);
  relays.dial(gate, options.relays ?? [], options.invitation);
  const running = held.move();
  return { id: identity.host, port: ways.port, ...(ways.tls ? { tls: ways.tls } : {}), ended, stop };
}

/** Where devices find this host: at its own addresses, and by a relay that has it now. */
function reachOf(ways: Ways, relays: Relays): Reach {
  const { addresses, origin, isRemote } = ways.reach();
  const relay = relays.forOffer();
  // A link to loopback opens nothing on another machine.
  return { addresses, origin: relay?.app && !isRemote ? relay.origin : origin, ...(relay ? { relay } : {}) };
}

export const VERSION = (
  JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as { version: string }
).version;
