/** Keys that end with their test. */
import { signingKey } from "@flybridge/crypto/identity.ts";
import { nobleKey } from "@flybridge/crypto/noble.ts";
import type { HostId } from "@flybridge/protocol/ids.ts";
import type { Keys } from "./keys.ts";

export function memoryKeys(random: (bytes: number) => Uint8Array): Keys {
  const secrets = new Map<HostId, Uint8Array[]>();
  const texts = new Map<string, string>();
  const device = nobleKey(random(32));
  const proof = signingKey(random(32));
  let last: Promise<unknown> = Promise.resolve();
  return {
    device: () => Promise.resolve(device),
    proof: () => Promise.resolve(proof),
    secrets: (host) => Promise.resolve(secrets.get(host) ?? []),
    async keep(host, all) {
      secrets.set(host, [...all]);
    },
    async forget(host) {
      secrets.delete(host);
    },
    alone(_what, work) {
      const mine = last.then(work);
      last = mine.catch(() => {});
      return mine;
    },
    kept: (name) => Promise.resolve(texts.get(name)),
    async keepText(name, text) {
      if (text === undefined) texts.delete(name);
      else texts.set(name, text);
    },
  };
}
