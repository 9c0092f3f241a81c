/**
 * The connection string in an opened link's fragment. It is taken out of the address bar and the history at once, before
 * anything is drawn, and handed out once: what is left in a history or a screenshot is worth nothing.
 */
let taken: string | undefined;

/** Call first thing, and whenever the address may have changed. */
export function captureLink(): void {
  if (!/^#(?:flybridge|flybridge%3a)/iu.test(location.hash)) return;
  taken = `${location.origin}${location.pathname}${location.hash}`;
  history.replaceState(history.state, "", location.pathname);
}

export function takeLink(): string | undefined {
  captureLink();
  const link = taken;
  taken = undefined;
  return link;
}
