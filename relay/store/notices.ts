/** What the people of an account should see: the newest of it, until they have. */
import { randomBytes } from "node:crypto";
import { MAX_NOTICES, type Notice } from "@flybridge/protocol/relay/account.ts";
import type { Queries } from "./database.ts";

/** Milliseconds in which the same is not said again of the same key from the same network. */
export const SAME_NOTICE_MS = 24 * 3_600_000;
const ID_BYTES = 12;
/** Said so often, and so seldom of weight, that it gives way to others first. */
const LIGHT: Notice["kind"] = "moved";

export interface Notices {
  /** `from` is coarse already. Within a transaction. `StoreError("conflict")` when there is no such account. */
  add(account: string, notice: Notice): Promise<void>;
  /** The same, and false, where it was said within `SAME_NOTICE_MS`. */
  addOnce(account: string, notice: Notice): Promise<boolean>;
  /** Newest first, at most `MAX_NOTICES`. */
  list(account: string): Promise<Notice[]>;
  /** Removes them all. */
  dismiss(account: string): Promise<void>;
}

export function noticesIn(queries: Queries): Notices {
  const notices: Notices = {
    async add(account, { at, kind, key = null, from = null }) {
      await queries.query(
        "INSERT INTO notice (id, account, at, kind, key, network) VALUES (?, ?, ?, ?, ?, ?)",
        randomBytes(ID_BYTES).toString("base64url"),
        account,
        at,
        kind,
        key,
        from,
      );
      await queries.query(
        `DELETE FROM notice WHERE account = ? AND id NOT IN (
           SELECT id FROM notice WHERE account = ?
           ORDER BY CASE WHEN kind = ? THEN 1 ELSE 0 END, at DESC, id LIMIT ${MAX_NOTICES})`,
        account,
        account,
        LIGHT,
      );
    },
    async addOnce(account, notice) {
      const { at, kind, key = "", from = "" } = notice;
      const same = await queries.query(
        `SELECT id FROM notice WHERE account = ? AND kind = ? AND at > ?
         AND coalesce(key, '') = ? AND coalesce(network, '') = ? LIMIT 1`,
        account,
        kind,
        at - SAME_NOTICE_MS,
        key,
        from,
      );
      if (same.length > 0) return false;
      await notices.add(account, notice);
      return true;
    },
    async list(account) {
      const rows = await queries.query<Row>(
        `SELECT at, kind, key, network FROM notice WHERE account = ? ORDER BY at DESC, id LIMIT ${MAX_NOTICES}`,
        account,
      );
      return rows.map(({ at, kind, key, network }) => ({
        at,
        kind,
        ...(key === null ? {} : { key }),
        ...(network === null ? {} : { from: network }),
      }));
    },
    async dismiss(account) {
      await queries.query("DELETE FROM notice WHERE account = ?", account);
    },
  };
  return notices;
}

interface Row {
  readonly at: number;
  readonly kind: Notice["kind"];
  readonly key: string | null;
  readonly network: string | null;
}
