/** The keys that a phone's keyboard lacks, in reach of a thumb. Ctrl and Alt hold for one key; twice, until tapped again. */
import { For, type JSX } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import type { Arrow } from "./keys.ts";

export type HeldState = "off" | "once" | "locked";

export interface KeyRowActions {
  type(text: string): void;
  arrow(arrow: Arrow): void;
  paste(): void;
}

export function KeyRow(
  props: KeyRowActions & {
    row: (row: HTMLDivElement) => void;
    ctrl: HeldState;
    alt: HeldState;
    setCtrl: (state: HeldState) => void;
    setAlt: (state: HeldState) => void;
  },
) {
  return (
    <div ref={(one) => props.row(one)} class="term-keys" role="toolbar" aria-label={t("Keys")}>
      <Key label={t("Esc")} act={() => props.type("\u001b")}>
        {t("Esc")}
      </Key>
      <Key label={t("Tab")} act={() => props.type("\t")}>
        {t("Tab")}
      </Key>
      <Key label={t("Ctrl, with the next key")} held={props.ctrl} act={() => props.setCtrl(next(props.ctrl))}>
        {t("Ctrl")}
      </Key>
      <Key label={t("Alt, with the next key")} held={props.alt} act={() => props.setAlt(next(props.alt))}>
        {t("Alt")}
      </Key>
      <Key label={t("^C: interrupt")} mono act={() => props.type("\u0003")}>
        ^C
      </Key>
      <For each={["/", "|"]}>
        {(char) => (
          <Key label={char} mono act={() => props.type(char)}>
            {char}
          </Key>
        )}
      </For>
      <Key label={t("Left")} again act={() => props.arrow("left")}>
        <span class="term-left">
          <Icon name="arrowUp" />
        </span>
      </Key>
      <Key label={t("Down: later in history")} again act={() => props.arrow("down")}>
        <Icon name="arrowDown" />
      </Key>
      <Key label={t("Up: earlier in history")} again act={() => props.arrow("up")}>
        <Icon name="arrowUp" />
      </Key>
      <Key label={t("Right")} again act={() => props.arrow("right")}>
        <span class="term-right">
          <Icon name="arrowUp" />
        </span>
      </Key>
      <For each={["-", "~"]}>
        {(char) => (
          <Key label={char} mono act={() => props.type(char)}>
            {char}
          </Key>
        )}
      </For>
      <Key label={t("Paste")} act={() => props.paste()}>
        <Icon name="paste" />
      </Key>
    </div>
  );
}

/** Milliseconds until a held arrow repeats, and between repeats. */
const REPEAT_AFTER_MS = 400;
const REPEAT_MS = 70;

function Key(props: {
  label: string;
  act: () => void;
  held?: HeldState;
  mono?: boolean;
  again?: boolean;
  children: JSX.Element;
}) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let repeated = false;
  const stop = (): void => clearTimeout(timer);
  const repeat = (): void => {
    repeated = true;
    props.act();
    timer = setTimeout(repeat, REPEAT_MS);
  };
  return (
    <button
      type="button"
      class="term-key"
      classList={{ mono: props.mono === true }}
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.held === undefined ? undefined : props.held !== "off"}
      data-held={props.held}
      // The terminal keeps the focus, and with it the keyboard on the screen.
      onMouseDown={(event) => event.preventDefault()}
      onPointerDown={() => {
        repeated = false;
        if (props.again) timer = setTimeout(repeat, REPEAT_AFTER_MS);
      }}
      onPointerUp={stop}
      onPointerCancel={stop}
      onPointerLeave={stop}
      onContextMenu={(event) => event.preventDefault()}
      onClick={() => {
        if (!repeated) props.act();
        repeated = false;
        navigator.vibrate?.(5);
      }}
    >
      {props.children}
    </button>
  );
}

function next(state: HeldState): HeldState {
  return state === "off" ? "once" : state === "once" ? "locked" : "off";
}
