import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import * as v from "valibot";
import { Answer, Ask, Settlement } from "./ask.ts";
import { Fact } from "./entry.ts";
import { ErrorCode } from "./error.ts";
import { FeedFact } from "./feed.ts";
import { Grant } from "./grant.ts";
import { Item } from "./item.ts";
import { decodeDeviceMessage, decodeHostMessage, encodeMessage, HostMessage } from "./message.ts";
import { isMethod, METHODS } from "./methods.ts";
import { Status } from "./session.ts";
import { RELEASED, VERSION } from "./version.ts";

interface Golden {
  readonly from: "host" | "device";
  /** Of a reply: what was called. */
  readonly method?: string;
  readonly message: { readonly t: string; readonly ok?: unknown; readonly method?: string; readonly params?: unknown };
}

const FOLDER = join(import.meta.dirname, "golden");
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const goldens = (version: number): Golden[] =>
  readFileSync(join(FOLDER, `v${version}.jsonl`), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Golden);

/** What a golden line holds once it is parsed, by everything it goes through on arrival. */
function parsed({ from, method, message }: Golden): unknown {
  const read = from === "host" ? decodeHostMessage(bytes(message)) : decodeDeviceMessage(bytes(message));
  if (read?.t === "reply" && method !== undefined) return { ...read, ok: v.parse(rowOf(method).result, read.ok) };
  if (read?.t === "call") return { ...read, params: v.parse(rowOf(read.method).params, read.params) };
  return read;
}

function rowOf(method: string): { params: v.GenericSchema; result: v.GenericSchema } {
  assert.ok(isMethod(method), method);
  return METHODS[method];
}

describe("golden messages", () => {
  it("are there for every version that was released, and for this one", () => {
    for (const version of [...RELEASED, VERSION])
      assert.ok(readdirSync(FOLDER).includes(`v${version}.jsonl`), `protocol/golden/v${version}.jsonl is missing`);
  });

  for (const version of new Set([...RELEASED, VERSION]))
    it(`of version ${version} still parse, and mean what they meant`, () => {
      for (const golden of goldens(version)) assert.deepEqual(parsed(golden), golden.message, JSON.stringify(golden));
    });

  it("show each kind of everything this version says", () => {
    const text = readFileSync(join(FOLDER, `v${VERSION}.jsonl`), "utf8");
    const lines = goldens(VERSION);
    const unions = { Fact, FeedFact, Ask, Answer, Settlement, Item, Status, Grant };
    for (const [name, union] of Object.entries(unions))
      for (const option of union.options)
        assert.ok(
          text.includes(`"kind":"${option.entries.kind.literal}"`),
          `no golden ${name} ${option.entries.kind.literal}`,
        );
    for (const option of HostMessage.options)
      assert.ok(
        lines.some(({ message }) => message.t === option.entries.t.literal),
        `no golden ${option.entries.t.literal}`,
      );
    for (const code of ErrorCode.options) assert.ok(text.includes(`"code":"${code}"`), `no golden ${code}`);
    for (const method of Object.keys(METHODS)) {
      assert.ok(
        lines.some(({ message }) => message.method === method),
        `no golden call of ${method}`,
      );
      assert.ok(
        lines.some((line) => line.method === method),
        `no golden reply to ${method}`,
      );
    }
  });

  it("hold every field that a message of this version can have", () => {
    const seen = new Set<string>();
    const walk = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(walk);
      else if (typeof value === "object" && value !== null)
        for (const [key, inner] of Object.entries(value)) {
          seen.add(key);
          walk(inner);
        }
    };
    for (const { message } of goldens(VERSION)) walk(message);
    for (const union of [Fact, FeedFact, Ask, Answer, Settlement, Item, Status, Grant])
      for (const option of union.options)
        for (const key of Object.keys(option.entries)) assert.ok(seen.has(key), `no golden has ${key}`);
  });
});

describe("a message", () => {
  const call = { t: "call", call: 1, method: "session.list", params: {} };
  const delta = {
    t: "delta",
    session: "01980000-0000-7000-8000-0000000000aa",
    delta: { item: "i", offset: 0, text: "x" },
  };

  it("comes back as it was sent, whatever its text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const message = { ...delta, delta: { ...delta.delta, text } } as HostMessage;
        assert.deepEqual(decodeHostMessage(encodeMessage(message)), message);
      }),
    );
  });

  it("keeps half a surrogate pair, for a stream may be cut between its halves", () => {
    const message = { ...delta, delta: { item: "i", offset: 0, text: "\ud83d" } } as HostMessage;
    assert.deepEqual(decodeHostMessage(encodeMessage(message)), message);
  });

  it("may have fields that only a newer peer knows", () => {
    assert.deepEqual(decodeDeviceMessage(bytes({ ...call, moon: "full" })), call);
    assert.deepEqual(decodeHostMessage(bytes({ ...delta, delta: { ...delta.delta, moon: 1 }, moon: {} })), delta);
  });

  it("of a kind that only a newer host knows is nothing, from a device it is a fault", () => {
    assert.equal(decodeHostMessage(bytes({ t: "moon", phase: 1 })), undefined);
    assert.throws(() => decodeDeviceMessage(bytes({ ...call, t: "moon" })));
  });

  it("of an unknown method is a message still: it is answered, not fatal", () => {
    assert.equal(decodeDeviceMessage(bytes({ ...call, method: "moon.land" })).method, "moon.land");
    for (const name of ["toString", "__proto__", "constructor", ""]) assert.equal(isMethod(name), false);
  });

  it("throws when it is not UTF-8, not JSON, or not of the schema", () => {
    const wrong: Uint8Array[] = [
      Uint8Array.of(0xff, 0xfe),
      bytes(""),
      bytes("{"),
      bytes("null"),
      bytes("[]"),
      bytes("7"),
      bytes({}),
      bytes({ ...call, call: -1 }),
      bytes({ ...call, call: 1.5 }),
      bytes({ ...call, call: 2 ** 53 }),
      bytes({ ...call, method: "m".repeat(81) }),
      bytes({ ...call, method: 7 }),
      bytes({ ...call, intent: "mine" }),
      bytes({ t: "call", call: 1, method: "session.list" }),
    ];
    for (const message of wrong) assert.throws(() => decodeDeviceMessage(message), new TextDecoder().decode(message));
    for (const message of [
      { ...delta, session: "x" },
      { ...delta, delta: null },
      { t: "entries", session: delta.session, entries: [{ seq: 1 }] },
    ])
      assert.throws(() => decodeHostMessage(bytes(message)), JSON.stringify(message));
    // Not a message of a newer host either: it is no object.
    for (const message of ["null", "[]", "7"]) assert.equal(decodeHostMessage(bytes(message)), undefined);
  });

  it("nested a hundred thousand deep is read or refused, and breaks nothing", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const message = decodeDeviceMessage(bytes(`{"t":"call","call":1,"method":"session.list","params":${deep}}`));
    assert.equal(v.is(METHODS["session.page"].params, message.params), false);
  });

  it("cannot reach an object's prototype", () => {
    const message = decodeDeviceMessage(
      bytes(`{"t":"call","call":1,"method":"host.stop","params":{"keeper":true,"__proto__":{"owner":1}}}`),
    );
    const params = v.parse(METHODS["host.stop"].params, message.params);
    assert.deepEqual(params, { keeper: true });
    assert.equal(({} as { owner?: unknown }).owner, undefined);
  });

  it("is refused or read, on any bytes, without another kind of fault", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (frame) => {
        for (const decode of [decodeDeviceMessage, decodeHostMessage])
          try {
            decode(frame);
          } catch (error) {
            assert.ok(error instanceof SyntaxError || error instanceof v.ValiError || error instanceof TypeError);
          }
      }),
    );
  });
});
