/** An icon beside words, or the only content of a control that has a label; never meaning on its own. */
import { ICONS } from "./icons.ts";

export type IconName = keyof typeof ICONS;

export function Icon(props: { name: IconName; small?: boolean }) {
  return (
    <svg class="icon" classList={{ small: props.small === true }} viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[props.name]} />
    </svg>
  );
}
