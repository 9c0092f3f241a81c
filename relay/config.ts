/**
 * The environment of a relay, read once. One table says what each variable is: for reading it, for `--help`, and for
 * `docs/relay.md`. Whatever is wrong is said together, in words that never show a secret.
 */
import { readFileSync } from "node:fs";
import { BlockList } from "node:net";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { IceServer } from "@flybridge/protocol/direct.ts";
import { stateFolder } from "@flybridge/protocol/home.ts";
import { isLoopback } from "@flybridge/protocol/loopback.ts";
import { RELAY_PORT, type Registration } from "@flybridge/protocol/relay/words.ts";
import {
  hostOf,
  type Listen,
  MIN_SECRET_CHARS,
  oneOf,
  parseDatabase,
  parseIceServers,
  parseListen,
  parseNats,
  parseNetworks,
  parseOrigin,
  parsePath,
  parseSecret,
  shown,
  Wrong,
} from "./value.ts";

const PREFIX = "FLYBRIDGE_RELAY_";
/** After a secret's name: the file that holds it. */
const FILE = "_FILE";
/** Characters of any one value. */
const MAX_VALUE_CHARS = 4_096;
/** Characters of an unknown name that are compared with those that are known. */
const MAX_NAME_CHARS = 64;

const REGISTRATIONS = ["open", "invitation", "closed"] as const satisfies readonly Registration[];
const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

export interface Config {
  /** As everybody dials it, `https://relay.example`. Undefined: loopback only, under the address that was listened on. */
  readonly origin: string | undefined;
  readonly listen: Listen;
  /** Paths of PEM files. Undefined: plaintext, which nobody but loopback and `trustedProxies` may speak. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Whose `X-Forwarded-*` counts. Without rules it is nobody's. */
  readonly trustedProxies: BlockList;
  readonly store:
    | { readonly kind: "embedded"; readonly folder: string }
    | { readonly kind: "postgres"; readonly url: string };
  /** Undefined, with the embedded store only: one is made and kept in its folder. */
  readonly secret: string | undefined;
  /** Servers of one cluster. None: this node is alone. */
  readonly nats: readonly string[];
  readonly registration: Registration;
  /** Whether the web app is served. */
  readonly app: boolean;
  /** Undefined: metrics are for this machine only. */
  readonly metricsToken: string | undefined;
  readonly iceServers: readonly IceServer[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

export interface Variable {
  readonly name: string;
  /** What a value looks like. */
  readonly shape: string;
  /** Taken when it is not given, or when that is no value, in words. */
  readonly default: string;
  /** A sentence without its full stop, in plain words: it is for a terminal and for a page. */
  readonly about: string;
  /** May be given in a file, named by `NAME_FILE`, and is never shown. */
  readonly secret?: true;
}

/** A row with its reading. `parse` throws `Wrong`. */
interface Row<T> extends Variable {
  readonly parse: (value: string) => T;
  /** Whether `default` is words rather than a value. */
  readonly described?: true;
}

const TABLE = {
  origin: row({
    name: `${PREFIX}ORIGIN`,
    shape: "https://relay.example",
    default: "needed, unless it listens on loopback only",
    described: true,
    about: "the address under which hosts, devices and browsers reach it, as they dial it",
    parse: parseOrigin,
  }),
  listen: row({
    name: `${PREFIX}LISTEN`,
    shape: "ADDRESS:PORT",
    default: `127.0.0.1:${RELAY_PORT}`,
    about: "where it listens; 0.0.0.0:443 or [::]:443 is every address of the machine",
    parse: parseListen,
  }),
  cert: row({
    name: `${PREFIX}TLS_CERT`,
    shape: "FILE",
    default: "none",
    described: true,
    about: "a certificate in PEM with its chain, for TLS without a proxy; read anew when it changes",
    parse: parsePath,
  }),
  key: row({
    name: `${PREFIX}TLS_KEY`,
    shape: "FILE",
    default: "none",
    described: true,
    about: "the certificate's key in PEM",
    parse: parsePath,
  }),
  trustedProxies: row({
    name: `${PREFIX}TRUSTED_PROXY`,
    shape: "ADDRESS[/BITS],…",
    default: "nobody",
    described: true,
    about: "the proxies in front of it: whose X-Forwarded-* headers count, and who may speak to it without TLS",
    parse: parseNetworks,
  }),
  folder: row({
    name: `${PREFIX}DATA`,
    shape: "FOLDER",
    default: "relay in the state folder: ~/.local/state/flybridge/relay",
    described: true,
    about: "the embedded store, when there is no DATABASE_URL",
    parse: parsePath,
  }),
  database: row({
    name: "DATABASE_URL",
    shape: "postgres://…",
    default: "none: the embedded store",
    described: true,
    about: "a PostgreSQL database of its own; beyond this machine it is spoken to by TLS only",
    secret: true,
    parse: parseDatabase,
  }),
  secret: row({
    name: `${PREFIX}SECRET`,
    shape: "TEXT",
    default: "needed with DATABASE_URL; the embedded store makes its own",
    described: true,
    about: `at least ${MIN_SECRET_CHARS} characters that nobody can guess, the same on every node`,
    secret: true,
    parse: parseSecret,
  }),
  nats: row({
    name: "NATS_URL",
    shape: "tls://…,…",
    default: "none: one node",
    described: true,
    about: "the NATS servers by which several nodes find each other, nats:// on this machine only; needs DATABASE_URL",
    secret: true,
    parse: parseNats,
  }),
  registration: row({
    name: `${PREFIX}REGISTRATION`,
    shape: REGISTRATIONS.join("|"),
    default: "invitation",
    about: "who may be new: everybody, who was invited, or nobody",
    parse: oneOf(REGISTRATIONS),
  }),
  app: row({
    name: `${PREFIX}APP`,
    shape: "yes|no",
    default: "yes",
    about: "whether it serves the web app",
    parse: oneOf(["yes", "no"]),
  }),
  metricsToken: row({
    name: `${PREFIX}METRICS_TOKEN`,
    shape: "TEXT",
    default: "none: metrics are for this machine only",
    described: true,
    about: `at least ${MIN_SECRET_CHARS} characters, the bearer token for reading /metrics from elsewhere`,
    secret: true,
    parse: parseSecret,
  }),
  iceServers: row({
    name: `${PREFIX}ICE_SERVERS`,
    shape: "stun:HOST[:PORT],turn:USER:PASSWORD@HOST,…",
    default: "none",
    described: true,
    about: "the STUN and TURN servers that it names to hosts and devices for direct connections",
    secret: true,
    parse: parseIceServers,
  }),
  logLevel: row({
    name: `${PREFIX}LOG_LEVEL`,
    shape: LOG_LEVELS.join("|"),
    default: "info",
    about: "what is logged",
    parse: oneOf(LOG_LEVELS),
  }),
};

type Values = { readonly [K in keyof typeof TABLE]: ReturnType<(typeof TABLE)[K]["parse"]> | undefined };

/** Every variable that a relay reads, in the order in which they are explained. */
export const VARIABLES: readonly Variable[] = Object.values(TABLE);

/** The names that are read, those of files included. */
export const VARIABLE_NAMES: readonly string[] = VARIABLES.flatMap(({ name, secret }) =>
  secret ? [name, `${name}${FILE}`] : [name],
);

/** What of the machine is asked besides the environment. */
export interface Machine {
  readonly platform: string;
  readonly homedir: string;
  /** A file's text. Throws as `readFileSync` does. */
  read(path: string): string;
}

const THIS_MACHINE: Machine = {
  platform: process.platform,
  homedir: homedir(),
  read: (path) => readFileSync(path, "utf8"),
};

/** The environment cannot be run with; the message has all that is wrong with it. */
export class ConfigFault extends Error {
  override readonly name = "ConfigFault";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const list = problems.map((problem) => `\n  - ${problem}`).join("");
    super(`The relay cannot start with this environment:${list}\nflybridge relay --help lists every variable.`);
    this.problems = problems;
  }
}

/** An empty variable is one that is not set. Throws `ConfigFault`. */
export function configFrom(env: NodeJS.ProcessEnv, machine: Machine = THIS_MACHINE): Config {
  const problems = unknownNames(env).map(unknownName);
  const given = new Set<Variable>();
  const take = (variable: Row<unknown>): unknown => {
    try {
      const text = textOf(variable, env, machine);
      if (text !== undefined) given.add(variable);
      else if (variable.described) return undefined;
      return variable.parse(text ?? variable.default);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      given.add(variable);
      problems.push(`${variable.name} ${error.message}`);
      return undefined;
    }
  };
  const values = Object.fromEntries(Object.entries(TABLE).map(([key, variable]) => [key, take(variable)])) as Values;
  problems.push(...contradictions(values, (variable) => given.has(variable)));
  const { origin, listen, cert, key, database, registration, app, logLevel } = values;
  if (problems.length > 0 || !listen || !registration || !app || !logLevel) throw new ConfigFault(problems);
  return {
    origin,
    listen,
    tls: cert !== undefined && key !== undefined ? { cert, key } : undefined,
    trustedProxies: values.trustedProxies ?? new BlockList(),
    store:
      database === undefined
        ? { kind: "embedded", folder: values.folder ?? defaultFolder(env, machine) }
        : { kind: "postgres", url: database },
    secret: values.secret,
    nats: values.nats ?? [],
    registration,
    app: app === "yes",
    metricsToken: values.metricsToken,
    iceServers: values.iceServers ?? [],
    logLevel,
  };
}

/** The table for a terminal. */
export function environmentHelp(): string {
  const rows = VARIABLES.flatMap((variable) => [
    `  ${variable.name}=${variable.shape}`,
    `      ${variable.about}`,
    `      ${variable.secret ? `or ${variable.name}${FILE}=FILE; ` : ""}default: ${variable.default}`,
  ]);
  return ["Environment:", ...rows].join("\n");
}

/** What is wrong between variables that may each be right. One that was given and is wrong has been named already. */
function contradictions({ origin, listen }: Values, isGiven: (variable: Variable) => boolean): string[] {
  const isSecure = isGiven(TABLE.cert) || isGiven(TABLE.key);
  const isProxied = isGiven(TABLE.trustedProxies);
  const isPublic = listen !== undefined && !isLoopback(listen.address);
  const isFarOrigin = origin !== undefined && !isLoopback(hostOf(origin));
  const found: (string | false)[] = [
    isPublic &&
      !isGiven(TABLE.origin) &&
      `${TABLE.origin.name} is missing: it is needed when ${TABLE.listen.name} is not loopback. Give the address that others dial, like https://relay.example.`,
    isGiven(TABLE.cert) !== isGiven(TABLE.key) &&
      `${TABLE.cert.name} and ${TABLE.key.name} belong together: ${isGiven(TABLE.cert) ? TABLE.key.name : TABLE.cert.name} is missing.`,
    isPublic &&
      !isSecure &&
      !isProxied &&
      `${TABLE.listen.name} is beyond loopback, and nothing goes there in the clear: give ${TABLE.cert.name} and ${TABLE.key.name}, or name the proxy that ends TLS in ${TABLE.trustedProxies.name}.`,
    // Otherwise everybody who comes through it would be taken for this machine.
    isFarOrigin &&
      !isPublic &&
      listen !== undefined &&
      !isSecure &&
      !isProxied &&
      `${TABLE.origin.name} is not this machine, so a proxy leads here: name it in ${TABLE.trustedProxies.name}, like 127.0.0.1, or give ${TABLE.cert.name} and ${TABLE.key.name}.`,
    isSecure &&
      origin?.startsWith("http:") === true &&
      `${TABLE.origin.name} begins with http:, and with ${TABLE.cert.name} it has to be https:.`,
    isGiven(TABLE.database) &&
      !isGiven(TABLE.secret) &&
      `${TABLE.secret.name} is missing: it is needed with ${TABLE.database.name}. Make one with: openssl rand -base64 48`,
    isGiven(TABLE.nats) &&
      !isGiven(TABLE.database) &&
      `${TABLE.nats.name} needs ${TABLE.database.name}: several nodes share one PostgreSQL database.`,
  ];
  return found.filter((problem) => problem !== false);
}

/** Undefined when it is neither given itself nor in a file. Throws `Wrong`. */
function textOf({ name, secret }: Variable, env: NodeJS.ProcessEnv, machine: Machine): string | undefined {
  const text = env[name]?.trim();
  const path = secret ? env[`${name}${FILE}`]?.trim() : undefined;
  if (text && path) throw new Wrong(`is given twice: remove it, or ${name}${FILE}.`);
  return checked(path ? inFile(name, path, machine) : text || undefined);
}

/** Neither the path nor the system's words are shown: who took the one variable for the other has put the secret there. */
function inFile(name: string, path: string, machine: Machine): string {
  let text: string;
  try {
    text = machine.read(path).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new Wrong(`cannot be read from the file that ${name}${FILE} names (${code}).`);
  }
  if (text === "") throw new Wrong(`is empty in the file that ${name}${FILE} names.`);
  return text;
}

function checked(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (text.length > MAX_VALUE_CHARS) throw new Wrong(`is longer than ${MAX_VALUE_CHARS} characters.`);
  if (/\p{Cc}/u.test(text)) throw new Wrong("has a line break or another control character in it.");
  return text;
}

function unknownNames(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !VARIABLE_NAMES.includes(name))
    .sort();
}

function unknownName(name: string): string {
  const near = nearest(name);
  return `${shown(name)} is not known.${near === undefined ? "" : ` Is ${near} meant?`}`;
}

/** Undefined when all are so far off that a guess would only mislead. */
function nearest(name: string): string | undefined {
  const bare = bareName(name).slice(0, MAX_NAME_CHARS);
  const [near] = VARIABLE_NAMES.map((known) => ({ known, far: distance(bare, bareName(known)) }))
    .filter(({ known, far }) => far <= Math.max(bare.length, bareName(known).length) / 2)
    .sort((one, other) => one.far - other.far);
  return near?.known;
}

function bareName(name: string): string {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
}

/** Letters to add, take away or change to get from one word to the other (Levenshtein). */
function distance(one: string, other: string): number {
  let before = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [row, letter] of [...one].entries()) {
    const next = [row + 1];
    for (const [column, counterpart] of [...other].entries()) {
      const changed = (before[column] ?? 0) + (letter === counterpart ? 0 : 1);
      next.push(Math.min(changed, (before[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    before = next;
  }
  return before[other.length] ?? 0;
}

function defaultFolder(env: NodeJS.ProcessEnv, { platform, homedir: home }: Machine): string {
  return resolve(join(stateFolder(env, platform, home), "relay"));
}

/** For its type: each row keeps what its own reading gives. */
function row<T>(given: Row<T>): Row<T> {
  return given;
}
