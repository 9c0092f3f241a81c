/** What is in this folder, held against the relay it starts and against what a relay in public may not be. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { configFrom, VARIABLE_NAMES } from "@flybridge/relay/config.ts";
import { NEEDED_MAJOR } from "../scripts/launch/node.mjs";
import { readModules } from "../scripts/layers.ts";
import { parseYaml } from "./yaml.fixture.ts";

const ROOT = join(import.meta.dirname, "..");
const COMPOSE_FILES = ["compose.yaml", "compose.small.yaml"] as const;
const DOCKERFILE = readFileSync(join(import.meta.dirname, "Dockerfile"), "utf8");
/** Of the image's last stage, whole: a line that ends in a backslash goes on. */
const STEPS = stepsOf(DOCKERFILE.slice(DOCKERFILE.lastIndexOf("\nFROM ")));
const SECRET = "s".repeat(40);
/** What a relay's process reads that is not the relay's: Node does. */
const NODES_OWN = ["NODE_ENV", "NODE_EXTRA_CA_CERTS"];

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: string[];
  readonly secrets?: string[];
  readonly ports?: string[];
  readonly networks?: string[];
  readonly network_mode?: string;
  readonly volumes?: string[];
  readonly read_only?: string;
  readonly privileged?: string;
  readonly cap_add?: string[];
  readonly cap_drop?: string[];
  readonly security_opt?: string[];
  readonly restart?: string;
  readonly healthcheck?: { readonly test: string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: string } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly file?: string }>>;
}

for (const file of COMPOSE_FILES) {
  const text = readFileSync(join(import.meta.dirname, file), "utf8");
  const compose = parseYaml(text) as unknown as Compose;
  const services = Object.entries(compose.services);
  const relays = services.filter(([, { image }]) => image === "flybridge-relay");

  describe(file, () => {
    it("[D54] publishes the proxy's ports and nothing else", () => {
      for (const [name, { ports = [], network_mode }] of services) {
        assert.deepEqual(ports, name === "caddy" ? ["80:80", "443:443"] : [], name);
        assert.notEqual(network_mode, "host", name);
      }
    });

    it("[D54] lets nobody but the relays near the database and between the nodes", () => {
      const { database, nats } = compose.services;
      assert.equal(database === undefined, file === "compose.small.yaml");
      if (!database || !nats) return;
      assert.deepEqual([database.network_mode, database.networks], ["none", undefined]);
      assert.ok(database.command?.includes("listen_addresses="));
      const holders = services.filter(([, { volumes = [] }]) => volumes.some((volume) => volume.startsWith("socket:")));
      assert.deepEqual(holders.map(([name]) => name).sort(), ["database", ...relays.map(([name]) => name)].sort());
      assert.deepEqual(nats.networks, ["back"]);
      assert.equal(compose.networks["back"]?.internal, "true");
      const inBack = services.filter(([, { networks = [] }]) => networks.includes("back")).map(([name]) => name);
      assert.deepEqual(inBack.sort(), ["nats", ...relays.map(([name]) => name)].sort());
      for (const word of ["--tls", "--tlscert", "--tlskey"]) assert.ok(nats.command?.includes(word));
    });

    it("[D54] gives no service more than it needs", () => {
      for (const [name, service] of services) {
        assert.equal(service.read_only, "true", name);
        assert.deepEqual(service.cap_drop, ["ALL"], name);
        assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
        assert.deepEqual(service.cap_add, name === "caddy" ? ["NET_BIND_SERVICE"] : undefined, name);
        assert.equal(service.privileged, undefined, name);
        assert.equal(service.restart, "unless-stopped", name);
        assert.ok(!(service.volumes ?? []).some((volume) => volume.includes("docker.sock")), name);
        // The proxy is root without any of root's powers but the one; the image of the relay says who it is.
        if (name !== "caddy" && !service.build)
          assert.match(service.user ?? "root", /^(?:postgres|[1-9]\d*:[1-9]\d*)$/u);
      }
    });

    it("[D54] starts each service when what it needs is well", () => {
      for (const [name, { depends_on = {}, healthcheck, build }] of services) {
        assert.ok(healthcheck ?? build, `${name} has no health check`);
        for (const [other, { condition }] of Object.entries(depends_on)) {
          assert.ok(compose.services[other], other);
          assert.equal(condition, "service_healthy");
        }
      }
      assert.deepEqual(
        Object.keys(compose.services["caddy"]?.depends_on ?? {}),
        relays.map(([name]) => name),
      );
      const upstreams = relays.map(([name]) => `${name}:7684`).join(" ");
      assert.equal(compose.services["caddy"]?.environment?.["UPSTREAMS"], upstreams);
    });

    it("[D54] names what it declares, and has no secret in it", () => {
      const declared = Object.keys(compose.secrets ?? {});
      assert.deepEqual(new Set(services.flatMap(([, { secrets = [] }]) => secrets)), new Set(declared));
      for (const [name, secret] of Object.entries(compose.secrets ?? {}))
        assert.equal(secret.file, `./secrets/${name}`);
      for (const [name, { volumes = [], networks = [] }] of services) {
        for (const network of networks) assert.ok(network in compose.networks, `${name}: ${network}`);
        for (const volume of volumes) {
          const [from = ""] = volume.split(":");
          assert.ok(
            from.startsWith("./") ? existsSync(join(import.meta.dirname, from)) : from in compose.volumes,
            volume,
          );
        }
      }
      assert.doesNotMatch(text, /password|:\/\/[^\s/]*:[^\s/]*@/iu);
    });

    it("[D54] [D52] gives the relay an environment that it takes", () => {
      const asked = [...text.matchAll(/\$\{(\w+)/gu)].map(([, name = ""]) => name);
      for (const name of asked) assert.ok(VARIABLE_NAMES.includes(name), name);
      assert.ok(relays.length === (file === "compose.yaml" ? 2 : 1));
      for (const [name, { environment = {}, env_file, secrets = [], build }] of relays) {
        assert.deepEqual(env_file, [".env"]);
        assert.ok(build && existsSync(join(import.meta.dirname, build.context, build.dockerfile)), name);
        const unknown = Object.keys(environment).filter((key) => ![...VARIABLE_NAMES, ...NODES_OWN].includes(key));
        assert.deepEqual(unknown, []);
        const config = configFrom(
          { ...imageEnvironment(), ...exampleEnvironment(), ...environment },
          {
            platform: "linux",
            homedir: "/",
            read(path) {
              assert.ok(secrets.includes(path.replace("/run/secrets/", "")), path);
              return `${SECRET}\n`;
            },
          },
        );
        assert.equal(config.origin, "https://relay.example");
        assert.deepEqual(config.listen, { address: "0.0.0.0", port: 7684 });
        assert.equal(config.trustedProxies.rules.length, 1);
        assert.ok(config.trustedProxies.check("10.76.84.3"));
        assert.match(text, /- subnet: 10\.76\.84\.0\/24/u);
        const isSmall = file === "compose.small.yaml";
        const postgres = { kind: "postgres", url: "postgres:///flybridge?host=/run/postgresql&user=flybridge" };
        assert.deepEqual(config.store, isSmall ? { kind: "embedded", folder: "/data" } : postgres);
        assert.deepEqual(config.nats, isSmall ? [] : ["tls://nats:4222"]);
        assert.equal(config.secret, isSmall ? undefined : SECRET);
      }
    });

    it("[D54] is what Docker Compose takes, where there is one", (test) => {
      if (spawnSync("docker", ["compose", "version"]).status !== 0) return test.skip("no docker compose here");
      const folder = mkdtempSync(join(tmpdir(), "flybridge-deploy-"));
      after(() => rmSync(folder, { recursive: true, force: true }));
      cpSync(import.meta.dirname, folder, { recursive: true });
      cpSync(join(folder, ".env.example"), join(folder, ".env"));
      mkdirSync(join(folder, "secrets"));
      for (const name of Object.keys(compose.secrets ?? {})) writeFileSync(join(folder, "secrets", name), "");
      const ran = spawnSync("docker", ["compose", "-f", file, "config", "--quiet"], { cwd: folder, encoding: "utf8" });
      assert.equal(ran.status, 0, ran.stderr);
    });
  });
}

describe("the image", () => {
  it("[D54] runs as nobody in particular, on the Node that the project is made for", () => {
    const bases = [...DOCKERFILE.matchAll(/^FROM (\S+)/gmu)].map(([, base]) => base);
    assert.deepEqual(new Set(bases), new Set([`node:${NEEDED_MAJOR}-slim`]));
    assert.deepEqual(stepsNamed("USER"), ["node"]);
    assert.deepEqual(stepsNamed("VOLUME"), ["/data"]);
    assert.equal(imageEnvironment()["FLYBRIDGE_RELAY_DATA"], "/data");
    assert.match(stepsNamed("RUN").join("\n"), /mkdir \/data .*&& chown node:node \/data /u);
  });

  it("[D54] has a health check and a start that need nothing but Node", () => {
    const [health = ""] = stepsNamed("HEALTHCHECK");
    for (const words of [health.replace(/^.*CMD /u, ""), ...stepsNamed("ENTRYPOINT")]) {
      const [program, path = "", ...more] = JSON.parse(words) as string[];
      assert.deepEqual([program, more], ["node", []]);
      assert.ok(existsSync(join(ROOT, path)), path);
    }
    assert.deepEqual(stepsNamed("CMD"), []);
  });

  it("[D54] has no secret in it, and fetches nothing but locked packages, of which none runs", () => {
    assert.deepEqual(
      stepsOf(DOCKERFILE).filter(({ word }) => word === "ARG" || word === "ADD"),
      [],
    );
    for (const name of Object.keys(imageEnvironment())) assert.doesNotMatch(name, /SECRET|TOKEN|URL|KEY|PASSWORD/u);
    const commands = stepsOf(DOCKERFILE)
      .filter(({ word }) => word === "RUN")
      .flatMap(({ rest }) => rest.split("&&").map((command) => command.trim()));
    for (const command of commands)
      assert.match(
        command,
        /^(?:npm ci .*--ignore-scripts .*|node scripts\/web\.ts|node -e "import\('\/app\/relay\/main\.ts'\)"|(?:rm|mkdir|chown) .*)$/u,
      );
  });

  it("[D54] [D48] is made of this repository: every module that the relay reaches is in it", () => {
    const copied = stepsNamed("COPY").flatMap((words) =>
      words.split(" ").flatMap((word) => /^\/app\/(.+)/u.exec(word)?.[1] ?? []),
    );
    const modules = new Map(readModules(ROOT).map((module) => [module.path, module]));
    const reached = new Set(globSync("relay/*.ts", { cwd: ROOT }).filter((path) => !path.endsWith(".test.ts")));
    for (const path of reached) for (const { target } of modules.get(path)?.imports ?? []) reached.add(target);
    assert.ok(reached.has("protocol/relay/words.ts"));
    const holds = (path: string): boolean => copied.some((place) => path === place || path.startsWith(`${place}/`));
    assert.deepEqual(
      [...reached].filter((path) => !holds(path)),
      [],
    );
    const folders = new Set([...reached].map((path) => path.split("/")[0] ?? ""));
    // By the nearest of these, Node knows that they are modules.
    for (const folder of folders) assert.ok(holds(`${folder}/package.json`), folder);
  });

  it("[D54] is built from what it needs of the folder, without state, history or secrets", () => {
    const lines = readFileSync(join(ROOT, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    assert.equal(lines[0], "*");
    const allowed = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { workspaces: string[] };
    const known = ["LICENSE", "package.json", "package-lock.json", "*/package.json", "scripts", ...workspaces];
    assert.deepEqual(
      allowed.filter((path) => !known.includes(path)),
      [],
    );
    for (const denied of ["**/node_modules", "**/dist", "**/.env", "**/secrets"])
      assert.ok(lines.indexOf(denied) > lines.findLastIndex((line) => line.startsWith("!")), denied);
  });
});

describe("the relay's health check", () => {
  /** What it ends with, beside a server that answers `status`. */
  async function checked(status: number, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; said: string }> {
    let asked: string | undefined;
    const server: Server = createServer(({ url, headers }, response) => {
      asked = `${url} of ${headers.host}`;
      response.writeHead(status).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const { code, stderr } = await run({ FLYBRIDGE_RELAY_LISTEN: `0.0.0.0:${port}`, ...PUBLIC, ...env });
      assert.ok(asked === undefined || asked === "/health of relay.example", asked);
      return { code, said: stderr };
    } finally {
      await promisify(server.close.bind(server))();
    }
  }
  const PUBLIC = { FLYBRIDGE_RELAY_ORIGIN: "https://relay.example", FLYBRIDGE_RELAY_TRUSTED_PROXY: "10.0.0.1" };

  it("[D54] is well when the relay says so, and only then", async () => {
    assert.deepEqual(await checked(200), { code: 0, said: "" });
    assert.deepEqual(await checked(503), { code: 1, said: "The relay answers 503.\n" });
    const { code, said } = await checked(200, { FLYBRIDGE_RELAY_LISTEN: "127.0.0.1:1" });
    assert.deepEqual([code, /ECONNREFUSED/u.test(said)], [1, true]);
    assert.match((await checked(200, { FLYBRIDGE_RELAY_APP: "perhaps" })).said, /it has to be one of yes, no/u);
  });
});

describe("the systemd unit", () => {
  const unit = readFileSync(join(import.meta.dirname, "flybridge-relay.service"), "utf8");
  const settings = [...unit.matchAll(/^(\w+)=(.*)$/gmu)].map(([, name = "", value = ""]) => ({ name, value }));
  const of = (wanted: string): string[] => settings.filter(({ name }) => name === wanted).map(({ value }) => value);

  it("[D54] runs the relay as a user of its own, with one power of root's", () => {
    assert.deepEqual(of("ExecStart"), ["flybridge relay"]);
    assert.deepEqual([of("User"), of("Group")], [["flybridge-relay"], ["flybridge-relay"]]);
    assert.deepEqual(of("CapabilityBoundingSet"), ["CAP_NET_BIND_SERVICE"]);
    for (const name of ["NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"])
      assert.deepEqual(of(name), ["yes"], name);
    assert.deepEqual(of("ProtectSystem"), ["strict"]);
    // V8 could not compile.
    assert.deepEqual(of("MemoryDenyWriteExecute"), []);
  });

  it("[D54] [D52] names variables that the relay knows", () => {
    const names = of("Environment").map((value) => value.split("=")[0] ?? "");
    assert.deepEqual(names, ["FLYBRIDGE_RELAY_DATA", "NODE_OPTIONS"]);
    for (const name of names) assert.ok(name === "NODE_OPTIONS" || VARIABLE_NAMES.includes(name));
    assert.deepEqual(of("EnvironmentFile"), ["/etc/flybridge-relay/env"]);
    assert.equal(of("Environment")[0], `FLYBRIDGE_RELAY_DATA=%S/${of("StateDirectory")[0]}`);
  });

  it("[D54] is what systemd takes, where there is one", (test) => {
    const ran = spawnSync("systemd-analyze", ["verify", join(import.meta.dirname, "flybridge-relay.service")], {
      encoding: "utf8",
    });
    if (ran.error) return test.skip("no systemd here");
    // That the command is not installed here is no fault of the unit.
    const faults = ran.stderr
      .split("\n")
      .filter((line) => line !== "" && !/Command flybridge is not executable/u.test(line));
    assert.deepEqual(faults, []);
  });
});

it("[D54] [D52] the example of an environment names variables that the relay knows, the optional ones too", () => {
  const lines = readFileSync(join(import.meta.dirname, ".env.example"), "utf8").split("\n");
  const names = lines.flatMap((line) => /^#?([A-Z_]+)=/u.exec(line)?.[1] ?? []);
  assert.ok(names.length >= 3);
  for (const name of names) assert.ok(VARIABLE_NAMES.includes(name), name);
  const whole = lines.map((line) => line.replace(/^#(?=[A-Z_]+=)/u, "")).join("\n");
  configFrom({ ...environmentIn(whole), FLYBRIDGE_RELAY_TRUSTED_PROXY: "127.0.0.1" });
});

it("reads YAML as far as it is written here, and nothing as what it is not", () => {
  const text = [
    "a: &x",
    "  b: [1, 'c, d'] # e",
    '  f: "#g"',
    "h:",
    "  <<: *x",
    "  f: i",
    "j:",
    "  - k",
    "  - l: m",
    "    n: o:p",
    "q:",
  ];
  assert.deepEqual(parseYaml(text.join("\n")), {
    a: { b: ["1", "c, d"], f: "#g" },
    h: { b: ["1", "c, d"], f: "i" },
    j: ["k", { l: "m", n: "o:p" }],
    q: null,
  });
  for (const odd of [
    "a: |\n  b",
    "a: !x y",
    "a: {b: c}",
    "a:\n  b: c\n d: e",
    "- a\nb: c",
    'a: "b\\n"',
    "a: *b",
    "a b",
  ])
    assert.throws(() => parseYaml(odd), /^Error: line \d: ".*" /su, odd);
});

interface Step {
  readonly word: string;
  readonly rest: string;
}

function stepsOf(dockerfile: string): Step[] {
  return dockerfile
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [word = "", ...rest] = line.split(" ");
      return { word, rest: rest.join(" ") };
    });
}

function stepsNamed(wanted: string): string[] {
  return STEPS.filter(({ word }) => word === wanted).map(({ rest }) => rest);
}

function imageEnvironment(): Record<string, string> {
  return environmentIn(stepsNamed("ENV").join(" ").replaceAll(/\s+/gu, "\n"));
}

function exampleEnvironment(): Record<string, string> {
  return environmentIn(readFileSync(join(import.meta.dirname, ".env.example"), "utf8"));
}

function environmentIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/u.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

async function run(env: NodeJS.ProcessEnv): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["relay/health.ts"], { cwd: ROOT, env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}
