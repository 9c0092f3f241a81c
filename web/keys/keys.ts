/** The keyboard everywhere: one listener; single letters only while nothing is being typed. */
export interface KeyActions {
  navigate(path: string): void;
  open(what: "new" | "terminal" | "palette" | "keys"): void;
}

export function listenForKeys(actions: KeyActions): () => void {
  const pressed = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      actions.open("palette");
      return;
    }
    if (
      event.metaKey ||
      event.ctrlKey ||
      event.altKey ||
      isTyping(event.target) ||
      document.querySelector("dialog[open]")
    )
      return;
    const act = ACTIONS[event.key];
    if (!act) return;
    event.preventDefault();
    act(actions);
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

const ACTIONS: Record<string, (actions: KeyActions) => void> = {
  "?": (actions) => actions.open("keys"),
  n: (actions) => actions.open("new"),
  t: (actions) => actions.open("terminal"),
  i: (actions) => actions.navigate("/"),
  s: (actions) => actions.navigate("/sessions"),
  d: (actions) => actions.navigate("/devices"),
  r: (actions) => actions.navigate("/remote"),
  "/": () => focusShown("[data-search]"),
  p: () => focusShown("[data-composer]"),
  a: () => focusShown(".ask [data-decide]"),
  j: () => step(1),
  k: () => step(-1),
};

/** Moves among the sessions of the list, or the asks and news of the Inbox. */
function step(by: number): void {
  const stops = [
    ...document.querySelectorAll<HTMLElement>(
      "#main .ask [data-decide], #main .news-row, #main .session-row, .sidebar .session-row",
    ),
  ].filter(isShown);
  const at = stops.indexOf(document.activeElement as HTMLElement);
  stops[Math.max(0, Math.min(stops.length - 1, at + by))]?.focus();
}

function focusShown(selector: string): void {
  [...document.querySelectorAll<HTMLElement>(selector)].find(isShown)?.focus();
}

function isShown(element: HTMLElement): boolean {
  return element.checkVisibility();
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/u.test(target.tagName))
  );
}
