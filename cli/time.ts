/** Times and sizes as a person reads them. */

export const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "12 s", "3 min", "2 h 5 min", "4 days". A clock that jumped back gives "0 s". */
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) {
    const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
    return `${Math.floor(ms / HOUR_MS)} h${minutes > 0 ? ` ${minutes} min` : ""}`;
  }
  const days = Math.floor(ms / DAY_MS);
  return `${days} ${days === 1 ? "day" : "days"}`;
}

export function ago(at: number, now: number): string {
  return now - at < SECOND_MS ? "now" : `${span(now - at)} ago`;
}

/** "4:59". */
export function countdown(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / SECOND_MS));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}

/** "13:10" of today, "2026-12-03 13:10" of another day, as this machine's clock has it. */
export function moment(at: number, now: number): string {
  const [day, time = ""] = stamp(at).split(" ");
  return day === stamp(now).split(" ")[0] ? time.slice(0, -3) : `${day} ${time.slice(0, -3)}`;
}

/** "2026-12-01 13:10:05", as this machine's clock has it. */
export function stamp(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}

/** Milliseconds of "30m", "8h" or "2d"; undefined for anything else. */
export function durationFrom(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,4})([mhd])$/u.exec(text) ?? [];
  if (count === undefined) return undefined;
  return Number(count) * (unit === "m" ? MINUTE_MS : unit === "h" ? HOUR_MS : DAY_MS);
}
