/** A relay as people call it: its name, without what every address begins with. */
export function placeOf(origin: string): string {
  return origin.replace(/^https:\/\//u, "");
}
