/** Light, dark, or as the system has it. Kept on this device; read before anything is drawn. */
import { createSignal } from "solid-js";

export type Theme = "auto" | "light" | "dark";
const KEY = "flybridge.theme";

const [theme, setTheme] = createSignal<Theme>("auto");
export { theme };

export function restoreTheme(): void {
  const kept = localStorage.getItem(KEY);
  if (kept === "light" || kept === "dark") apply(kept);
}

export function chooseTheme(chosen: Theme): void {
  if (chosen === "auto") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen);
  apply(chosen);
}

function apply(chosen: Theme): void {
  setTheme(chosen);
  if (chosen === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}
