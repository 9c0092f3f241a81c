/** What a relay needs for so many idle pairs, reckoned from what was measured: the tables of `docs/capacity.md`. */
import type { Figure } from "./figure.ts";
import type { Results } from "./results.ts";

/** What is measured of a relay, and reckoned with here. A pair is a host and one device, both connected. */
export const RELAY_FIGURES = {
  alone: "relay, a frame of 1 KiB that comes alone",
  pipelined: "relay, a frame of 1 KiB, 32 on the way in one circuit",
  many: "relay, a frame of 1 KiB, one on the way in each of 64 circuits of one host",
  ready: "relay ready, compiled as its image is",
  idle: "relay, idle",
  pair: "relay, an idle pair: a host with one device",
  device: "relay, an idle device of a host with 100",
  idleSocket: "relay's processor time each second for an idle socket",
  hostConnection: "relay, a host that comes with a session",
  deviceConnection: "relay, a device that comes with a ticket",
  renewal: "relay, a session renewed, embedded store",
  sharedRenewal: "relay, a session renewed, PostgreSQL on the same machine",
  databaseRenewal: "PostgreSQL's processor time for it",
  token: "PostgreSQL, a token of a session on disk",
  hostNode: "two nodes: the host's, a frame of 1 KiB, 32 on the way",
  deviceNode: "two nodes: the device's, a frame of 1 KiB, 32 on the way",
  tlsFrame: "relay with TLS of its own, a frame of 1 KiB, 32 on the way in one circuit",
  tlsPair: "relay with TLS of its own, an idle pair",
  tlsDevice: "relay with TLS of its own, a device that comes with a ticket",
} as const;
type RelayFigure = keyof typeof RELAY_FIGURES;

export const SCALES = [10_000, 1_000_000, 100_000_000] as const;
/** Sockets that one node is given: three quarters of the files that our unit and compose files allow. */
const NODE_SOCKETS = 50_000;
/** Bytes of the system's own for a socket: TCP, inode, file and name of Linux 6 on 64 bits, without what waits in it. */
const SYSTEM_BYTES = 3_600;
/** Seconds between two renewals of a host: 0.6 of the life of a session. */
const RENEW_S = 360;
/** Tokens that are kept of a host on average: a family of 120 grows for half a day, and goes within the next hour. */
const TOKENS = 65;
/** Seconds between pings of a device at which nobody looks; each and its answer are forwarded. */
const BEAT_S = 30;
/** Local ports by which a proxy reaches one address of a node, as Linux has them. */
const PROXY_PORTS = 28_232;
/** Subscriptions of a node beside its hosts'. */
const NODE_SUBJECTS = 4;

export interface Need {
  readonly pairs: number;
  readonly nodes: number;
  /** Of all nodes' processes, without TLS and with it, and of their systems for the sockets. */
  readonly memoryGb: number;
  readonly tlsGb: number;
  readonly systemGb: number;
  /** Sockets, which are files, of one node. */
  readonly nodeSockets: number;
  /** Processors that are busy with nothing but pings, beats and renewals. */
  readonly processors: number;
  readonly subjects: number;
  readonly rows: number;
  readonly databaseGb: number;
  readonly renewals: number;
  /** Processors of the database; undefined where that was not measured. */
  readonly databaseProcessors: number | undefined;
  /** Seconds of a processor to take all pairs of one node back. */
  readonly returnS: number;
  /** Messages to nodes by which all learn where the hosts of one node have gone. */
  readonly moved: number;
}

/** Throws when a figure is missing. */
export function needOf(pairs: number, figures: readonly Figure[]): Need {
  const cost = (of: RelayFigure): number => {
    const found = figures.find(({ what }) => what === RELAY_FIGURES[of]);
    if (!found) throw new Error(`"${RELAY_FIGURES[of]}" was not measured: run \`npm run bench -- relay\`.`);
    return found.value;
  };
  const isMeasured = figures.some(({ what }) => what === RELAY_FIGURES.databaseRenewal);
  const nodes = Math.ceil((2 * pairs) / NODE_SOCKETS);
  const renewals = pairs / RENEW_S;
  const renewalMs = nodes === 1 ? cost("renewal") : cost("sharedRenewal");
  const busyUs = 2 * cost("idleSocket") + (2 * cost("alone")) / BEAT_S + (1000 * renewalMs) / RENEW_S;
  const ofNode = pairs / nodes;
  return {
    pairs,
    nodes,
    memoryGb: (nodes * cost("idle")) / 1024 + (pairs * cost("pair")) / 1024 ** 2,
    tlsGb: (nodes * cost("idle")) / 1024 + (pairs * cost("tlsPair")) / 1024 ** 2,
    systemGb: (2 * pairs * SYSTEM_BYTES) / 1024 ** 3,
    nodeSockets: 2 * ofNode,
    processors: (pairs * busyUs) / 1e6,
    subjects: nodes === 1 ? 0 : pairs + NODE_SUBJECTS * nodes,
    rows: pairs * (2 + TOKENS),
    databaseGb: (pairs * TOKENS * cost("token")) / 1024 ** 3,
    renewals,
    databaseProcessors: isMeasured ? (renewals * cost("databaseRenewal")) / 1000 : undefined,
    returnS: (ofNode * (cost("hostConnection") + cost("deviceConnection"))) / 1000,
    moved: nodes === 1 ? 0 : ofNode * nodes,
  };
}

/** What was reckoned with, what comes of it, and what breaks first. */
export function capacityTables({ at, machine, figures }: Results): string {
  const needs = SCALES.map((pairs) => needOf(pairs, figures));
  const used = Object.values(RELAY_FIGURES).flatMap((what) => figures.filter((figure) => figure.what === what));
  const rows: readonly (readonly [string, (need: Need) => string])[] = [
    ["nodes", ({ nodes }) => count(nodes)],
    ["memory of the relay's processes", ({ memoryGb }) => gigabytes(memoryGb)],
    ["the same, where they do TLS themselves", ({ tlsGb }) => gigabytes(tlsGb)],
    ["memory of the systems for their sockets", ({ systemGb }) => gigabytes(systemGb)],
    ["sockets of one node, each a file", ({ nodeSockets }) => count(nodeSockets)],
    ["processors busy, nobody speaking", ({ processors }) => number(processors)],
    ["NATS subscriptions", ({ subjects }) => count(subjects)],
    ["PostgreSQL rows", ({ rows: stored }) => count(stored)],
    ["PostgreSQL tokens on disk", ({ databaseGb }) => gigabytes(databaseGb)],
    ["renewals each second", ({ renewals }) => count(renewals)],
    [
      "PostgreSQL's processors for them",
      ({ databaseProcessors }) => (databaseProcessors === undefined ? "not measured" : number(databaseProcessors)),
    ],
    ["seconds of a processor until one node's pairs are back", ({ returnS }) => number(returnS)],
    ["messages by which all nodes learn of it", ({ moved }) => count(moved)],
  ];
  return [
    ASSUMED,
    `From the run of \`npm run bench -- relay\` on ${at.slice(0, 16).replace("T", " ")} UTC (${machine}).`,
    table(
      ["measured", "value", "beside"],
      used.map(({ what, value, unit, reference }) => [
        what,
        `${number(value)} ${unit}`,
        `${number(reference.value)} ${unit}, ${reference.what}`,
      ]),
    ),
    table(
      ["idle pairs", ...SCALES.map((pairs) => count(pairs))],
      rows.map(([what, show]) => [what, ...needs.map(show)]),
    ),
    ...needs.map((need) => `### ${count(need.pairs)} pairs\n\n${BREAKS[need.pairs as keyof typeof BREAKS](need)}`),
  ].join("\n\n");
}

const ASSUMED = [
  `Reckoned with: a node gets ${count(NODE_SOCKETS)} sockets, of the 65,536 files that our unit and compose files allow, and one processor, for it is one process.`,
  `The system needs ${count(SYSTEM_BYTES)} bytes for a socket (Linux 6, TCP, without what waits in it).`,
  `A session is renewed every ${count(RENEW_S / 60)} minutes, in two transactions; PostgreSQL keeps two rows of a host and the tokens of half a day, ${count(TOKENS)} on average.`,
  `A device at which nobody looks asks every ${count(BEAT_S)} seconds whether its host is there, which is two frames.`,
].join(" ");

/** For each scale, what breaks first and what is to be done about it. */
const BREAKS: Record<(typeof SCALES)[number], (need: Need) => string> = {
  10_000: ({ returnS, nodeSockets, memoryGb, tlsGb }) =>
    [
      `One node and the embedded store: ${count(nodeSockets)} sockets, ${gigabytes(memoryGb)}. Nothing is short while it runs.`,
      `What is felt first is its restart: all come back at once, and checking who they are takes one processor ${number(returnS)} s. Two nodes halve that.`,
      `Behind a proxy on one address the ports come first: ${count(PROXY_PORTS)} sockets from one address to another, so ${count(PROXY_PORTS / 2)} pairs. Give the proxy or the node a second address, or let the relay do TLS itself, which takes ${gigabytes(tlsGb)} then.`,
    ].join("\n\n"),
  1_000_000: ({ nodes, renewals, rows, databaseGb, databaseProcessors, subjects, returnS, nodeSockets }) =>
    [
      `${count(nodes)} nodes of ${count(nodeSockets)} sockets. What breaks first is PostgreSQL: ${count(renewals)} renewals each second, two transactions each${databaseProcessors === undefined ? "" : `, ${number(databaseProcessors)} processors`}, with every commit on disk; and ${count(rows)} rows, ${gigabytes(databaseGb)}, of which nearly all are tokens that were replaced.`,
      `One large server carries it, with the write-ahead log on a disk of its own. Longer sessions make both less in proportion; so would keeping those that were replaced for less than half a day, at the price of not finding out about a copy that comes later.`,
      `A node that is lost brings ${number(returnS)} s of work for one processor to the others, spread over them. NATS holds ${count(subjects)} subscriptions; every server of a NATS cluster knows of all of them.`,
    ].join("\n\n"),
  100_000_000: ({ nodes, renewals, subjects, moved, databaseGb }) =>
    [
      `Not one relay. ${count(renewals)} renewals each second and ${gigabytes(databaseGb)} are no one PostgreSQL's; ${count(subjects)} subscriptions are no one NATS cluster's; and since every node hears where each host has gone, one lost node of ${count(nodes)} makes ${count(moved)} messages.`,
      `Make it a hundred relays of the size above, each with an origin, a database and a NATS of its own. A host is told its relay by its origin, tickets name it, and a host may have several: nothing in the protocol has to change, and a relay that is lost takes a hundredth with it. To keep it one, renewals would have to leave the database (a signed session that lives minutes, and a list of the ended ones), and the subscriptions would have to be to parts of the rendezvous, with a table of who has which.`,
    ].join("\n\n"),
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function gigabytes(value: number): string {
  if (value < 1) return `${number(value * 1024)} MB`;
  return value < 1024 ? `${number(value)} GB` : `${number(value / 1024)} TB`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Two digits that count, or all before the point. */
function number(value: number): string {
  return value >= 10 ? count(value) : String(Number(value.toPrecision(2)));
}
