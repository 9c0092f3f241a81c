/** What somebody who carries the frames can do to one of them, without being able to read it. */

/** What comes of a frame, and of the next one, which it may ask for. */
export type Spoil = (frame: Uint8Array, next: () => Uint8Array | undefined) => readonly Uint8Array[];

export type Direction = "up" | "down";
/** What went through, as it came. */
export type Kept = Readonly<Record<Direction, Uint8Array[]>>;

export const ATTACKS: Readonly<Record<string, Spoil>> = {
  "a flipped bit": (frame) => {
    const changed = frame.slice();
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
    return [changed];
  },
  "a frame twice": (frame) => [frame, frame],
  "a frame left out": () => [],
  "a frame cut short": (frame) => [frame.subarray(0, -1)],
  "two frames swapped": (frame, next) => {
    const other = next();
    return other ? [other, frame] : [frame, frame];
  },
};

/** Keeps and gives on what comes, but for frame `at`, counted from 0, which is spoilt. Swapping holds it back for the next one. */
export function spoiling(
  at: number,
  spoil: Spoil,
  to: (frame: Uint8Array) => void,
  kept: Uint8Array[],
): (frame: Uint8Array) => void {
  let index = 0;
  let held: Uint8Array | undefined;
  return (frame) => {
    kept.push(frame.slice());
    if (held) {
      const first = held;
      held = undefined;
      for (const sent of spoil(first, () => frame)) to(sent);
      return;
    }
    if (index++ !== at) return to(frame);
    if (spoil === ATTACKS["two frames swapped"]) held = frame.slice();
    else for (const sent of spoil(frame.slice(), () => undefined)) to(sent);
  };
}
