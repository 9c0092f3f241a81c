/**
 * What lets in at a relay: keys that are registered, sessions, tickets, and the secret of an offer. Each at each door, its
 * own and another's, of another account, relay, socket and time; and what becomes of a session that two have.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type HeldSigningKey, hostIdOf } from "@flybridge/crypto/identity.ts";
import { endorseDevice, endorseHost, KNOCK_MS, signTicket, TICKET_MS } from "@flybridge/crypto/proof.ts";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import type { Notice } from "@flybridge/protocol/relay/account.ts";
import type { JoinBy, Opening, RefusedCode, Session, TicketBody } from "@flybridge/protocol/relay/words.ts";
import { type Config, configFrom } from "@flybridge/relay/config.ts";
import { invite } from "@flybridge/relay/invite.ts";
import { type Relay, startRelay } from "@flybridge/relay/relay.ts";
import { type Opened, Peer } from "./peers.ts";
import { newProof } from "./relayed.ts";

const MINUTE_MS = 60_000;
/** Within a session's ten minutes. */
const RENEW_MS = 8 * MINUTE_MS;
const TWO_HOURS_MS = 120 * MINUTE_MS;
/** Beyond the half minute in which two requests may cross. */
const LATER_MS = 31_000;
/** Addresses of documentation (RFC 5737); the first two are of one network. */
const HOME = "192.0.2.7";
const NEAR_HOME = "192.0.77.8";
const ELSEWHERE = "198.51.100.9";

/** For what is about to happen. */
const LOOK_MS = 20;
const LOOKS = 100;

const random = (bytes: number): string => toBase64Url(new Uint8Array(randomBytes(bytes)));
const nameOf = (key: HeldSigningKey): string => toBase64Url(key.publicKey);
const codeOf = ({ answer }: Opened): RefusedCode | "welcome" => (answer.t === "refused" ? answer.code : "welcome");

/** A relay in this process, whose clock a test may move. */
class TestRelay {
  readonly relay: Relay;
  readonly #config: Config;
  readonly #folder: string;
  #ahead: { ms: number };

  private constructor(relay: Relay, config: Config, folder: string, ahead: { ms: number }) {
    this.relay = relay;
    this.#config = config;
    this.#folder = folder;
    this.#ahead = ahead;
  }

  static async start(registration = "invitation"): Promise<TestRelay> {
    const folder = mkdtempSync(join(tmpdir(), "flybridge-credentials-"));
    const config = configFrom({
      FLYBRIDGE_RELAY_LISTEN: "127.0.0.1:0",
      FLYBRIDGE_RELAY_DATA: folder,
      FLYBRIDGE_RELAY_REGISTRATION: registration,
      FLYBRIDGE_RELAY_APP: "no",
      FLYBRIDGE_RELAY_TRUSTED_PROXY: "127.0.0.1",
    });
    const ahead = { ms: 0 };
    const relay = await startRelay(config, { info() {}, warn() {} }, () => Date.now() + ahead.ms);
    return new TestRelay(relay, config, folder, ahead);
  }

  now(): number {
    return Date.now() + this.#ahead.ms;
  }

  pass(ms: number): void {
    this.#ahead.ms += ms;
  }

  invitation(): Promise<string> {
    return invite(this.#config, "either", this.now() + MINUTE_MS);
  }

  async open(key: HeldSigningKey, opening: Opening, from = HOME): Promise<Opened> {
    return Peer.open(this.relay, key, opening, from);
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** An account with a device that is signed in and a host that is connected, which let one more device in by a ticket. */
class Side {
  readonly at: TestRelay;
  readonly account = newProof();
  readonly accountDevice = newProof();
  readonly identity = newProof();
  readonly hs = random(32);
  readonly rendezvous = random(12);
  /** Of the ticket. */
  readonly ticketed = newProof();
  readonly offered = newProof();
  member!: Peer;
  memberSession!: Session;
  seat!: Peer;
  hostSession!: Session;

  private constructor(at: TestRelay) {
    this.at = at;
  }

  static async make(at: TestRelay): Promise<Side> {
    // What one network may ask for in a while is little beside what a test asks.
    at.pass(MINUTE_MS);
    const side = new Side(at);
    await side.signUp();
    await side.connect({ invitation: await at.invitation() });
    const { account, identity, rendezvous, offered } = side;
    const endorsement = toBase64Url(await endorseHost(account, identity.publicKey, rendezvous));
    side.seat.tell({ t: "account", account: { key: nameOf(account), endorsement } });
    side.seat.tell({ t: "offer", key: nameOf(offered), until: at.now() + TWO_HOURS_MS });
    // Until the relay has heard it, its devices are not let in by it.
    while (
      (await side.join(side.accountDevice, { kind: "session", session: side.memberSession.session })) !== "welcome"
    );
    return side;
  }

  async signUp(): Promise<void> {
    const { peer } = await this.at.open(this.accountDevice, { t: "member" });
    const lock = { auth: random(32), sealed: random(48) };
    const { session } = await peer.call("account.signUp", {
      email: `${random(6)}@mail.example`.toLowerCase(),
      stretching: { salt: random(16), memory: 47_104, passes: 2 },
      lock,
      recovery: { ...lock, auth: random(32) },
      account: nameOf(this.account),
      endorsement: toBase64Url(await endorseDevice(this.account, this.accountDevice.publicKey)),
      label: random(32),
      invitation: await this.at.invitation(),
    });
    await peer.call("account.kept", {});
    peer.socket.terminate();
    await peer.closed;
    const { peer: member, answer } = await this.at.open(this.accountDevice, { t: "member", session: session.session });
    assert.ok(answer.t === "welcome" && answer.session && answer.registered);
    this.member = member;
    this.memberSession = answer.session;
    await member.call("account.kept", {});
  }

  get hostOpening() {
    return { t: "host", hs: this.hs, rendezvous: this.rendezvous } as const;
  }

  /** The host takes its seat, and stores the session that it gets. */
  async connect(more: { invitation?: string; session?: string; anew?: boolean } = {}, from = HOME): Promise<void> {
    const { peer, answer } = await this.at.open(this.identity, { ...this.hostOpening, ...more }, from);
    assert.ok(answer.t === "welcome" && answer.session, JSON.stringify(answer));
    this.seat = peer;
    this.hostSession = answer.session;
    peer.tell({ t: "kept" });
  }

  /** The host's session is renewed over its socket, and the new one stored. */
  async renewHost(): Promise<void> {
    const before = this.seat.told.length;
    this.seat.tell({ t: "renew", session: this.hostSession.session });
    const next = await this.seat.until("a session", () =>
      this.seat.told.slice(before).find(({ t }) => t === "session"),
    );
    assert.ok(next.t === "session");
    this.hostSession = next;
    this.seat.tell({ t: "kept" });
    await this.settled();
  }

  async renewMember(): Promise<void> {
    this.memberSession = (await this.member.call("account.renew", { session: this.memberSession.session })).session;
    await this.member.call("account.kept", {});
  }

  /** The relay has heeded what the host told it: one question more, whose answer comes after that. It changes nothing. */
  async settled(): Promise<void> {
    const before = this.seat.told.length;
    this.seat.tell({ t: "renew", session: this.hostSession.session });
    await this.seat.until("an answer", () => this.seat.told.slice(before).find(({ t }) => t === "session"));
  }

  ticket(more: Partial<TicketBody> = {}, by = this.identity): Promise<string> {
    return signTicket(by, {
      relay: this.at.relay.origin,
      host: hostIdOf(Buffer.from(this.hs, "base64url"), this.identity.publicKey) as TicketBody["host"],
      rendezvous: this.rendezvous,
      device: nameOf(this.ticketed),
      until: this.at.now() + TICKET_MS - MINUTE_MS,
      id: random(12),
      ...more,
    });
  }

  async join(key: HeldSigningKey, by: JoinBy, rendezvous = this.rendezvous): Promise<RefusedCode | "welcome"> {
    const opened = await this.at.open(key, { t: "join", rendezvous, by });
    opened.peer.socket.terminate();
    return codeOf(opened);
  }

  async host(
    key: HeldSigningKey,
    more: Partial<Extract<Opening, { t: "host" }>> = {},
  ): Promise<RefusedCode | "welcome"> {
    const opened = await this.at.open(key, { ...this.hostOpening, rendezvous: random(12), ...more });
    opened.peer.socket.terminate();
    return codeOf(opened);
  }

  /** `guest`: let in, and nobody yet. */
  async memberBy(key: HeldSigningKey, session?: string): Promise<RefusedCode | "welcome" | "guest"> {
    const opened = await this.at.open(key, { t: "member", ...(session === undefined ? {} : { session }) });
    opened.peer.socket.terminate();
    const { answer } = opened;
    return answer.t === "welcome" && answer.registered === false ? "guest" : codeOf(opened);
  }

  /** Which of the two sockets are gone. */
  async gone(whose: string): Promise<string[]> {
    const alive = await Promise.all([this.seat.isAlive(), this.member.isAlive()]);
    return ["host", "device"].filter((_, at) => !alive[at]).map((what) => `${whose} ${what}`);
  }

  notices(): Promise<readonly Notice[]> {
    return this.member.call("account.read", {}).then(({ notices }) => notices);
  }

  close(): void {
    this.member.socket.terminate();
    this.seat.socket.terminate();
  }
}

describe("at a relay that takes who is invited", { timeout: 120_000 }, () => {
  let relay: TestRelay;
  before(async () => {
    relay = await TestRelay.start();
  });
  after(() => relay.stop());

  /** Who shows what; `mine` and `other` are two accounts, `nobody` is registered nowhere. */
  type Tried = (mine: Side, other: Side, nobody: HeldSigningKey) => Promise<string>;
  interface Row {
    readonly what: string;
    readonly shown: Tried;
    readonly comes: RefusedCode | "welcome" | "guest";
    /** Whose sockets are closed by it. */
    readonly ends?: readonly string[];
  }
  const ticketed = (mine: Side, more: Partial<TicketBody>): Promise<string> =>
    mine.ticket(more).then((ticket) => mine.join(mine.ticketed, { kind: "ticket", ticket }));
  const spoilt = (text: string): string => `${text.slice(0, -2)}${text.endsWith("AA") ? "BA" : "AA"}`;
  const DOORS: Readonly<Record<string, readonly Row[]>> = {
    "the door of hosts": [
      {
        what: "a host's key",
        shown: (mine) => mine.host(mine.identity, mine.hostOpening),
        comes: "welcome",
        ends: ["my host"],
      },
      {
        what: "a host's key with its session",
        shown: (mine) => mine.host(mine.identity, { ...mine.hostOpening, session: mine.hostSession.session }),
        comes: "welcome",
        ends: ["my host"],
      },
      { what: "a key that nobody knows", shown: (mine, _, nobody) => mine.host(nobody), comes: "not_registered" },
      {
        what: "such a key with an invitation that is none",
        shown: (mine, _, nobody) => mine.host(nobody, { invitation: "abcd-efgh-jkmn-pqrs" }),
        comes: "not_registered",
      },
      {
        what: "such a key with a host's session",
        shown: (mine, _, nobody) => mine.host(nobody, { session: mine.hostSession.session }),
        comes: "not_registered",
        ends: ["my host"],
      },
      {
        what: "such a key with a device's session",
        shown: (mine, _, nobody) => mine.host(nobody, { session: mine.memberSession.session }),
        comes: "not_registered",
        ends: ["my device"],
      },
      {
        what: "such a key, invited, with a host's session",
        shown: async (mine, _, nobody) =>
          mine.host(nobody, { session: mine.hostSession.session, invitation: await relay.invitation() }),
        comes: "session_reused",
        ends: ["my host"],
      },
      {
        what: "another host's key with a host's session",
        shown: (mine, other) => mine.host(other.identity, { ...other.hostOpening, session: mine.hostSession.session }),
        comes: "session_reused",
        ends: ["my host"],
      },
      {
        what: "another host's key at a host's rendezvous",
        shown: (mine, other) => mine.host(other.identity, { ...other.hostOpening, rendezvous: mine.rendezvous }),
        comes: "bad_opening",
      },
      { what: "a device's key", shown: (mine) => mine.host(mine.accountDevice), comes: "bad_opening" },
      {
        what: "a device's key with its session",
        shown: (mine) => mine.host(mine.accountDevice, { session: mine.memberSession.session }),
        comes: "bad_opening",
      },
      { what: "a ticket's key", shown: (mine) => mine.host(mine.ticketed), comes: "not_registered" },
      { what: "an offer's key", shown: (mine) => mine.host(mine.offered), comes: "not_registered" },
      {
        what: "a ticket for a session",
        shown: async (mine) => mine.host(mine.ticketed, { session: await mine.ticket() }),
        comes: "bad_opening",
      },
    ],
    "the door of members": [
      { what: "a device's key", shown: (mine) => mine.memberBy(mine.accountDevice), comes: "welcome" },
      {
        what: "a device's key with its session",
        shown: (mine) => mine.memberBy(mine.accountDevice, mine.memberSession.session),
        comes: "welcome",
      },
      { what: "a key that nobody knows", shown: (mine, _, nobody) => mine.memberBy(nobody), comes: "guest" },
      {
        what: "such a key with a device's session",
        shown: (mine, _, nobody) => mine.memberBy(nobody, mine.memberSession.session),
        comes: "session_reused",
        ends: ["my device"],
      },
      {
        what: "such a key with a host's session",
        shown: (mine, _, nobody) => mine.memberBy(nobody, mine.hostSession.session),
        comes: "session_reused",
        ends: ["my host"],
      },
      {
        what: "such a key with a session that is none",
        shown: (mine, _, nobody) => mine.memberBy(nobody, random(32)),
        comes: "session_ended",
      },
      {
        what: "a device of another account with a device's session",
        shown: (mine, other) => mine.memberBy(other.accountDevice, mine.memberSession.session),
        comes: "session_reused",
        ends: ["my device"],
      },
      { what: "a host's key", shown: (mine) => mine.memberBy(mine.identity), comes: "bad_opening" },
      {
        what: "a host's key with its session",
        shown: (mine) => mine.memberBy(mine.identity, mine.hostSession.session),
        comes: "bad_opening",
      },
      { what: "a ticket's key", shown: (mine) => mine.memberBy(mine.ticketed), comes: "guest" },
      {
        what: "a ticket for a session",
        shown: async (mine) => mine.memberBy(mine.ticketed, await mine.ticket()),
        comes: "bad_opening",
      },
    ],
    "the door of joins, by a ticket": [
      { what: "the host's, by its key", shown: (mine) => ticketed(mine, {}), comes: "welcome" },
      {
        what: "the host's, by a device's key",
        shown: async (mine) => mine.join(mine.accountDevice, { kind: "ticket", ticket: await mine.ticket() }),
        comes: "bad_ticket",
      },
      {
        what: "the host's, by the host's key",
        shown: async (mine) => mine.join(mine.identity, { kind: "ticket", ticket: await mine.ticket() }),
        comes: "bad_ticket",
      },
      {
        what: "another host's, by its key",
        shown: async (mine, other) => mine.join(other.ticketed, { kind: "ticket", ticket: await other.ticket() }),
        comes: "bad_ticket",
      },
      {
        what: "one that another host signed",
        shown: async (mine, other) =>
          mine.join(mine.ticketed, { kind: "ticket", ticket: await mine.ticket({}, other.identity) }),
        comes: "bad_ticket",
      },
      {
        what: "one that its holder signed",
        shown: async (mine) =>
          mine.join(mine.ticketed, { kind: "ticket", ticket: await mine.ticket({}, mine.ticketed) }),
        comes: "bad_ticket",
      },
      {
        what: "one that the account signed",
        shown: async (mine) =>
          mine.join(mine.ticketed, { kind: "ticket", ticket: await mine.ticket({}, mine.account) }),
        comes: "bad_ticket",
      },
      {
        what: "one for another relay",
        shown: (mine) => ticketed(mine, { relay: "https://relay.example" }),
        comes: "bad_ticket",
      },
      {
        what: "one for another rendezvous",
        shown: (mine) => ticketed(mine, { rendezvous: random(12) }),
        comes: "bad_ticket",
      },
      {
        what: "one for another host",
        shown: (mine, other) =>
          ticketed(mine, {
            host: hostIdOf(Buffer.from(other.hs, "base64url"), other.identity.publicKey) as TicketBody["host"],
          }),
        comes: "bad_ticket",
      },
      {
        what: "one that lasts longer than a day",
        shown: (mine) => ticketed(mine, { until: relay.now() + 2 * TICKET_MS }),
        comes: "bad_ticket",
      },
      {
        what: "one that is too old to be asked about",
        shown: (mine) => ticketed(mine, { until: relay.now() - KNOCK_MS - MINUTE_MS }),
        comes: "bad_ticket",
      },
      {
        what: "one of which a bit is another",
        shown: async (mine) => mine.join(mine.ticketed, { kind: "ticket", ticket: spoilt(await mine.ticket()) }),
        comes: "bad_ticket",
      },
      {
        what: "a session for a ticket",
        shown: (mine) => mine.join(mine.accountDevice, { kind: "ticket", ticket: mine.memberSession.session }),
        comes: "bad_ticket",
      },
      {
        what: "at a host that is not there",
        shown: async (mine) => mine.join(mine.ticketed, { kind: "ticket", ticket: await mine.ticket() }, random(12)),
        comes: "host_away",
      },
    ],
    "the door of joins, by an offer": [
      { what: "the offer's key", shown: (mine) => mine.join(mine.offered, { kind: "offer" }), comes: "welcome" },
      { what: "a ticket's key", shown: (mine) => mine.join(mine.ticketed, { kind: "offer" }), comes: "no_offer" },
      { what: "a device's key", shown: (mine) => mine.join(mine.accountDevice, { kind: "offer" }), comes: "no_offer" },
      { what: "the host's key", shown: (mine) => mine.join(mine.identity, { kind: "offer" }), comes: "no_offer" },
      {
        what: "the key of another host's offer",
        shown: (mine, other) => mine.join(other.offered, { kind: "offer" }),
        comes: "no_offer",
      },
    ],
    "the door of joins, by a session": [
      {
        what: "a device's, by its key",
        shown: (mine) => mine.join(mine.accountDevice, { kind: "session", session: mine.memberSession.session }),
        comes: "welcome",
      },
      {
        what: "a device's, by its key, to a host of another account",
        shown: (mine, other) =>
          other.join(mine.accountDevice, { kind: "session", session: mine.memberSession.session }),
        comes: "host_away",
      },
      {
        what: "none, by a device's key",
        shown: (mine) => mine.join(mine.accountDevice, { kind: "session" }),
        comes: "not_registered",
      },
      {
        what: "a device's, by a key that nobody knows",
        shown: (mine, _, nobody) => mine.join(nobody, { kind: "session", session: mine.memberSession.session }),
        comes: "session_reused",
        ends: ["my device"],
      },
      {
        what: "a device's, by a device of another account",
        shown: (mine, other) =>
          mine.join(other.accountDevice, { kind: "session", session: mine.memberSession.session }),
        comes: "session_reused",
        ends: ["my device"],
      },
      {
        what: "a host's, by its key",
        shown: (mine) => mine.join(mine.identity, { kind: "session", session: mine.hostSession.session }),
        comes: "not_registered",
      },
      {
        what: "a host's, by a device of its account",
        shown: (mine) => mine.join(mine.accountDevice, { kind: "session", session: mine.hostSession.session }),
        comes: "session_reused",
        ends: ["my host"],
      },
      {
        what: "one that is none, by a device's key",
        shown: (mine) => mine.join(mine.accountDevice, { kind: "session", session: random(32) }),
        comes: "session_ended",
      },
      {
        what: "a ticket for a session",
        shown: async (mine) => mine.join(mine.ticketed, { kind: "session", session: await mine.ticket() }),
        comes: "bad_opening",
      },
    ],
  };
  for (const [door, rows] of Object.entries(DOORS))
    for (const { what, shown, comes, ends = [] } of rows)
      it(`[D07] [D08] [D09] ${door}: ${what}: ${comes}`, async () => {
        const [mine, other] = await Promise.all([Side.make(relay), Side.make(relay)]);
        try {
          assert.equal(await shown(mine, other, newProof()), comes);
          const gone = async (): Promise<string[]> =>
            (await Promise.all([mine.gone("my"), other.gone("another's")]))
              .flat()
              .map((one) => one.replace("my", "my"));
          // What is ended is ended after the answer.
          for (let look = 0; look < LOOKS && (await gone()).length < ends.length; look++) await delay(LOOK_MS);
          assert.deepEqual(await gone(), ends);
        } finally {
          mine.close();
          other.close();
        }
      });

  it("[D07] [D08] takes no opening that was said on another socket, to another relay, or changed on the way", async () => {
    const elsewhere = await TestRelay.start();
    try {
      const mine = await Side.make(relay);
      const { origin } = relay.relay;
      const by = { kind: "ticket", ticket: await mine.ticket() } as const;
      const openings: readonly (readonly [HeldSigningKey, Opening])[] = [
        [mine.identity, { ...mine.hostOpening, session: mine.hostSession.session }],
        [mine.accountDevice, { t: "member", session: mine.memberSession.session }],
        [mine.ticketed, { t: "join", rendezvous: mine.rendezvous, by }],
      ];
      for (const [key, opening] of openings) {
        const refused = async (frame: Uint8Array, peer: Peer): Promise<void> => {
          peer.say(frame);
          assert.equal(codeOf({ peer, answer: await peer.answer() }), "bad_opening", opening.t);
          await peer.closed;
        };
        const [one, other, third] = await Promise.all([0, 1, 2].map(() => Peer.at(relay.relay, HOME)));
        // Said to the first socket, and kept by whoever carries it.
        await refused(await one!.signed(origin, key, opening), other!);
        await refused(await third!.signed(elsewhere.relay.origin, key, opening), third!);
        one!.socket.terminate();
        const far = await Peer.at(elsewhere.relay, HOME);
        await refused(await far.signed(origin, key, opening), far);
        for (const at of [0, 31, 32, 95, 96, 110]) {
          const peer = await Peer.at(relay.relay, HOME);
          const frame = await peer.signed(origin, key, opening);
          frame[at] = (frame[at] ?? 0) ^ 1;
          await refused(frame, peer);
        }
      }
      assert.deepEqual(await mine.gone("my"), []);
      mine.close();
    } finally {
      await elsewhere.stop();
    }
  });

  it("[D07] asks the host about a ticket that is too old, and lets in by the new one or not at all", async () => {
    const mine = await Side.make(relay);
    const old = await mine.ticket({ until: relay.now() - MINUTE_MS });
    const knock = (): Promise<Opened> =>
      relay.open(mine.ticketed, {
        t: "join",
        rendezvous: mine.rendezvous,
        by: { kind: "ticket", ticket: old },
      });
    const asked = async (count: number): Promise<number> =>
      mine.seat.until("to be asked", () => {
        const asks = mine.seat.told.filter((one) => one.t === "renew");
        const last = asks.at(-1);
        return asks.length === count && last?.t === "renew" ? last.ask : undefined;
      });
    const answers: readonly (readonly [ticket: string | undefined, comes: string])[] = [
      [await mine.ticket(), "welcome"],
      [undefined, "bad_ticket"],
      [old, "bad_ticket"],
      [await mine.ticket({ device: random(32) }), "bad_ticket"],
    ];
    for (const [at, [ticket, comes]] of answers.entries()) {
      const opening = knock();
      const ask = await asked(at + 1);
      mine.seat.tell({ t: "renewed", ask, ...(ticket === undefined ? {} : { ticket }) });
      const opened = await opening;
      assert.equal(codeOf(opened), comes);
      if (opened.answer.t === "welcome") assert.equal(opened.answer.ticket, ticket);
      opened.peer.socket.terminate();
    }
    mine.close();
  });

  it("[D07] lets no session count after its ten minutes, and no sign-in after twelve hours", async () => {
    const mine = await Side.make(relay);
    relay.pass(10 * MINUTE_MS);
    const { session } = mine.memberSession;
    assert.equal(await mine.join(mine.accountDevice, { kind: "session", session }), "session_ended");
    assert.deepEqual(await mine.gone("my"), [], "and nobody is accused");
    // By its key it has another.
    assert.equal(await mine.memberBy(mine.accountDevice, session), "welcome");
    assert.equal(await mine.host(mine.identity, { ...mine.hostOpening, session: mine.hostSession.session }), "welcome");
    mine.close();
  });
});

describe("a session that two have", { timeout: 120_000 }, () => {
  let relay: TestRelay;
  before(async () => {
    relay = await TestRelay.start();
  });
  after(() => relay.stop());

  /** How a session that was replaced is shown again, by whom, and whether that ends what its key has. */
  const REPLAYS: readonly {
    readonly what: string;
    readonly passes?: number;
    readonly from?: string;
    readonly by?: "own" | "another host" | "another device" | "nobody";
    readonly isFound: boolean;
  }[] = [
    { what: "at once, by its key", isFound: false },
    { what: "at once, by its key, nearby", from: NEAR_HOME, isFound: false },
    { what: "at once, by its key, from elsewhere", from: ELSEWHERE, isFound: true },
    { what: "at once, by another host", by: "another host", isFound: true },
    { what: "at once, by a device of another account", by: "another device", isFound: true },
    { what: "at once, by a key that nobody knows", by: "nobody", isFound: true },
    { what: "after half a minute, by its key", passes: LATER_MS, isFound: true },
    { what: "after two hours, by its key", passes: TWO_HOURS_MS, isFound: true },
    { what: "after two hours, by another host", passes: TWO_HOURS_MS, by: "another host", isFound: true },
    { what: "after two hours, from elsewhere", passes: TWO_HOURS_MS, from: ELSEWHERE, isFound: true },
  ];

  for (const kind of ["host", "device"] as const)
    for (const { what, passes = 0, from = HOME, by = "own", isFound } of REPLAYS)
      it(`[D47] of a ${kind}, ${what}: ${isFound ? "all of it ends, and its people are told" : "goes on"}`, async () => {
        const [mine, other] = await Promise.all([Side.make(relay), Side.make(relay)]);
        const renew = (): Promise<void> => (kind === "host" ? mine.renewHost() : mine.renewMember());
        const current = (): string => (kind === "host" ? mine.hostSession : mine.memberSession).session;
        const socket = kind === "host" ? mine.seat : mine.member;
        const old = current();
        await renew();
        for (let passed = 0; passed < passes; passed += RENEW_MS) {
          relay.pass(Math.min(RENEW_MS, passes - passed));
          await Promise.all([mine.renewHost(), mine.renewMember(), other.renewHost(), other.renewMember()]);
        }
        const key = {
          own: kind === "host" ? mine.identity : mine.accountDevice,
          "another host": other.identity,
          "another device": other.accountDevice,
          nobody: newProof(),
        }[by];
        const isHostly = by === "own" ? kind === "host" : by === "another host";
        const hostly = by === "own" ? mine.hostOpening : other.hostOpening;
        const opening: Opening = isHostly ? { ...hostly, session: old } : { t: "member", session: old };
        const shown = await relay.open(key, opening, from);
        if (!isFound) {
          // It is given what it has already.
          assert.ok(shown.answer.t === "welcome" && shown.answer.session?.session === current());
          assert.deepEqual(await mine.gone("my"), kind === "host" ? ["my host"] : []);
          assert.ok(!(await mine.notices()).some((one) => one.kind === "session_reused"));
        } else {
          assert.equal(codeOf(shown), "session_reused");
          assert.equal(await socket.refusal(), "session_reused");
          // Of the family nothing counts any more, and the key alone does not do either.
          const own = kind === "host" ? mine.identity : mine.accountDevice;
          const again = (session?: string): Opening => ({
            ...(kind === "host" ? mine.hostOpening : { t: "member" }),
            ...(session === undefined ? {} : { session }),
          });
          for (const session of kind === "host" ? [current(), undefined] : [current()])
            assert.equal(codeOf(await relay.open(own, again(session))), "session_reused");
          assert.deepEqual(
            (await Promise.all([mine.gone("my"), other.gone("another's")])).flat(),
            [`my ${kind}`],
            "and nobody else is harmed",
          );
          if (kind === "host") {
            const told = (await mine.notices()).filter((one) => one.kind === "session_reused");
            assert.deepEqual(
              told.map(({ key: whose, from: where }) => [whose, where]),
              [[nameOf(own), from === ELSEWHERE ? "198.51.0.0/16" : "192.0.0.0/16"]],
            );
            assert.ok(mine.member.heard.some((one) => one.t === "notice" && one.notice.kind === "session_reused"));
            // A person says that it is to sign in again, and is asked for an invitation.
            const anew = { ...mine.hostOpening, anew: true } as const;
            assert.equal(codeOf(await relay.open(own, anew)), "session_reused");
            await mine.connect({ anew: true, invitation: await relay.invitation() });
          }
        }
        shown.peer.socket.terminate();
        mine.close();
        other.close();
      });
});
