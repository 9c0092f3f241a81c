/** An icon beside words, or the only content of a control that has a label; never meaning on its own. */
import { createSignal } from "solid-js";
import type { MORE_ICONS } from "./icons-more.ts";
import { FIRST_ICONS } from "./icons.ts";

export type IconName = keyof typeof FIRST_ICONS | keyof typeof MORE_ICONS;

const [paths, setPaths] = createSignal<Partial<Record<IconName, string>>>(FIRST_ICONS);
let loading = false;

/** Those that the first screen does not need. Where they cannot be had now, the next that is drawn asks again. */
export function loadIcons(): void {
  if (loading) return;
  loading = true;
  import("./icons-more.ts").then(
    ({ MORE_ICONS: more }) => setPaths({ ...FIRST_ICONS, ...more }),
    () => {
      loading = false;
    },
  );
}

export function Icon(props: { name: IconName; small?: boolean }) {
  if (paths()[props.name] === undefined) loadIcons();
  return (
    <svg class="icon" classList={{ small: props.small === true }} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths()[props.name]} />
    </svg>
  );
}
