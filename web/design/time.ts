/** Times and amounts as people say them. `now` ticks once a second, for as long as the page is seen. */
import { createSignal } from "solid-js";
import { counted, t } from "../words.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const [now, setNow] = createSignal(Date.now());
setInterval(() => {
  if (!document.hidden) setNow(Date.now());
}, SECOND_MS);
document.addEventListener("visibilitychange", () => setNow(Date.now()));

export { now };

/** "12 s", "3 min", "2 h": how long something has lasted. */
export function lasted(ms: number): string {
  if (ms < MINUTE_MS) return t("{n} s", { n: Math.max(0, Math.floor(ms / SECOND_MS)) });
  if (ms < HOUR_MS) return t("{n} min", { n: Math.floor(ms / MINUTE_MS) });
  if (ms < DAY_MS) return t("{n} h", { n: Math.floor(ms / HOUR_MS) });
  return counted(Math.floor(ms / DAY_MS), "{n} day", "{n} days");
}

/** "0.4 s", "12 s", "1 min 20 s": how long something took. */
export function took(ms: number): string {
  if (ms < 10 * SECOND_MS) return t("{n} s", { n: (ms / SECOND_MS).toFixed(1) });
  if (ms < MINUTE_MS) return t("{n} s", { n: Math.round(ms / SECOND_MS) });
  if (ms < HOUR_MS)
    return t("{m} min {s} s", { m: Math.floor(ms / MINUTE_MS), s: Math.round((ms % MINUTE_MS) / SECOND_MS) % 60 });
  return t("{h} h {m} min", { h: Math.floor(ms / HOUR_MS), m: Math.floor((ms % HOUR_MS) / MINUTE_MS) });
}

export function since(at: number): string {
  return lasted(now() - at);
}

/** "now", "5 min ago", "yesterday 14:02", "3 Mar". */
export function ago(at: number): string {
  const passed = now() - at;
  if (passed < MINUTE_MS) return t("just now");
  if (passed < DAY_MS) return t("{time} ago", { time: lasted(passed) });
  return dayFormat.format(at);
}

export function clock(at: number): string {
  return now() - at < 18 * HOUR_MS ? clockFormat.format(at) : `${dayFormat.format(at)}, ${clockFormat.format(at)}`;
}

/** When something will end: "14:02", or "3 Mar, 14:02" where that is another day. */
export function until(at: number): string {
  const isToday = new Date(at).toDateString() === new Date(now()).toDateString();
  return isToday ? clockFormat.format(at) : `${dayFormat.format(at)}, ${clockFormat.format(at)}`;
}

/** 950, 12.4k, 1.2M. */
export function amount(count: number): string {
  return amountFormat.format(count);
}

export function money(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? t("under $0.01") : `$${dollars.toFixed(2)}`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const amountFormat = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
