/** What a signed-in device reads and changes of its account: locks, devices, hosts, notices, and the whole of it. */
import { type AccountResult, MAX_NOTICES } from "@flybridge/protocol/relay/account.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import { accountsIn } from "../store/accounts.ts";
import { noticesIn } from "../store/notices.ts";
import { type Registration, registrationsIn } from "../store/registrations.ts";
import {
  AccountError,
  type Handlers,
  type HandlersAround,
  noticeOf,
  notSignedIn,
  stillOpened,
  storedLock,
} from "./account-call.ts";

type Method =
  | "account.read"
  | "account.change"
  | "account.putHost"
  | "account.removeHost"
  | "account.removeDevice"
  | "account.signOutOthers"
  | "account.dismiss"
  | "account.delete";

export function memberHandlers(around: HandlersAround): Handlers<Method> {
  const { database } = around;

  return {
    async "account.read"(_, { account: key, caller }) {
      const [account, members, notices] = [
        await accountsIn(database).byKey(key),
        await registrationsIn(database).byAccount(key),
        await noticesIn(database).list(key),
      ];
      if (!account) throw notSignedIn();
      const hosts = members.filter(({ kind }) => kind === "host").map((host) => accountHost(host, around));
      return {
        email: account.email,
        account: key,
        devices: members
          .filter(({ kind }) => kind === "device")
          .map(({ key: device, label = "", created, seen }) => ({
            key: device,
            label,
            created,
            seen,
            self: device === caller.key,
          })),
        hosts: (await Promise.all(hosts)).filter((host) => host !== undefined),
        notices: notices.slice(0, MAX_NOTICES),
      };
    },
    async "account.change"({ stretching, lock, recovery }, call) {
      if ((stretching === undefined) !== (lock === undefined) || (!lock && !recovery))
        throw new AccountError("bad_params", "A new passphrase is a lock and how it is stretched. Update this device.");
      const passphrase = lock && storedLock(lock);
      const code = recovery && storedLock(recovery);
      await call.change(async (change) => {
        const { key } = await stillOpened(change, call.opened);
        if (stretching && passphrase) await accountsIn(change).setPassphrase(key, stretching, passphrase);
        if (code) await accountsIn(change).setRecovery(key, code);
        await change.tell(key, noticeOf(call, "passphrase_changed", call.caller.key));
      });
      // Whoever opened it by the old one elsewhere has to open it again; here it has just been shown.
      const opened = { passphrase, recovery: code }[call.opened.way];
      if (opened) call.caller.opened = { ...call.opened, hash: opened.hash };
      return {};
    },
    async "account.putHost"({ host, rendezvous, label }, { account, change }) {
      const isHere = await change((tx) => registrationsIn(tx).setLabel(account, host, rendezvous, label));
      if (!isHere)
        throw new AccountError(
          "not_found",
          "This host has not said at this relay that it is of this account. See that it is connected, and try again.",
        );
      return {};
    },
    async "account.removeHost"({ host }, { account, change }) {
      await change(async (tx) => {
        const registrations = registrationsIn(tx);
        const ours = (await registrations.byAccount(account)).filter((one) => one.kind === "host" && one.host === host);
        if (ours.length === 0) throw new AccountError("not_found", "There is no such host in this account.");
        for (const { key } of ours) await registrations.setAccount(key, undefined);
      });
      return {};
    },
    async "account.removeDevice"({ key }, call) {
      await call.change(async (change) => {
        const registrations = registrationsIn(change);
        const device = await registrations.lock(key);
        if (device?.kind !== "device" || device.account !== call.account)
          throw new AccountError("not_found", "There is no such device in this account.");
        await registrations.remove(key);
        await change.tell(call.account, noticeOf(call, "device_removed", key));
        change.end([key]);
      });
      return {};
    },
    async "account.signOutOthers"(_, call) {
      const { caller, account } = call;
      const ended = await call.change(async (change) => {
        const registrations = registrationsIn(change);
        const others = (await registrations.byAccount(account)).filter(
          ({ key, kind }) => kind === "device" && key !== caller.key,
        );
        for (const { key } of others) await registrations.remove(key);
        if (others.length > 0) await change.tell(account, noticeOf(call, "device_removed"));
        change.end(others.map(({ key }) => key));
        return others.length;
      });
      return { ended };
    },
    async "account.dismiss"(_, { account, change }) {
      await change((tx) => noticesIn(tx).dismiss(account));
      return {};
    },
    async "account.delete"(_, call) {
      await call.change(async (change) => {
        const { key } = await stillOpened(change, call.opened);
        const members = await registrationsIn(change).byAccount(key);
        await accountsIn(change).remove(key);
        change.end(members.filter(({ kind }) => kind === "device").map((device) => device.key));
      });
      return {};
    },
  };
}

/** Undefined for one to which no device of the account has given a name: it only said that it is of the account. */
async function accountHost(
  registration: Registration,
  { connected }: HandlersAround,
): Promise<AccountResult<"account.read">["hosts"][number] | undefined> {
  const { host, rendezvous, label, created } = registration;
  if (host === undefined || rendezvous === undefined || label === undefined) return undefined;
  return { host: host as HostId, rendezvous, label, created, connected: await connected(registration) };
}
