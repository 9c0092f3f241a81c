/**
 * The audit log: appended to, never changed. A row's hash covers what it says and the hash before it, and the newest
 * hash is signed with the host's identity key, so that a row that was removed, changed or moved shows, the last ones too.
 */
import { createHash } from "node:crypto";
import { type HeldSigningKey, signHeld, verify } from "@flybridge/crypto/identity.ts";
import type { AuditEvent, AuditRow } from "@flybridge/protocol/audit.ts";
import type { DeviceId } from "@flybridge/protocol/ids.ts";
import { AUDIT_PAGE_ROWS, MAX_LABEL_CHARS } from "@flybridge/protocol/limits.ts";
import type { Result } from "@flybridge/protocol/methods.ts";
import { fromBase64Url, toBase64Url } from "@flybridge/protocol/base64.ts";
import { shortened } from "@flybridge/protocol/text.ts";
import type { AuditShelf } from "../core/ports.ts";

const PURPOSE = "audit checkpoint";
const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;

export interface Occurrence {
  readonly event: AuditEvent;
  /** The device it is about. */
  readonly device?: DeviceId | undefined;
  /** The device that caused it. */
  readonly by?: DeviceId | undefined;
  /** No secret, and nothing of what agents or people say. */
  readonly detail?: string;
}

export interface Audit {
  /** Throws `StorageError`. */
  note(what: Occurrence): void;
  page(before: number | undefined): Result<"audit.list">;
  verify(): Result<"audit.verify">;
}

export function makeAudit(around: { readonly shelf: AuditShelf; readonly key: HeldSigningKey; now(): number }): Audit {
  const { shelf, key, now } = around;
  return {
    note({ event, device, by, detail = "" }) {
      const head = shelf.head();
      const seq = (head?.seq ?? 0) + 1;
      const said = {
        seq,
        at: now(),
        event,
        ...(device === undefined ? {} : { device }),
        ...(by === undefined ? {} : { by }),
        detail: shortened(detail, MAX_LABEL_CHARS),
      };
      const hash = hashOf(said, head?.hash ?? "");
      const signature = toBase64Url(signHeld(key, PURPOSE, ...checkpoint(seq, hash)));
      shelf.append({ ...said, hash }, { seq, hash, signature });
    },
    page(before) {
      const rows = shelf.page(before, AUDIT_PAGE_ROWS);
      return { rows, more: (rows[0]?.seq ?? 1) > 1 };
    },
    verify() {
      const head = shelf.head();
      const fault = (seq: number, message: string): Result<"audit.verify"> => ({ ...told, fault: { seq, message } });
      const told = { rows: head?.seq ?? 0, head, key: toBase64Url(key.publicKey) };
      let before = "";
      let count = 0;
      for (const row of shelf.rows()) {
        const { hash, ...said } = row;
        if (row.seq !== count + 1)
          return fault(count + 1, `Row ${count + 1} is missing: row ${row.seq} comes after row ${count}.`);
        if (hashOf(said, before) !== hash)
          return fault(row.seq, `Row ${row.seq} was changed, or the row before it was.`);
        before = hash;
        count = row.seq;
      }
      if (!head) return count === 0 ? told : fault(count, "The signed head of the log is missing.");
      if (head.seq !== count || head.hash !== before)
        return fault(count + 1, `The log ends at row ${count}, and its signed head says ${head.seq}.`);
      const signature = fromBase64Url(head.signature, SIGNATURE_BYTES);
      if (!signature || !verify(key.publicKey, signature, PURPOSE, ...checkpoint(head.seq, head.hash)))
        return fault(head.seq, "The head of the log is not signed by this host.");
      return told;
    },
  };
}

/** Field by field in one order, so that the same row has one hash. */
function hashOf({ seq, at, event, device, by, detail }: Omit<AuditRow, "hash">, before: string): string {
  const text = JSON.stringify([before, seq, at, event, device ?? null, by ?? null, detail]);
  return toBase64Url(createHash("sha256").update(text).digest());
}

function checkpoint(seq: number, hash: string): [Uint8Array, Uint8Array] {
  return [new TextEncoder().encode(String(seq)), fromBase64Url(hash, HASH_BYTES) ?? new Uint8Array(HASH_BYTES)];
}
