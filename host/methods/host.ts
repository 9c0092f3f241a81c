/** The host itself: what it is, what is wrong with it, its end; and the agents it could start. */
import { statfsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { AgentInfo } from "@flybridge/protocol/agent.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Result } from "@flybridge/protocol/methods.ts";
import type { Agent } from "../agents/agent.ts";
import type { ScreenAgent } from "../agents/screen-agent.ts";
import type { Intents, Queries } from "../doors/desk.ts";

/** Free space under which a host says so, in bytes. */
const LOW_DISK_BYTES = 512 * 1024 * 1024;
/** How long what the agents' `look` found counts as new, in milliseconds: it runs programs. */
const LOOK_MS = 30_000;
/** How long a new look is waited for where there is an older one, in milliseconds. */
const SLOW_LOOK_MS = 1_000;

export interface HostFacts {
  readonly id: HostId;
  readonly name: string;
  readonly version: string;
  readonly started: number;
  readonly root: string;
  keeper(): { readonly pid: number; readonly children: number };
}

type Finding = Result<"host.check">["findings"][number];

export function hostQueries(around: {
  readonly host: HostFacts;
  readonly agents: Iterable<Agent | ScreenAgent>;
  readonly env: Readonly<Record<string, string>>;
  /** What was wrong with the file of standing rules, and how to mend it. */
  readonly rules: string | undefined;
  now(): number;
}): Pick<Queries, "host.read" | "host.check" | "agent.list"> {
  const { host, env, now } = around;
  const agents = [...around.agents];
  let looked: { readonly at: number; readonly infos: Promise<AgentInfo[]> } | undefined;
  const lookNow = (): Promise<AgentInfo[]> => {
    looked = { at: now(), infos: Promise.all(agents.map((agent) => agent.look(env))) };
    return looked.infos;
  };
  /** A program may be slow to say that it is there: then what was found before is told, and the new to who asks next. */
  const look = async (): Promise<AgentInfo[]> => {
    const before = looked?.infos;
    if (before && looked && Math.abs(now() - looked.at) <= LOOK_MS) return before;
    const fresh = lookNow();
    return before ? Promise.race([fresh, wait(SLOW_LOOK_MS, before)]) : fresh;
  };

  return {
    "host.read": () => ({
      host: host.id,
      name: host.name,
      version: host.version,
      started: host.started,
      home: host.root,
      platform: `${process.platform} ${process.arch}, Node ${process.versions.node}`,
      keeper: host.keeper(),
      rss: process.memoryUsage.rss(),
    }),
    "host.check": async () => ({
      findings: [diskOf(host.root), keeperOf(host), ...rulesOf(around.rules), ...findingsOf(await lookNow())],
    }),
    "agent.list": async () => ({ agents: await look() }),
  };
}

export function hostIntents(stop: (keeper: boolean) => void): Pick<Intents, "host.stop"> {
  return {
    "host.stop": ({ keeper }) => {
      stop(keeper);
      return {};
    },
  };
}

function diskOf(root: string): Finding {
  const { bavail, bsize } = statfsSync(root);
  const megabytes = Math.round((bavail * bsize) / 1024 / 1024);
  if (bavail * bsize > LOW_DISK_BYTES)
    return { level: "ok", about: "disk", message: `${megabytes} MB free for ${root}.` };
  const mend = "Free some space: without it, nothing can be journaled and agents are not answered.";
  return { level: "warning", about: "disk", message: `Only ${megabytes} MB are free for ${root}.`, mend };
}

function keeperOf(host: HostFacts): Finding {
  const { pid, children } = host.keeper();
  if (pid > 0) return { level: "ok", about: "keeper", message: `Runs as process ${pid} and holds ${children} agents.` };
  return {
    level: "error",
    about: "keeper",
    message: "The keeper does not answer.",
    mend: "Run `flybridge down --all`, then `flybridge up`.",
  };
}

/** Nothing where nothing is wrong: most people have no rules. */
function rulesOf(problem: string | undefined): Finding[] {
  return problem === undefined ? [] : [{ level: "warning", about: "rules", message: problem }];
}

/** One line for each agent that is here, and one for all that are not: nobody needs them all. */
function findingsOf(infos: readonly AgentInfo[]): Finding[] {
  const missing = infos.filter(({ problem }) => problem?.code === "not_installed");
  const here = infos.filter((info) => !missing.includes(info)).map(findingOf);
  if (missing.length === 0) return here;
  const titles = missing.map(({ title }) => title).join(", ");
  return [...here, { level: "ok", about: "other agents", message: `Not on this machine: ${titles}.` }];
}

function findingOf(info: AgentInfo): Finding {
  if (info.problem) return { level: "warning", about: info.title, message: info.problem.message };
  return { level: "ok", about: info.title, message: `Found${info.version ? `, version ${info.version}` : ""}.` };
}
