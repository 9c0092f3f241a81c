/** How well a path fits what was typed: its letters in their order, best where they stand together and begin words. */

/** Characters of the text that count; nobody types more to find a file. */
const MAX_TEXT_CHARS = 200;

/** Higher is better; undefined when not all letters are in it. Small letters find capitals too. */
export function scoreOf(path: string, text: string): number | undefined {
  const wanted = text.slice(0, MAX_TEXT_CHARS).toLowerCase();
  const bare = path.endsWith("/") ? path.slice(0, -1) : path;
  const low = bare.toLowerCase();
  // Lower case may be longer than what it is of (İ): then places do not fit each other, and only containing counts.
  const nameAt = bare.lastIndexOf("/") + 1;
  const name = low.slice(nameAt);
  if (name === wanted || low === wanted) return 1_000_000 - low.length;
  if (name.startsWith(wanted)) return 500_000 - low.length;
  const inName = name.indexOf(wanted);
  if (inName >= 0) return 300_000 - inName * 10 - low.length;
  const inPath = low.indexOf(wanted);
  if (inPath >= 0) return 200_000 - low.length;
  // From the end on, so that a name outweighs the folders before it.
  let score = 0;
  let at = low.length;
  let after = -1;
  for (let letter = wanted.length - 1; letter >= 0; letter--) {
    const next = low.lastIndexOf(wanted.charAt(letter), at - 1);
    if (next < 0 || at <= 0) return undefined;
    if (next === after - 1) score += 20;
    if (next === 0 || /[/._\- ]/u.test(low.charAt(next - 1))) score += 15;
    if (next >= nameAt) score += 5;
    after = next;
    at = next;
  }
  return score * 10 - low.length;
}
