import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import {
  type Config,
  ConfigFault,
  configFrom,
  environmentHelp,
  type Machine,
  VARIABLE_NAMES,
  VARIABLES,
} from "./config.ts";

const SECRET = "s".repeat(40);
const DATABASE = "postgres://relay:p4ssw0rd@database.example/relay";
const PUBLIC = { FLYBRIDGE_RELAY_ORIGIN: "https://relay.example" };
const TLS = { FLYBRIDGE_RELAY_TLS_CERT: "/etc/relay/cert.pem", FLYBRIDGE_RELAY_TLS_KEY: "/etc/relay/key.pem" };

/** With these files, by path, and none else. */
function machine(files: Readonly<Record<string, string>> = {}): Machine {
  return {
    platform: "linux",
    homedir: "/home/ann",
    read(path) {
      const text = files[path];
      if (text !== undefined) return text;
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
    },
  };
}

function problemsOf(env: NodeJS.ProcessEnv, files?: Readonly<Record<string, string>>): readonly string[] {
  let config: Config;
  try {
    config = configFrom(env, machine(files));
  } catch (error) {
    assert.ok(error instanceof ConfigFault, String(error));
    for (const problem of error.problems) assert.ok(error.message.includes(problem));
    return error.problems;
  }
  return assert.fail(`taken as right: ${JSON.stringify(config)}`);
}

/** The one problem there is. */
function problemOf(env: NodeJS.ProcessEnv, files?: Readonly<Record<string, string>>): string {
  const problems = problemsOf(env, files);
  assert.equal(problems.length, 1, problems.join("\n"));
  return problems[0]!;
}

describe("the environment of a relay", () => {
  it("[D52] needs nothing on loopback", () => {
    const { trustedProxies, ...config } = configFrom({}, machine());
    assert.deepEqual(trustedProxies.rules, []);
    assert.deepEqual(config, {
      origin: undefined,
      listen: { address: "127.0.0.1", port: 7684 },
      tls: undefined,
      store: { kind: "embedded", folder: resolve("/home/ann/.local/state/flybridge/relay") },
      secret: undefined,
      nats: [],
      registration: "invitation",
      app: true,
      metricsToken: undefined,
      iceServers: [],
      logLevel: "info",
    });
  });

  it("[D49] needs no more than a database and a secret besides", () => {
    const { store, secret } = configFrom({ DATABASE_URL: DATABASE, FLYBRIDGE_RELAY_SECRET: SECRET }, machine());
    assert.deepEqual({ store, secret }, { store: { kind: "postgres", url: DATABASE }, secret: SECRET });
  });

  it("[D52] is taken as a whole", () => {
    const { trustedProxies, ...config } = configFrom(
      {
        ...PUBLIC,
        ...TLS,
        FLYBRIDGE_RELAY_LISTEN: "[::]:443",
        FLYBRIDGE_RELAY_TRUSTED_PROXY: "127.0.0.1, 10.1.2.0/24,fd00::/8",
        FLYBRIDGE_RELAY_DATA: "/srv/relay",
        DATABASE_URL: DATABASE,
        NATS_URL: "nats://127.0.0.1:4222, nats://[::1]:4223,tls://two.example:4222",
        FLYBRIDGE_RELAY_SECRET: SECRET,
        FLYBRIDGE_RELAY_REGISTRATION: "closed",
        FLYBRIDGE_RELAY_APP: "no",
        FLYBRIDGE_RELAY_METRICS_TOKEN: "m".repeat(32),
        FLYBRIDGE_RELAY_ICE_SERVERS: "stun:stun.example:3478, turn:ann:p%40ss%3Aw@turn.example:3478?transport=udp",
        FLYBRIDGE_RELAY_LOG_LEVEL: "warn",
        DATABASE_URL_ELSEWHERE: "is not ours",
        FLYBRIDGE_HOME: "/nor is this",
      },
      machine(),
    );
    assert.deepEqual(config, {
      origin: "https://relay.example",
      listen: { address: "::", port: 443 },
      tls: { cert: resolve("/etc/relay/cert.pem"), key: resolve("/etc/relay/key.pem") },
      store: { kind: "postgres", url: DATABASE },
      secret: SECRET,
      nats: ["nats://127.0.0.1:4222", "nats://[::1]:4223", "tls://two.example:4222"],
      registration: "closed",
      app: false,
      metricsToken: "m".repeat(32),
      iceServers: [
        { urls: "stun:stun.example:3478" },
        { urls: "turn:turn.example:3478?transport=udp", username: "ann", credential: "p@ss:w" },
      ],
      logLevel: "warn",
    });
    const isTrusted = (address: string): boolean =>
      trustedProxies.check(address, address.includes(":") ? "ipv6" : "ipv4");
    assert.deepEqual(["127.0.0.1", "10.1.2.9", "::ffff:10.1.2.9", "fd12::1"].map(isTrusted), [true, true, true, true]);
    assert.deepEqual(["127.0.0.2", "10.1.3.9", "::1", "fe80::1"].map(isTrusted), [false, false, false, false]);
  });

  it("[D52] takes an empty variable for one that is not set, and no spaces around a value", () => {
    const empty = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, " "]));
    assert.deepEqual(configFrom(empty, machine()), configFrom({}, machine()));
    const spaced = configFrom(
      { FLYBRIDGE_RELAY_LISTEN: " 127.0.0.1:80\t", FLYBRIDGE_RELAY_LOG_LEVEL: "debug " },
      machine(),
    );
    assert.deepEqual([spaced.listen.port, spaced.logLevel], [80, "debug"]);
  });

  it("[D52] puts the embedded store into the state folder", () => {
    const folderOf = (env: NodeJS.ProcessEnv): unknown => configFrom(env, machine()).store;
    assert.deepEqual(folderOf({ XDG_STATE_HOME: "/state" }), {
      kind: "embedded",
      folder: resolve("/state/flybridge/relay"),
    });
    assert.deepEqual(folderOf({ FLYBRIDGE_HOME: "/home" }), { kind: "embedded", folder: resolve("/home/relay") });
    assert.deepEqual(folderOf({ FLYBRIDGE_RELAY_DATA: "data" }), { kind: "embedded", folder: resolve("data") });
  });

  it("[D52] says all that is wrong at once", () => {
    const problems = problemsOf({
      FLYBRIDGE_RELAY_LISTEN: "0.0.0.0:7684",
      FLYBRIDGE_RELAY_REGISTRATION: "maybe",
      FLYBRIDGE_RELAY_SECERT: SECRET,
      DATABASE_URL: "mysql://database.example",
      NATS_URL: "http://nats.example",
    });
    const named = [
      /^"FLYBRIDGE_RELAY_SECERT" is not known\. Is FLYBRIDGE_RELAY_SECRET meant\?$/,
      /^DATABASE_URL has to be an address like postgres:/,
      /^NATS_URL has to be addresses like tls:/,
      /^FLYBRIDGE_RELAY_REGISTRATION is "maybe": it has to be one of open, invitation, closed\.$/,
      /^FLYBRIDGE_RELAY_ORIGIN is missing/,
      /^FLYBRIDGE_RELAY_LISTEN is beyond loopback/,
      /^FLYBRIDGE_RELAY_SECRET is missing: it is needed with DATABASE_URL/,
    ];
    assert.equal(problems.length, named.length, problems.join("\n"));
    for (const [at, pattern] of named.entries()) assert.match(problems[at]!, pattern);
  });

  it("[D52] suggests the nearest name for one that is not known, and none that is far", () => {
    for (const [typed, meant] of [
      ["ORIGINS", "FLYBRIDGE_RELAY_ORIGIN"],
      ["LISTEN_ON", "FLYBRIDGE_RELAY_LISTEN"],
      ["TRUSTED_PROXIES", "FLYBRIDGE_RELAY_TRUSTED_PROXY"],
      ["DATABASE_URL", "DATABASE_URL"],
      ["NATS_URL_FILE", "NATS_URL_FILE"],
      ["RELAY_SECRET", "FLYBRIDGE_RELAY_SECRET"],
      ["SECRETFILE", "FLYBRIDGE_RELAY_SECRET_FILE"],
    ])
      assert.match(problemOf({ [`FLYBRIDGE_RELAY_${typed}`]: "x" }), new RegExp(`Is ${meant} meant\\?$`));
    for (const typed of ["", "X", "SOMETHING_ELSE_ALTOGETHER", "Z".repeat(10_000)])
      assert.match(problemOf({ [`FLYBRIDGE_RELAY_${typed}`]: "x" }), /is not known\.$/);
  });

  it("[D52] [D51] wants TLS or a declared proxy for whatever is beyond loopback", () => {
    const beyond = { ...PUBLIC, FLYBRIDGE_RELAY_LISTEN: "0.0.0.0:443" };
    assert.match(problemOf(beyond), /nothing goes there in the clear: give FLYBRIDGE_RELAY_TLS_CERT/);
    assert.deepEqual(configFrom({ ...beyond, ...TLS }, machine()).tls, {
      cert: resolve(TLS.FLYBRIDGE_RELAY_TLS_CERT),
      key: resolve(TLS.FLYBRIDGE_RELAY_TLS_KEY),
    });
    assert.equal(configFrom({ ...beyond, FLYBRIDGE_RELAY_TRUSTED_PROXY: "10.0.0.2" }, machine()).tls, undefined);
    assert.match(problemOf({ ...TLS, FLYBRIDGE_RELAY_LISTEN: "[::]:443" }), /^FLYBRIDGE_RELAY_ORIGIN is missing/);
    for (const address of ["127.0.0.1:1", "127.4.5.6:1", "[::1]:1", "[0:0:0:0:0:0:0:1]:1", "localhost:1"])
      assert.equal(configFrom({ FLYBRIDGE_RELAY_LISTEN: address }, machine()).listen.port, 1);
    for (const address of ["[::ffff:127.0.0.1]:1", "10.0.0.1:1", "[fe80::1%eth0]:1"])
      assert.equal(problemsOf({ FLYBRIDGE_RELAY_LISTEN: address }).length, 2);
  });

  it("[D52] [D51] wants the proxy named that a public name on loopback stands for", () => {
    assert.match(problemOf(PUBLIC), /a proxy leads here: name it in FLYBRIDGE_RELAY_TRUSTED_PROXY/);
    const { origin } = configFrom({ ...PUBLIC, FLYBRIDGE_RELAY_TRUSTED_PROXY: "127.0.0.1" }, machine());
    assert.equal(origin, "https://relay.example");
    assert.equal(
      configFrom({ FLYBRIDGE_RELAY_ORIGIN: "http://localhost:7684/" }, machine()).origin,
      "http://localhost:7684",
    );
  });

  it("[D52] [D51] wants a certificate and its key together, and https with them", () => {
    const { FLYBRIDGE_RELAY_TLS_CERT, FLYBRIDGE_RELAY_TLS_KEY } = TLS;
    assert.match(problemOf({ FLYBRIDGE_RELAY_TLS_CERT }), /belong together: FLYBRIDGE_RELAY_TLS_KEY is missing/);
    assert.match(problemOf({ FLYBRIDGE_RELAY_TLS_KEY }), /belong together: FLYBRIDGE_RELAY_TLS_CERT is missing/);
    assert.match(problemOf({ ...TLS, FLYBRIDGE_RELAY_ORIGIN: "http://127.0.0.1:7684" }), /it has to be https:/);
  });

  it("[D52] wants a database for several nodes, and a secret with one", () => {
    assert.match(problemOf({ NATS_URL: "nats://127.0.0.1:4222" }), /^NATS_URL needs DATABASE_URL/);
    assert.match(problemOf({ DATABASE_URL: DATABASE }), /^FLYBRIDGE_RELAY_SECRET is missing/);
    assert.match(problemOf({ FLYBRIDGE_RELAY_SECRET: "x".repeat(31) }), /too short: it has to have at least 32/);
  });

  for (const [name, values] of Object.entries({
    FLYBRIDGE_RELAY_ORIGIN: [
      "relay.example",
      "https://",
      "https://relay.example/relay",
      "https://relay.example?x",
      "https://relay.example/?",
      "https://relay.example#x",
      "https://ann@relay.example",
      "wss://relay.example",
      "http://relay.example",
      "http://10.0.0.1",
      "https://relay.example https://other.example",
    ],
    FLYBRIDGE_RELAY_LISTEN: [
      "7684",
      ":7684",
      "127.0.0.1",
      "::1:7684",
      "[::1]",
      "[127.0.0.1]:1",
      "relay.example:1",
      "127.0.0.1:65536",
      "127.0.0.1:-1",
      "1.2.3:4",
    ],
    FLYBRIDGE_RELAY_TRUSTED_PROXY: [
      "caddy",
      "0.0.0.0/0",
      "10.0.0.0/7",
      "::/0",
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      ",",
      "fe80::1%eth0",
      Array(33).fill("10.0.0.1").join(),
    ],
    FLYBRIDGE_RELAY_REGISTRATION: ["Open", "yes"],
    FLYBRIDGE_RELAY_APP: ["true", "1", "YES"],
    FLYBRIDGE_RELAY_LOG_LEVEL: ["verbose"],
    FLYBRIDGE_RELAY_ICE_SERVERS: [
      "stun.example",
      "http://stun.example",
      "stun:",
      "stun:a b",
      "turn:turn.example",
      "stun:ann:pass@stun.example",
      "stun:s.example?transport=udp",
      "turn:ann:pass@turn.example?transport=tls",
      "stun:[::g]",
    ],
    NATS_URL: [
      "nats.example",
      "http://nats.example",
      "nats://",
      "nats://nats.example",
      "nats://10.0.0.1:4222",
      "tls://a,nats://b",
    ],
    DATABASE_URL: ["database.example", "mysql://database.example", "postgres"],
    FLYBRIDGE_RELAY_DATA: ["a\nb", "x".repeat(5_000)],
  }))
    for (const value of values)
      it(`[D52] refuses ${name}=${JSON.stringify(value).slice(0, 60)}`, () => {
        assert.ok(problemsOf({ [name]: value })[0]!.startsWith(`${name} `));
      });
});

describe("a secret of a relay", () => {
  const files = {
    "/run/secrets/secret": `${SECRET}\n`,
    "/run/secrets/database": ` ${DATABASE}\n\n`,
    "/run/secrets/empty": "\n",
  };

  it("[D52] may be given in a file, with a line break at its end", () => {
    const { secret, store } = configFrom(
      { FLYBRIDGE_RELAY_SECRET_FILE: "/run/secrets/secret", DATABASE_URL_FILE: "/run/secrets/database" },
      machine(files),
    );
    assert.deepEqual({ secret, store }, { secret: SECRET, store: { kind: "postgres", url: DATABASE } });
  });

  it("[D52] is read from this machine", () => {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-config-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "secret");
    writeFileSync(path, SECRET);
    assert.equal(configFrom({ FLYBRIDGE_RELAY_SECRET_FILE: path }).secret, SECRET);
    assert.throws(() => configFrom({ FLYBRIDGE_RELAY_SECRET_FILE: folder }), /names \(EISDIR\)/);
  });

  it("[D52] may not be given twice, nor in a file that is empty or not there", () => {
    const file = "/run/secrets/secret";
    assert.match(
      problemOf({ FLYBRIDGE_RELAY_SECRET: SECRET, FLYBRIDGE_RELAY_SECRET_FILE: file }, files),
      /given twice/,
    );
    assert.match(problemOf({ FLYBRIDGE_RELAY_SECRET_FILE: "/run/secrets/empty" }, files), /is empty in the file/);
    assert.match(problemOf({ FLYBRIDGE_RELAY_SECRET_FILE: "/nowhere" }, files), /cannot be read .*\(ENOENT\)/);
    assert.match(problemOf({ FLYBRIDGE_RELAY_ORIGIN_FILE: "/nowhere" }, files), /ORIGIN_FILE" is not known/);
  });

  it("[D52] is never in what is said, however it is given", () => {
    const word = "h3rm10n3";
    for (const { name } of VARIABLES.filter(({ secret }) => secret))
      for (const value of [
        word,
        `${word}\n`,
        `http://ann:${word}@x`,
        `${word.repeat(600)}`,
        `turn:${word}`,
        `\u0000${word}`,
      ]) {
        const found = [
          ...problemsOf({ [name]: value, FLYBRIDGE_RELAY_APP: "?" }),
          // The value where the name of a file belongs, and the other way around.
          ...problemsOf({ [`${name}_FILE`]: value }),
          ...problemsOf({ [`${name}_FILE`]: "/s", FLYBRIDGE_RELAY_APP: "?" }, { "/s": value }),
          ...problemsOf({ [name]: value, [`${name}_FILE`]: value }),
          ...problemsOf({ [`${name}_`]: value, FLYBRIDGE_RELAY_APP: "?" }),
        ];
        assert.deepEqual(
          found.filter((problem) => problem.includes(word)),
          [],
        );
      }
    assert.ok(!problemOf({ FLYBRIDGE_RELAY_ORIGIN: `https://ann:${word}@relay.example` }).includes(word));
  });
});

describe("odd environments", () => {
  const odd = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.ipV4(),
    fc.ipV6(),
    fc
      .array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("::", "/", "0", "fe80::1%1")))
      .map((list) => list.join(",")),
    fc
      .tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), fc.integer({ min: -1, max: 70_000 }))
      .map(([one, two]) => `${one}:${two}`),
    fc.tuple(fc.constantFrom("[::]", "[", "0.0.0.0", "localhost"), fc.string()).map(([one, two]) => `${one}:${two}`),
    fc
      .tuple(fc.constantFrom("postgres://", "nats://", "stun:", "turn:a:b@", "https://"), fc.string())
      .map((parts) => parts.join("")),
    fc.constantFrom("yes", "open", "silent", "s".repeat(32), "__proto__", "constructor"),
  );
  /** Right by themselves, so that what must not be together comes together too. */
  const right: Readonly<Record<string, readonly string[]>> = {
    FLYBRIDGE_RELAY_ORIGIN: ["https://relay.example", "http://127.0.0.1:7684"],
    FLYBRIDGE_RELAY_LISTEN: ["0.0.0.0:443", "[::]:7684", "127.0.0.1:0", "[::1]:80"],
    FLYBRIDGE_RELAY_TLS_CERT: ["cert.pem"],
    FLYBRIDGE_RELAY_TLS_KEY: ["key.pem"],
    FLYBRIDGE_RELAY_TRUSTED_PROXY: ["127.0.0.1", "10.0.0.0/8"],
    FLYBRIDGE_RELAY_SECRET: [SECRET],
    FLYBRIDGE_RELAY_SECRET_FILE: ["a"],
    DATABASE_URL: [DATABASE],
    NATS_URL: ["nats://localhost:4222", "tls://nats.example"],
  };
  const environment = fc
    .tuple(
      fc.record(Object.fromEntries(Object.entries(right).map(([name, values]) => [name, fc.constantFrom(...values)])), {
        requiredKeys: [],
      }),
      fc.oneof(
        fc.constant({}),
        fc.dictionary(
          fc.oneof(
            { weight: 9, arbitrary: fc.constantFrom(...VARIABLE_NAMES) },
            { weight: 1, arbitrary: fc.string({ maxLength: 12 }).map((end) => `FLYBRIDGE_RELAY_${end}`) },
          ),
          odd,
          { maxKeys: 2 },
        ),
      ),
    )
    .map(([some, others]) => ({ ...some, ...others }));

  it("[D52] give a configuration that keeps the rules, or sentences", () => {
    fc.assert(
      fc.property(environment, (env) => {
        let config: Config;
        try {
          config = configFrom(env, machine({ a: SECRET }));
        } catch (error) {
          assert.ok(error instanceof ConfigFault, String(error));
          assert.ok(error.problems.length > 0);
          for (const problem of error.problems) assert.match(problem, /^[\w"].*[.?8]$/su);
          return;
        }
        const { origin, listen, tls, trustedProxies, store, secret, nats } = config;
        const isLoopback = /^(127\.|::1$|localhost$)/u.test(listen.address);
        assert.ok(isLoopback || (origin !== undefined && (tls || trustedProxies.rules.length > 0)));
        assert.ok(origin === undefined || new URL(origin).origin === origin);
        assert.ok(listen.port >= 0 && listen.port <= 65_535);
        assert.ok(store.kind === "embedded" || (secret ?? "").length >= 32);
        assert.ok(nats.length === 0 || store.kind === "postgres");
      }),
      { numRuns: 10_000 },
    );
  });
});

it("[D52] the help names each variable, its default and its file", () => {
  const help = environmentHelp();
  for (const { name, about, default: otherwise } of VARIABLES)
    for (const part of [name, about, otherwise]) assert.ok(help.includes(part), part);
  for (const name of VARIABLE_NAMES) assert.ok(help.includes(name), name);
});

it("[D52] the page on relays names each variable as the help does", () => {
  const rows = readFileSync(join(import.meta.dirname, "..", "docs", "relay.md"), "utf8").split("\n");
  for (const { name, about } of VARIABLES)
    assert.ok(
      rows.some((row) => row.startsWith(`| \`${name}\``) && row.endsWith(`| ${about} |`)),
      name,
    );
});
