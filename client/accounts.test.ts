/** What a device does about the hosts of its account, at a small relay that lets it to none of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toBase64Url } from "@flybridge/protocol/base64.ts";
import { fakeClock } from "@flybridge/transport/fake-clock.ts";
import { Accounts } from "./accounts.ts";
import type { AccountHere } from "./bridge.ts";
import { plainCell, type WatchedCell } from "./cell.ts";
import { memoryKeys } from "./keys-memory.contract.ts";
import { smallDevice } from "./relay/small-device.contract.ts";
import { ORIGIN, SmallRelay } from "./relay/small-relay.contract.ts";
import { seededRandom } from "./small-host.contract.ts";

const HOST = "h".repeat(56);
const SECOND_MS = 1_000;

/** Signed in, with a host on the account's list. */
async function signedIn() {
  const clock = fakeClock();
  const relay = new SmallRelay(clock, seededRandom(1));
  const cell = plainCell<{ at: string[]; read: boolean }>({ at: [], read: false });
  const accounts = new Accounts({
    platform: smallDevice(relay, { clock, keys: memoryKeys(seededRandom(2)), seed: 3 }),
    from: ORIGIN,
    hosts: plainCell({ list: [] }),
    cell,
    show() {},
    knownFrom: () => undefined,
    paired: () => Promise.reject(new Error("nobody pairs here")),
  });
  const here = await accounts.open(ORIGIN);
  const self = { name: "Nora's phone", kind: "phone" } as const;
  await here.account.signUp({ email: "nora@example.org", passphrase: "walnut boat lamp seventeen", self });
  const hostKey = toBase64Url(new Uint8Array(32).fill(7));
  await here.account.putHost({ host: HOST, rendezvous: "r".repeat(16), name: "the mill", hostKey });
  const host = { isConnected: false };
  relay.tricks["account.read"] = (_params, honest) => {
    const { hosts, ...rest } = honest();
    return { ...rest, hosts: hosts.map((one) => ({ ...one, connected: host.isConnected })) };
  };
  await here.look();
  host.isConnected = true;
  /** Whether a look led to a try to pair. */
  const tries = async (): Promise<boolean> => {
    const before = relay.openings;
    await here.look();
    await settled(here);
    return relay.openings > before;
  };
  return { clock, host, here, tries, close: () => accounts.close() };
}

/** Resolves once no pairing goes on. */
function settled({ view }: AccountHere): Promise<void> {
  const cell = view as WatchedCell<AccountHere["view"]["value"]>;
  return new Promise((resolve) => {
    const look = (): void => {
      if (cell.value.found[HOST]?.kind === "pairing") return;
      stop();
      resolve();
    };
    const stop = cell.watch(look);
    look();
  });
}

describe("a host of the account that cannot be paired with", () => {
  it("[D19] is tried again after seconds, then ever less often, and once a minute in the end", async () => {
    const { clock, here, tries, close } = await signedIn();
    assert.equal(await tries(), true);
    assert.equal(here.view.value.found[HOST]?.kind, "failed");
    const waits: number[] = [];
    for (let second = 1, last = 0; second <= 300; second += 1) {
      await clock.turn(SECOND_MS);
      if (!(await tries())) continue;
      waits.push(second - last);
      last = second;
    }
    assert.deepEqual(waits, [4, 8, 16, 32, 64, 64, 64]);
    close();
  });

  it("is tried at once when it was away meanwhile", async () => {
    const { clock, host, here, tries, close } = await signedIn();
    await tries();
    host.isConnected = false;
    assert.equal(await tries(), false);
    assert.equal(here.view.value.found[HOST]?.kind, "away");
    host.isConnected = true;
    await clock.turn(SECOND_MS);
    assert.equal(await tries(), true);
    close();
  });
});
