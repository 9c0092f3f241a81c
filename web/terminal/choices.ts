/** How terminals look on this device: kept here, read when one opens. */
import { createSignal } from "solid-js";

/** Height of letters, in CSS pixels at the usual text size. */
export const MIN_LETTERS = 7;
export const MAX_LETTERS = 28;
const PHONE_LETTERS = 12;
const DESK_LETTERS = 13;

const KEYS = {
  letters: "flybridge.terminal.letters",
  keys: "flybridge.terminal.keys",
  readable: "flybridge.terminal.readable",
} as const;

const isTouch = (): boolean => matchMedia("(pointer: coarse)").matches;

const [letters, setLetters] = createSignal(lettersKept());
const [keysShown, setKeysShown] = createSignal(flagKept(KEYS.keys, isTouch()));
const [readable, setReadable] = createSignal(flagKept(KEYS.readable, false));
export { keysShown, letters, readable };

export function chooseLetters(size: number): void {
  const within = Math.max(MIN_LETTERS, Math.min(MAX_LETTERS, Math.round(size * 2) / 2));
  localStorage.setItem(KEYS.letters, String(within));
  setLetters(within);
}

export function showKeys(shown: boolean): void {
  localStorage.setItem(KEYS.keys, String(shown));
  setKeysShown(shown);
}

export function makeReadable(on: boolean): void {
  localStorage.setItem(KEYS.readable, String(on));
  setReadable(on);
}

/** Pixels of letters, with the person's own text size. */
export function pixelsOf(size: number): number {
  const root = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
  return (size * root) / 16;
}

function lettersKept(): number {
  const kept = Number(localStorage.getItem(KEYS.letters));
  return kept >= MIN_LETTERS && kept <= MAX_LETTERS ? kept : isTouch() ? PHONE_LETTERS : DESK_LETTERS;
}

function flagKept(key: string, otherwise: boolean): boolean {
  const kept = localStorage.getItem(key);
  return kept === null ? otherwise : kept === "true";
}
