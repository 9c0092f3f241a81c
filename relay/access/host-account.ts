/** The account that a host says it is under: its devices may ask for the host here. It is the account's word that counts. */
import { isEndorsedHost } from "@flybridge/crypto/proof.ts";
import { fromBase64Url } from "@flybridge/protocol/base64.ts";
import { MAX_MEMBERS } from "@flybridge/protocol/relay/account.ts";
import type { FromHost } from "@flybridge/protocol/relay/words.ts";
import { accountsIn } from "../store/accounts.ts";
import type { Database } from "../store/database.ts";
import { registrationsIn } from "../store/registrations.ts";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** `key` is the host's HI. The account that it is under from now on: undefined where it names none, or one that is not so. */
export function setHostAccount(
  database: Database,
  key: string,
  said: Extract<FromHost, { t: "account" }>["account"],
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    const registrations = registrationsIn(tx);
    const account = said && (await accountsIn(tx).lock(said.key));
    const host = await registrations.lock(key);
    const members = account ? await registrations.byAccount(account.key) : [];
    const hasRoom = members.length < MAX_MEMBERS || host?.account === account?.key;
    const isSo = said && account && hasRoom && isEndorsed(said, key, host?.rendezvous);
    await registrations.setAccount(key, isSo ? account.key : undefined);
    return isSo && host ? account.key : undefined;
  });
}

function isEndorsed(said: { key: string; endorsement: string }, key: string, rendezvous: string | undefined): boolean {
  const [account, hi] = [said.key, key].map((text) => fromBase64Url(text, KEY_BYTES));
  const endorsement = fromBase64Url(said.endorsement, SIGNATURE_BYTES);
  return account && hi && endorsement && rendezvous !== undefined
    ? isEndorsedHost(account, endorsement, hi, rendezvous)
    : false;
}
