/** A button that opens a menu beside it, on the native popover; arrows move in it, Escape leaves it. */
import { createUniqueId, type JSX } from "solid-js";
import "./menu.css";

const GAP_PX = 6;
const EDGE_PX = 8;

export function Menu(props: {
  label: string;
  class?: string;
  trigger: JSX.Element;
  disabled?: boolean;
  children: JSX.Element;
}) {
  const id = createUniqueId();
  let button!: HTMLButtonElement;
  let menu!: HTMLDivElement;

  const place = (): void => {
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu;
    const below = at.bottom + GAP_PX + height + EDGE_PX <= innerHeight;
    menu.style.left = `${Math.max(EDGE_PX, Math.min(at.right - width, innerWidth - width - EDGE_PX))}px`;
    menu.style.top = `${below ? at.bottom + GAP_PX : Math.max(EDGE_PX, at.top - GAP_PX - height)}px`;
  };
  const items = (): HTMLElement[] => [...menu.querySelectorAll<HTMLElement>("button:not(:disabled), a")];
  const move = (event: KeyboardEvent): void => {
    const list = items();
    const at = list.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + list.length, Home: 0, End: list.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    list[to % list.length]?.focus();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        class={props.class ?? "icon-button"}
        aria-label={props.label}
        aria-haspopup="menu"
        disabled={props.disabled}
        popovertarget={id}
        onKeyDown={(event) => {
          if (event.key !== "ArrowDown") return;
          event.preventDefault();
          menu.showPopover();
        }}
      >
        {props.trigger}
      </button>
      <div
        ref={menu}
        id={id}
        popover="auto"
        class="menu"
        role="menu"
        aria-label={props.label}
        on:toggle={(event) => {
          if ((event as ToggleEvent).newState !== "open") return;
          place();
          items()[0]?.focus();
        }}
        onKeyDown={move}
        onClick={() => menu.hidePopover()}
      >
        {props.children}
      </div>
    </>
  );
}

export function MenuItem(props: { onChoose: () => void; disabled?: boolean; children: JSX.Element }) {
  return (
    <button type="button" role="menuitem" disabled={props.disabled} onClick={() => props.onChoose()}>
      {props.children}
    </button>
  );
}
