import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Handshake, type Pattern, type Role, type Token } from "./handshake.ts";
import { nobleKey } from "./noble.ts";
import { XKpsk3 } from "./pairing.ts";
import { IKpsk2 } from "./reconnect.ts";
import { Opener, Sealer } from "./record.ts";
import { fault, LOW_ORDER_POINTS } from "./suite.contract.ts";
import { bytes, filled, fixedSuite, hex, vectorsOf } from "./vectors.contract.ts";

/** Noise §7.4, §7.5 and appendix 18.1: pre-messages before the colon, then messages in turns. */
const PATTERNS = `
  N   <-s: e es                     K   ->s <-s: e es ss              X   <-s: e es s ss
  NN  : e / e ee                    NK  <-s: e es / e ee              NX  : e / e ee s es
  KN  ->s: e / e ee se              KK  ->s <-s: e es ss / e ee se    KX  ->s: e / e ee se s es
  XN  : e / e ee / s se             XK  <-s: e es / e ee / s se       XX  : e / e ee s es / s se
  IN  : e s / e ee se               IK  <-s: e es s ss / e ee se      IX  : e s / e ee se s es
  NK1 <-s: e / e ee es              NX1 : e / e ee s / es             X1N : e / e ee / s / se
  X1K <-s: e es / e ee / s / se     XK1 <-s: e / e ee es / s se       X1K1 <-s: e / e ee es / s / se
  X1X : e / e ee s es / s / se      XX1 : e / e ee s / es s se        X1X1 : e / e ee s / es s / se
  K1N ->s: e / e ee / se            K1K ->s <-s: e es / e ee / se     KK1 ->s <-s: e / e ee se es
  K1K1 ->s <-s: e / e ee es / se    K1X ->s: e / e ee s es / se       KX1 ->s: e / e ee se s / es
  K1X1 ->s: e / e ee s / se es      I1N : e s / e ee / se             I1K <-s: e es s / e ee / se
  IK1 <-s: e s / e ee se es         I1K1 <-s: e s / e ee es / se      I1X : e s / e ee s es / se
  IX1 : e s / e ee se s / es        I1X1 : e s / e ee s / se es`;

function patternOf(name: string): Pattern {
  // The two that are spoken come from where they are spoken, so that these vectors try them and not a copy.
  if (name === XKpsk3.name) return XKpsk3;
  if (name === IKpsk2.name) return IKpsk2;
  const [, base = "", modifiers = ""] = /^([A-Z0-9]+)(.*)$/.exec(name) ?? [];
  const line = PATTERNS.split(/\n| {2,}(?=[A-Z])/).find((text) => text.trim().split(/[ :]/)[0] === base);
  const [before = "", after] = line?.split(":") ?? [];
  if (after === undefined) throw new Error(`no pattern ${name}`);
  const messages = after.split("/").map((message) => message.trim().split(" ") as Token[]);
  for (const [, at] of modifiers.matchAll(/psk(\d)/g)) {
    if (at === "0") messages[0]?.unshift("psk");
    else messages[Number(at) - 1]?.push("psk");
  }
  const known = [...before.matchAll(/->|<-/g)].map(([arrow]): Role => (arrow === "->" ? "initiator" : "responder"));
  return { name, known, messages };
}

interface NoiseVector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly resp_prologue: string;
  readonly init_psks?: readonly string[];
  readonly resp_psks?: readonly string[];
  readonly init_static?: string;
  readonly resp_static?: string;
  readonly init_ephemeral?: string;
  readonly resp_ephemeral?: string;
  readonly init_remote_static?: string;
  readonly resp_remote_static?: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

function sideOf(
  vector: NoiseVector,
  pattern: Pattern,
  role: Role,
): { handshake: Handshake; suite: ReturnType<typeof fixedSuite> } {
  const of = role === "initiator" ? "init" : "resp";
  const ephemeral = vector[`${of}_ephemeral`];
  const mine = vector[`${of}_static`];
  const theirs = vector[`${of}_remote_static`];
  const suite = fixedSuite(...(ephemeral === undefined ? [] : [bytes(ephemeral)]));
  const handshake = new Handshake({
    suite,
    pattern,
    role,
    prologue: bytes(vector[`${of}_prologue`]),
    ...(mine === undefined ? {} : { localStatic: nobleKey(bytes(mine)) }),
    ...(theirs === undefined ? {} : { remoteStatic: bytes(theirs) }),
  });
  for (const psk of vector[`${of}_psks`] ?? []) handshake.providePsk(bytes(psk));
  return { handshake, suite };
}

async function tryVector(vector: NoiseVector): Promise<void> {
  const name = vector.protocol_name.split("_")[1] ?? "";
  const pattern = patternOf(name);
  const sides = { initiator: sideOf(vector, pattern, "initiator"), responder: sideOf(vector, pattern, "responder") };
  const turns = pattern.messages.length;
  for (const [at, { payload, ciphertext }] of vector.messages.slice(0, turns).entries()) {
    const [from, to] = at % 2 === 0 ? [sides.initiator, sides.responder] : [sides.responder, sides.initiator];
    assert.equal(hex(await from.handshake.write(bytes(payload))), ciphertext, `${name}, message ${at + 1}`);
    assert.equal(hex(await to.handshake.read(bytes(ciphertext))), payload, `${name}, message ${at + 1}`);
  }
  const [initiator, responder] = [sides.initiator.handshake.split("test"), sides.responder.handshake.split("test")];
  assert.deepEqual(initiator.hash, responder.hash);
  assert.deepEqual(initiator.exported, responder.exported);
  if (vector.handshake_hash !== undefined) assert.equal(hex(initiator.hash), vector.handshake_hash, name);

  const up = {
    sealer: new Sealer(sides.initiator.suite, initiator.sealKey),
    opener: new Opener(sides.responder.suite, responder.openKey),
  };
  const down = {
    sealer: new Sealer(sides.responder.suite, responder.sealKey),
    opener: new Opener(sides.initiator.suite, initiator.openKey),
  };
  for (const [after, { payload, ciphertext }] of vector.messages.slice(turns).entries()) {
    // A one-way pattern (one message) goes on one way.
    const way = turns === 1 || (turns + after) % 2 === 0 ? up : down;
    assert.equal(hex(way.sealer.seal(bytes(payload))), ciphertext, `${name}, record ${after + 1}`);
    assert.equal(hex(way.opener.open(bytes(ciphertext))), payload, `${name}, record ${after + 1}`);
  }
}

describe("the Noise machine gives the bytes that others give", () => {
  for (const [file, count] of [
    ["cacophony", 59],
    ["snow", 51],
  ] as const) {
    it(`${file}: every pattern, its hash and its transport messages`, async (t) => {
      const all = vectorsOf<{ vectors: readonly NoiseVector[] }>(`noise/${file}.txt`);
      if (all === undefined) return t.skip("no vectors");
      const ours = all.vectors.filter((vector) => vector.protocol_name.endsWith("_25519_ChaChaPoly_SHA256"));
      assert.equal(ours.length, count);
      for (const vector of ours) await tryVector(vector);
    });
  }

  it("speaks XKpsk3 and IKpsk2 as the paper writes them", () => {
    const text = (pattern: Pattern) => pattern.messages.map((message) => message.join(" ")).join(" / ");
    assert.equal(text(XKpsk3), "e es / e ee / s se psk");
    assert.equal(text(IKpsk2), "e es s ss / e ee se psk");
  });
});

describe("a handshake goes forward or dies", () => {
  const NN = patternOf("NN");
  const XX = patternOf("XX");
  const pair = (pattern: Pattern, prologues = [filled(1, 3), filled(1, 3)]) => {
    const make = (role: Role, at: number) =>
      new Handshake({
        suite: fixedSuite(filled(0x21 + at)),
        pattern,
        role,
        prologue: prologues[at] ?? filled(0, 0),
        localStatic: nobleKey(filled(0x11 + at)),
      });
    return { initiator: make("initiator", 0), responder: make("responder", 1) };
  };

  it("takes each step once, in turn, and splits once", async () => {
    const { initiator, responder } = pair(NN);
    await assert.rejects(responder.write(filled(0, 0)), fault("spent"));
    await assert.rejects(initiator.read(filled(0, 64)), fault("spent"));
    assert.throws(() => initiator.split("x"), fault("spent"));
    const message1 = await initiator.write(filled(0, 0));
    await assert.rejects(initiator.write(filled(0, 0)), fault("spent"));
    await responder.read(message1);
    await assert.rejects(responder.read(message1), fault("spent"));
    await initiator.read(await responder.write(filled(0, 0)));
    await assert.rejects(initiator.write(filled(0, 0)), fault("spent"));
    initiator.split("x");
    assert.throws(() => initiator.split("x"), fault("spent"));
    await assert.rejects(initiator.write(filled(0, 0)), fault("spent"));
  });

  it("gives a step to one of two calls made at once", async () => {
    const { initiator } = pair(NN);
    const [first, second] = await Promise.allSettled([initiator.write(filled(0, 0)), initiator.write(filled(0, 0))]);
    assert.equal(first.status, "fulfilled");
    assert.ok(second.status === "rejected" && fault("spent")(second.reason));
  });

  it("is dead after a failure, even for the right message", async () => {
    const { initiator, responder } = pair(XX);
    await responder.read(await initiator.write(filled(0, 0)));
    const message2 = await responder.write(filled(7, 10));
    await assert.rejects(initiator.read(message2.slice(0, -1)), fault("broken"));
    await assert.rejects(initiator.read(message2), fault("spent"));
    assert.throws(() => initiator.split("x"), fault("spent"));
  });

  it("reads no message that ends before its keys do, and none over 65,535 bytes", async () => {
    for (const length of [0, 31, 65_536]) {
      await assert.rejects(pair(NN).responder.read(filled(1, length)), fault("broken"));
    }
    await assert.rejects(pair(NN).initiator.write(filled(1, 65_535)), fault("broken"));
  });

  it("fails on another prologue", async () => {
    const { initiator, responder } = pair(XX, [filled(1, 3), filled(1, 4)]);
    await responder.read(await initiator.write(filled(0, 0)));
    await assert.rejects(initiator.read(await responder.write(filled(0, 0))), fault("broken"));
  });

  it("refuses ephemerals of low order, and psks that are short or zero", async () => {
    for (const point of LOW_ORDER_POINTS) {
      const { responder, initiator } = pair(NN);
      await responder.read(point);
      await assert.rejects(responder.write(filled(0, 0)), fault("weak_key"));
      await initiator.write(filled(0, 0));
      await assert.rejects(initiator.read(new Uint8Array([...point, ...filled(0, 16)])), fault("weak_key"));
    }
    for (const psk of [filled(1, 31), filled(1, 33), filled(0)]) {
      assert.throws(() => pair(NN).initiator.providePsk(psk), fault("weak_key"));
    }
  });

  it("says so when the pattern needs a key it was not given", async () => {
    const bare = { suite: fixedSuite(filled(3)), role: "initiator", prologue: filled(0, 0) } as const;
    assert.throws(() => new Handshake({ ...bare, pattern: patternOf("NK") }), fault("weak_key"));
    await assert.rejects(
      new Handshake({ ...bare, pattern: patternOf("NNpsk0") }).write(filled(0, 0)),
      fault("weak_key"),
    );
  });

  it("exports another secret for another label, and never a transport key", async () => {
    const run = async (label: string) => {
      const { initiator, responder } = pair(NN);
      await responder.read(await initiator.write(filled(0, 0)));
      await initiator.read(await responder.write(filled(0, 0)));
      return initiator.split(label);
    };
    const [one, other, none] = [await run("one"), await run("other"), await run("")];
    assert.deepEqual(one.sealKey, other.sealKey);
    const secrets = [one.sealKey, one.openKey, one.hash, one.exported, other.exported, none.exported].map(hex);
    assert.equal(new Set(secrets).size, secrets.length);
  });

  it("does not care what the caller does with its buffers meanwhile", async () => {
    const { initiator, responder } = pair(XX);
    await responder.read(await initiator.write(filled(0, 0)));
    const message2 = await responder.write(filled(7, 10));
    const reading = initiator.read(message2);
    message2.fill(0);
    assert.deepEqual(await reading, filled(7, 10));
  });
});
