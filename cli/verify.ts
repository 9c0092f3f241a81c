/** `flybridge verify`: whether the app that a relay serves is the one of this installation, byte for byte. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { policyFor } from "@flybridge/protocol/policy.ts";
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import * as v from "valibot";
import { command } from "./command.ts";
import { EXIT_FAILED, Fault, usage } from "./fault.ts";

const INTEGRITY = "integrity.json";
const BUILT = join(import.meta.dirname, "..", "web", "dist", INTEGRITY);
/** Paths that are no files, but the app's one page. */
const PAGES = ["/", "/pair", "/account"];
/** Bytes of one answer that are read. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Milliseconds in which one answer comes whole, and how many are asked for at once. */
const ANSWER_MS = 20_000;
const AT_ONCE = 6;
/** Characters of a header that are shown. */
const SHOWN_CHARS = 200;

/** Path to hash, as W3C SRI §3.5 writes one. */
const Integrity = v.record(v.string(), v.pipe(v.string(), v.regex(/^sha384-[A-Za-z0-9+/]{64}$/u)));
type Integrity = v.InferOutput<typeof Integrity>;

interface Difference {
  readonly path: string;
  readonly what: "differs" | "missing" | "more" | "header";
  readonly detail?: string;
}

export default command({
  name: "verify",
  about: [
    "Fetches the app that a relay serves, and compares it with the one of this installation, byte for byte.",
    "Whoever runs a relay can change the app that comes from there; the one that a host serves itself, they cannot.",
  ].join("\n"),
  words: [{ name: "URL", about: "of the relay, https://relay.example", required: true }],
  flags: {},
  examples: [["flybridge verify https://relay.example", "is it ours? exit code 1 when it is not"]],
  async run([url = ""], _flags, terminal) {
    const origin = originFrom(url);
    const ours = await integrityHere();
    const differences = await compare(origin, ours);
    const files = Object.keys(ours).length;
    terminal.emit({ origin, same: differences.length === 0, files, differences });
    const { style, print } = terminal;
    if (differences.length === 0) {
      print(
        `${style.good("The same:")} all ${files} files that ${origin} serves to this machine, and what they may do.`,
      );
      print(style.dim("It could serve others something else, or serve it later: this is what it served here, now."));
      return 0;
    }
    print(`${style.bad("Not the same.")} Of the ${files} files of this installation's app, at ${origin}:`);
    print();
    for (const { path, what, detail } of differences)
      print(
        `  ${what.padEnd(8)} ${visibleLine(path)}${detail === undefined ? "" : `   ${style.dim(visibleLine(detail))}`}`,
      );
    print();
    print("Another version of Flybridge differs like that, too: compare with an installation of the version that the");
    print(
      "relay runs. If it is the same version, do not type a passphrase there, and use the app that your host serves.",
    );
    return EXIT_FAILED;
  },
});

async function compare(origin: string, ours: Integrity): Promise<Difference[]> {
  const page = ours["index.html"];
  const wanted: (readonly [path: string, hash: string | undefined])[] = [
    ...PAGES.map((path) => [path, page] as const),
    ...Object.entries(ours).map(([path, hash]) => [`/${path}`, hash] as const),
  ];
  const found: Difference[] = [];
  const next = async (): Promise<void> => {
    for (let one = wanted.shift(); one; one = wanted.shift()) {
      const [path, hash] = one;
      const served = await fetched(origin, path);
      if (!served) found.push({ path, what: "missing" });
      else {
        if (hashOf(served.bytes) !== hash) found.push({ path, what: "differs" });
        if (path === "/") found.push(...headersOf(served.headers));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  found.push(...(await furtherOf(origin, ours)));
  return found.toSorted((one, other) => one.path.localeCompare(other.path) || one.what.localeCompare(other.what));
}

/** What the page may do comes with it; a relay of ours says this and no more. */
function headersOf(headers: Headers): Difference[] {
  const [[name, policy] = ["", ""]] = Object.entries(policyFor([]));
  const said = headers.get(name);
  if (said === policy) return [];
  return [{ path: "/", what: "header", detail: `${name}: ${(said ?? "none").slice(0, SHOWN_CHARS)}` }];
}

/** Files that the relay's own list has and ours has not. */
async function furtherOf(origin: string, ours: Integrity): Promise<Difference[]> {
  const served = await fetched(origin, `/${INTEGRITY}`);
  if (!served) return [{ path: `/${INTEGRITY}`, what: "missing" }];
  const theirs = integrityFrom(new TextDecoder().decode(served.bytes));
  if (!theirs) return [{ path: `/${INTEGRITY}`, what: "differs", detail: "it is no list of files" }];
  return Object.keys(theirs)
    .filter((path) => !Object.hasOwn(ours, path))
    .map((path) => ({ path: `/${path}`, what: "more" }));
}

/** Undefined when there is no such file. */
async function fetched(
  origin: string,
  path: string,
): Promise<{ readonly bytes: Uint8Array; readonly headers: Headers } | undefined> {
  try {
    const answer = await fetch(`${origin}${encodeURI(path)}`, {
      // Wherever it leads, it is not what is served here.
      redirect: "error",
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!answer.ok) {
      await answer.body?.cancel();
      return undefined;
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of answer.body ?? []) {
      size += part.length;
      if (size > MAX_BYTES) throw new Error(`${path} has more than ${MAX_BYTES} bytes`);
      parts.push(part);
    }
    return { bytes: Buffer.concat(parts), headers: answer.headers };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Fault(
      "no_answer",
      `${origin} does not answer as a relay does (${visibleLine(cause instanceof Error ? cause.message : String(cause))}). Check its address.`,
      { cause: error },
    );
  }
}

async function integrityHere(): Promise<Integrity> {
  const text = await readFile(BUILT, "utf8").catch(() => undefined);
  const integrity = text === undefined ? undefined : integrityFrom(text);
  if (integrity) return integrity;
  throw new Fault("files", `This installation has no built app to compare with: ${BUILT} is missing. Run npm start.`);
}

function integrityFrom(text: string): Integrity | undefined {
  try {
    const result = v.safeParse(Integrity, JSON.parse(text));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(bytes: Uint8Array): string {
  return `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
}

function originFrom(text: string): string {
  try {
    return relayOriginFrom(text);
  } catch (error) {
    if (error instanceof OriginError) throw usage(error.message);
    throw error;
  }
}
