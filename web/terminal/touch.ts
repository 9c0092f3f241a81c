/** Fingers on a terminal: one scrolls or, held still, asks for the text; two make the letters larger or smaller. */

/** Milliseconds that a finger rests until it means the text. */
const HOLD_MS = 500;
/** Pixels that a finger may tremble. */
const TREMBLE_PX = 8;
/** Of its speed, what a flick keeps with each frame, and the speed at which it stops, in pixels a frame. */
const GLIDE = 0.94;
const GLIDE_END_PX = 0.6;

export interface Fingers {
  scroll(pixels: number, at: { x: number; y: number }): void;
  /** The letters are to be so many times as large as when the fingers came down. */
  pinch(times: number): void;
  pinching(): void;
  held(): void;
  /** The browser scrolls itself: what is drawn is larger than its place. */
  native(): boolean;
}

export function listenToFingers(element: HTMLElement, fingers: Fingers): () => void {
  let start: { x: number; y: number } | undefined;
  let last = 0;
  let speed = 0;
  let moved = false;
  let apart: number | undefined;
  let hold: ReturnType<typeof setTimeout> | undefined;
  let gliding = 0;

  const stop = (): void => {
    clearTimeout(hold);
    cancelAnimationFrame(gliding);
  };
  const began = (event: TouchEvent): void => {
    stop();
    const [one, two] = event.touches;
    if (one && two) {
      apart = distance(one, two);
      moved = true;
      fingers.pinching();
      return;
    }
    if (!one) return;
    start = { x: one.clientX, y: one.clientY };
    last = one.clientY;
    speed = 0;
    moved = false;
    hold = setTimeout(() => {
      moved = true;
      fingers.held();
    }, HOLD_MS);
  };
  const moving = (event: TouchEvent): void => {
    const [one, two] = event.touches;
    if (one && two && apart !== undefined) {
      event.preventDefault();
      fingers.pinch(distance(one, two) / apart);
      return;
    }
    if (!one || !start || apart !== undefined) return;
    if (!moved && Math.hypot(one.clientX - start.x, one.clientY - start.y) < TREMBLE_PX) return;
    clearTimeout(hold);
    moved = true;
    if (fingers.native()) return;
    event.preventDefault();
    speed = last - one.clientY;
    last = one.clientY;
    fingers.scroll(speed, { x: one.clientX, y: one.clientY });
  };
  const ended = (event: TouchEvent): void => {
    clearTimeout(hold);
    if (event.touches.length > 0) return;
    apart = undefined;
    // A finger that moved or rested is no click.
    if (moved && event.cancelable) event.preventDefault();
    const at = start;
    start = undefined;
    if (!at || !moved || fingers.native()) return;
    const glide = (): void => {
      speed *= GLIDE;
      if (Math.abs(speed) < GLIDE_END_PX) return;
      fingers.scroll(speed, at);
      gliding = requestAnimationFrame(glide);
    };
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) glide();
  };
  const noMenu = (event: Event): void => event.preventDefault();

  element.addEventListener("touchstart", began, { passive: true });
  element.addEventListener("touchmove", moving, { passive: false });
  element.addEventListener("touchend", ended, { passive: false });
  element.addEventListener("touchcancel", ended, { passive: false });
  if (matchMedia("(pointer: coarse)").matches) element.addEventListener("contextmenu", noMenu);
  return stop;
}

function distance(one: Touch, two: Touch): number {
  return Math.max(1, Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY));
}
