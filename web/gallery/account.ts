/** An account without a relay, in every state, and what comes of what is done about it. */
import type { AccountHere, FoundHost } from "@flybridge/client/bridge.ts";
import type { AccountContents } from "@flybridge/client/relay/contents.ts";
import type { AccountState, AccountView } from "@flybridge/client/relay/standing.ts";
import type { Notice } from "@flybridge/protocol/relay/account.ts";
import { storeCell } from "../store-cell.ts";
import { HOST, MINUTE } from "./data.ts";
import { ACCOUNT_KEY, RELAY } from "./remote.ts";

const NOW = Date.now();
const DAY = 24 * 60 * MINUTE;
/** How long the pretended relay and its keys take, in milliseconds. */
const WORK_MS = 150;
export const EMAIL = "ada@harbour.example";
const PASSPHRASE = "walnut boat lamp seventeen";
const INVITATION = "open-sesame";
const CODE = "k3v9d0hq7-xw2c8n5t1-b6r4m0z8y-3f7g2j9s5";
const [SELF_KEY, LAPTOP, TABLET, STRANGE] = ["s", "l", "t", "x"].map((letter) => letter.repeat(43)) as [
  string,
  string,
  string,
  string,
];

const IN: AccountState = { kind: "in", email: EMAIL, line: { kind: "live" } };
const host = (id: string, name: string | undefined, connected: boolean): AccountContents["hosts"][number] => ({
  host: id,
  rendezvous: "r".repeat(16),
  created: NOW - 9 * DAY,
  connected,
  ...(name === undefined ? {} : { name, hostKey: "x".repeat(43) }),
});
const CONTENTS: AccountContents = {
  email: EMAIL,
  account: ACCOUNT_KEY,
  devices: [
    {
      key: LAPTOP,
      name: "Ada's laptop",
      kind: "desktop",
      created: NOW - 30 * DAY,
      seen: NOW - 2 * MINUTE,
      self: false,
    },
    { key: SELF_KEY, name: "Ada's phone", kind: "phone", created: NOW - 3 * DAY, seen: NOW, self: true },
    {
      key: TABLET,
      name: "iPad in the kitchen, with a name that goes on for rather longer than anybody needs it to",
      kind: "tablet",
      created: NOW - 80 * DAY,
      seen: NOW - 20 * DAY,
      self: false,
    },
    { key: STRANGE, created: NOW - DAY, seen: NOW - 5 * 60 * MINUTE, self: false },
  ],
  hosts: [
    host(HOST, "studio", true),
    host("mill", "the mill", false),
    host("barn", "a barn with a name that goes on for rather longer than anybody needs", true),
    host("shed", "shed", true),
    host("attic", "attic", true),
    host("nobody", undefined, false),
  ],
  notices: [],
};
const FOUND: Record<string, FoundHost> = {
  [HOST]: { kind: "known" },
  mill: { kind: "away" },
  barn: { kind: "refused" },
  shed: { kind: "forgotten" },
  attic: { kind: "pairing" },
  nobody: { kind: "unreadable" },
};
const NOTICES: Notice[] = [
  { at: NOW - 4 * MINUTE, kind: "session_reused", key: LAPTOP, from: "203.0.0.0/16" },
  { at: NOW - 90 * MINUTE, kind: "signed_in", key: TABLET, from: "198.51.0.0/16" },
  { at: NOW - DAY, kind: "moved", key: SELF_KEY, from: "2001:db8::/32" },
  { at: NOW - 2 * DAY, kind: "recovered", key: STRANGE },
  { at: NOW - 3 * DAY, kind: "locked" },
];

export interface CannedAccount {
  readonly state: AccountState;
  readonly contents?: AccountContents;
  readonly found?: Record<string, FoundHost>;
  readonly notices?: Notice[];
  /** The relay takes who was invited. */
  readonly invited?: boolean;
}

export const ACCOUNTS = {
  out: { state: { kind: "out" } },
  invited: { state: { kind: "out" }, invited: true },
  full: { state: IN, contents: CONTENTS, found: FOUND, notices: NOTICES },
  fresh: {
    state: IN,
    contents: { ...CONTENTS, hosts: [], devices: CONTENTS.devices.filter(({ self }) => self) },
  },
  away: {
    state: {
      ...IN,
      line: {
        kind: "away",
        reason: `The relay at ${RELAY} cannot be reached: the socket closed.`,
        retryAt: NOW + 30_000,
      },
    },
    contents: CONTENTS,
    found: FOUND,
  },
  reused: { state: { kind: "ended", email: EMAIL, reason: "session_reused", message: "It was ended." } },
  signedOut: { state: { kind: "ended", email: EMAIL, reason: "signed_out", message: "It was ended." } },
} as const satisfies Record<string, CannedAccount>;

class AccountFault extends Error {
  override readonly name = "AccountError";
  readonly fault: string;
  constructor(fault: string, message: string) {
    super(message);
    this.fault = fault;
  }
}

export function cannedAccount(given: CannedAccount, changed: (isHere: boolean) => void): AccountHere {
  const account = storeCell<AccountView>({ state: given.state, notices: given.notices ?? [] });
  const view = storeCell<{ contents?: AccountContents; found: Record<string, FoundHost> }>({
    ...(given.contents ? { contents: given.contents } : {}),
    found: given.found ?? {},
  });
  const work = <T>(does: () => T): Promise<T> =>
    new Promise((resolve, reject) =>
      setTimeout(() => {
        try {
          resolve(does());
        } catch (fault) {
          reject(fault as Error);
        }
      }, WORK_MS),
    );
  const show = (state: AccountState): void => {
    account.change((now) => {
      now.state = state;
    });
    changed(state.kind !== "out");
  };
  const change = (mutate: (contents: AccountContents) => AccountContents): void =>
    view.change((now) => {
      if (now.contents) now.contents = mutate(now.contents);
    });
  const check = (passphrase: string): void => {
    if (passphrase !== PASSPHRASE)
      throw new AccountFault("wrong_passphrase", "The e-mail and what you typed do not belong together. Check both.");
  };
  const enter = (email: string): void => {
    view.change((now) => {
      now.contents ??= { ...ACCOUNTS.fresh.contents, email };
    });
    show({ kind: "in", email, line: { kind: "live" } });
  };
  return {
    view,
    look: () => Promise.resolve(),
    pair: (id) =>
      work(() =>
        view.change((now) => {
          now.found[id] = { kind: "known" };
        }),
      ),
    account: {
      origin: RELAY,
      view: account,
      start() {},
      wake() {},
      close() {},
      signUp: ({ email, invitation }) =>
        work(() => {
          if (given.invited === true && invitation !== INVITATION)
            throw new AccountFault(
              "not_invited",
              "This relay takes new accounts by invitation only, and this one is missing, wrong or used. Get a new one.",
            );
          enter(email);
          return { recoveryCode: CODE };
        }),
      signIn: ({ email, passphrase }) =>
        work(() => {
          check(passphrase);
          enter(email);
        }),
      recover: ({ email }) =>
        work(() => {
          enter(email);
          return { recoveryCode: CODE };
        }),
      changePassphrase: (current) => work(() => check(current)),
      newRecoveryCode: (passphrase) =>
        work(() => {
          check(passphrase);
          return { recoveryCode: CODE };
        }),
      read: () => work(() => view.value.contents as AccountContents),
      putHost: ({ host: id, name }) =>
        work(() => change((contents) => ({ ...contents, hosts: [...contents.hosts, host(id, name, true)] }))),
      removeHost: (id) =>
        work(() => change((contents) => ({ ...contents, hosts: contents.hosts.filter((one) => one.host !== id) }))),
      removeDevice: (key) =>
        work(() => change((contents) => ({ ...contents, devices: contents.devices.filter((one) => one.key !== key) }))),
      signOutOthers: () =>
        work(() => {
          const others = view.value.contents?.devices.filter(({ self }) => !self).length ?? 0;
          change((contents) => ({ ...contents, devices: contents.devices.filter(({ self }) => self) }));
          return others;
        }),
      dismiss: () =>
        work(() =>
          account.change((now) => {
            now.notices = [];
          }),
        ),
      signOut: () =>
        work(() => {
          show({ kind: "out" });
          return { ended: true };
        }),
      deleteAccount: (passphrase) =>
        work(() => {
          check(passphrase);
          show({ kind: "out" });
        }),
      pairing: () => Promise.reject(new Error("nothing pairs here")),
      trust: (_host, _identity, _rendezvous) =>
        work(() => ({ origin: RELAY, account: ACCOUNT_KEY, pairing: "p".repeat(43), endorsement: "e".repeat(86) })),
    },
  };
}
