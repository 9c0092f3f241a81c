/** A session that is a terminal: its screen, what it has to say, its asks, and the keys. */
import type { OpenSession } from "@flybridge/client/replica.ts";
import { BROWSER, type OpenTerminal, openTerminal, type Screen } from "@flybridge/client/terminal.ts";
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createEffect, createMemo, createSignal, type JSX, on, onCleanup, onMount, Show } from "solid-js";
import { Portal } from "solid-js/web";
import { type HostHere, isGuest, useDeck } from "../deck.ts";
import { CopyButton } from "../design/copy.tsx";
import { Icon } from "../design/icon.tsx";
import { lazySheet } from "../design/lazy-sheet.tsx";
import { Menu, MenuItem } from "../design/menu.tsx";
import { clock } from "../design/time.ts";
import { may } from "../grant/grant.ts";
import { storeCell } from "../store-cell.ts";
import { counted, t } from "../words.ts";
import { chooseLetters, keysShown, letters, pixelsOf, readable } from "./choices.ts";
import { Echo } from "./echo.ts";
import { type Emulator, openEmulator } from "./emulator.ts";
import { type HeldState, KeyRow } from "./key-row.tsx";
import { type Arrow, arrowKey, heldKey } from "./keys.ts";
import { type Paste, pasteFrom } from "./paste.ts";
import { listenToFingers } from "./touch.ts";
import "./terminal.css";

const TextSheet = lazySheet(() => import("./text-sheet.tsx"));
const LinkSheet = lazySheet(() => import("./link-sheet.tsx"));
const PasteSheet = lazySheet(() => import("./paste-sheet.tsx"));
const ChoicesSheet = lazySheet(() => import("./choices-sheet.tsx"));

/** Milliseconds that a bell is seen, and for how long a phone shakes. */
const BELL_MS = 160;
const BELL_SHAKE_MS = 20;
/** Letters below which another device's screen is not made smaller, in pixels. */
const SMALLEST_PX = 4;
/** How many times as large as it fits another device's screen can be drawn. */
const MOST_ZOOM = 5;
/** Around the screen, in pixels. */
const EDGE_PX = 8;

type Open = "text" | "choices" | { address: string } | { paste: Paste } | "paste by hand";

export default function TerminalPage(props: {
  host: HostHere;
  session: SessionId;
  open: OpenSession;
  /** The cards of open asks. */
  asks: JSX.Element;
  /** Where the page's own buttons go. */
  head: HTMLElement;
  settings: () => void;
}) {
  const deck = useDeck();
  let area!: HTMLDivElement;
  let holder!: HTMLDivElement;
  let dock!: HTMLDivElement;
  let keys: HTMLDivElement | undefined;
  const [emulator, setEmulator] = createSignal<Emulator>();
  const [sheet, setSheet] = createSignal<Open>();
  const [wanted, setWanted] = createSignal<string>();
  const [selected, setSelected] = createSignal(false);
  const [bell, setBell] = createSignal(false);
  const [away, setAway] = createSignal(false);
  const [ctrl, setCtrl] = createSignal<HeldState>("off");
  const [alt, setAlt] = createSignal<HeldState>("off");
  const [zoom, setZoom] = createSignal(1);
  const [drawn, setDrawn] = createSignal(0);
  const [room, setRoom] = createSignal({ width: 0, height: 0 });

  const echo = new Echo();
  let echoTimer: ReturnType<typeof setTimeout> | undefined;
  const guess = (): void => {
    emulator()?.guess(echo.shown);
    clearTimeout(echoTimer);
    if (echo.pending !== undefined)
      echoTimer = setTimeout(() => {
        const screen = emulator();
        if (screen) echo.look(screen.seen, performance.now());
        guess();
      }, echo.pending);
  };
  /**
   * A card lies over the screen instead of making it smaller: the program would draw anew, for something that is gone
   * in a moment, and draw what asks away. What is left of the screen is its end, where what asks stands; but never
   * less than from the line of the cursor on.
   */
  const uncover = (): void => {
    const now = emulator();
    if (!now) return;
    const hidden = holder.offsetHeight + 2 * EDGE_PX - area.clientHeight;
    const below = now.textBottom + 2 * EDGE_PX - area.clientHeight;
    holder.style.top = `${EDGE_PX - Math.max(0, Math.min(hidden, below, now.cursorTop))}px`;
  };
  const measure = (): void => {
    const style = getComputedStyle(dock);
    const around = Number.parseFloat(style.paddingTop) + Number.parseFloat(style.paddingBottom) + 1;
    const asking = dock.querySelector(".pinned > *") !== null;
    const cards = asking ? dock.offsetHeight - (keys?.isConnected ? keys.offsetHeight + around : 0) : 0;
    const height = Math.max(0, area.clientHeight + Math.max(0, cards) - 2 * EDGE_PX);
    holder.style.height = `${height}px`;
    setRoom({ width: area.clientWidth - 2 * EDGE_PX, height });
    uncover();
  };
  const replaced = (): void => {
    echo.reset();
    guess();
    setDrawn(drawn() + 1);
  };
  const screen: Screen = {
    snapshot: async (size, bytes) => {
      await emulator()?.snapshot(size, bytes);
      replaced();
    },
    output: async (bytes) => await emulator()?.output(bytes),
    size: async (size) => {
      await emulator()?.size(size);
      replaced();
    },
    answered: (chars) => {
      echo.answered(chars, performance.now());
      const { roundTrip } = terminal.view.value;
      if (roundTrip !== undefined) echo.measured(roundTrip);
      guess();
    },
  };
  const terminal: OpenTerminal = openTerminal(props.host.replica, props.session, screen, {
    ...BROWSER,
    makeCell: storeCell,
  });
  const view = terminal.view.value;
  onCleanup(() => {
    terminal.close();
    clearTimeout(echoTimer);
    emulator()?.close();
  });

  const status = () => (props.open.view.value.state ?? props.host.view.sessions[props.session])?.status;
  const ended = createMemo(() => status()?.kind === "ended" || view.ended);
  const types = (): boolean => may(props.host, "input");
  /** Who only watches has no say in the size. */
  const others = createMemo(() => view.whose === "other" || !types());
  const offline = (): boolean => props.host.view.connection.kind !== "live";

  const send = (text: string): void => {
    const screenNow = emulator();
    const typed = types() ? terminal.type(text) : undefined;
    if (!typed || !screenNow) return;
    echo.typed(text, typed.upTo, screenNow.seen, performance.now());
    guess();
  };
  const held = () => ({ ctrl: ctrl() !== "off", alt: alt() !== "off" });
  const letGo = (): void => {
    if (ctrl() === "once") setCtrl("off");
    if (alt() === "once") setAlt("off");
  };
  /** One key, from any keyboard. */
  const type = (text: string): void => {
    const isOne = [...text].length === 1;
    send(isOne ? heldKey(text, held()) : text);
    if (isOne) letGo();
  };
  const arrow = (which: Arrow): void => {
    emulator()?.toBottom();
    send(arrowKey(which, held(), emulator()?.applicationKeys ?? false));
    letGo();
  };
  const paste = (text: string): void => {
    if (text === "" || ended() || !types()) return;
    const made = pasteFrom(text, emulator()?.bracketed ?? false);
    if (made.ask) setSheet({ paste: made });
    else typePaste(made);
  };
  const typePaste = (made: Paste): void => {
    emulator()?.toBottom();
    send(made.typed);
    if (made.dropped > 0)
      deck.toasts.say(
        counted(made.dropped, "{n} control character was left out", "{n} control characters were left out"),
      );
  };
  const pasteFromClipboard = async (): Promise<void> => {
    const text = await navigator.clipboard?.readText?.().catch(() => undefined);
    if (text === undefined) setSheet("paste by hand");
    else paste(text);
  };

  const fitOthers = (screenNow: Emulator): void => {
    const { size } = view;
    const { width, height } = room();
    if (!size || width === 0) return;
    let pixels = pixelsOf(letters());
    screenNow.letters(pixels);
    for (let tries = 0; tries < 3; tries++) {
      const now = screenNow.extent(size);
      const by = Math.min(width / now.width, height / now.height);
      if (tries > 0 && by >= 1) break;
      pixels = Math.max(SMALLEST_PX, Math.min(pixelsOf(letters()), Math.floor(pixels * by * 8) / 8));
      screenNow.letters(pixels);
    }
    if (zoom() !== 1) screenNow.letters(pixels * zoom());
  };
  createEffect(() => {
    const screenNow = emulator();
    const { width, height } = room();
    drawn();
    if (!screenNow || width === 0 || height === 0) return;
    if (others()) {
      fitOthers(screenNow);
      return;
    }
    screenNow.letters(pixelsOf(letters()));
    terminal.fit(screenNow.fitting(width, height));
  });
  createEffect(on(others, () => setZoom(1)));
  // What takes over is what fits at this device's own letters.
  const takeOver = (): void => {
    const screenNow = emulator();
    if (!screenNow) return;
    screenNow.letters(pixelsOf(letters()));
    terminal.fit(screenNow.fitting(room().width, room().height));
    terminal.take();
    screenNow.focus();
  };

  onMount(() => {
    const made = openEmulator(holder, pixelsOf(letters()), t("Terminal. Control Shift period leads out of it."), {
      typed: type,
      drawn: () => {
        const now = emulator();
        if (!now) return;
        echo.look(now.seen, performance.now());
        guess();
        setAway(now.scrolledBack);
        uncover();
      },
      bell: () => {
        setBell(true);
        setTimeout(() => setBell(false), BELL_MS);
        navigator.vibrate?.(BELL_SHAKE_MS);
      },
      link: (target) => setSheet({ address: target }),
      copy: (text) => setWanted(text),
      selected: (any) => setSelected(any),
      scrolled: () => setAway(emulator()?.scrolledBack ?? false),
      leave: () => props.head.querySelector<HTMLElement>("button")?.focus(),
    });
    setEmulator(made);
    if (matchMedia("(pointer: fine)").matches) made.focus();

    const watching = new ResizeObserver(measure);
    watching.observe(area);
    watching.observe(dock);
    measure();
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const recolour = (): void => made.recolour();
    dark.addEventListener("change", recolour);
    const themed = new MutationObserver(recolour);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });

    const pasted = (event: ClipboardEvent): void => {
      event.preventDefault();
      event.stopPropagation();
      paste(event.clipboardData?.getData("text/plain") ?? "");
    };
    holder.addEventListener("paste", pasted, true);

    let before = 1;
    const stopFingers = listenToFingers(holder, {
      scroll: (pixels, at) => made.scroll(pixels, at),
      pinching: () => {
        before = others() ? zoom() : letters();
      },
      pinch: (times) => {
        if (others()) setZoom(Math.max(1, Math.min(MOST_ZOOM, before * times)));
        else chooseLetters(before * times);
      },
      held: () => {
        navigator.vibrate?.(10);
        setSheet("text");
      },
      native: () => others() && zoom() > 1,
    });

    // Where the soft keyboard lies over the page instead of making it smaller.
    const seen = window.visualViewport;
    const root = document.documentElement;
    const lifted = (): void => {
      if (!seen) return;
      if (seen.scale > 1.01) return;
      root.style.setProperty("--seen-height", `${seen.height}px`);
      scrollTo(0, 0);
    };
    seen?.addEventListener("resize", lifted);
    seen?.addEventListener("scroll", lifted);
    lifted();
    onCleanup(() => {
      watching.disconnect();
      themed.disconnect();
      dark.removeEventListener("change", recolour);
      stopFingers();
      seen?.removeEventListener("resize", lifted);
      seen?.removeEventListener("scroll", lifted);
      root.style.removeProperty("--seen-height");
    });
  });
  createEffect(() => emulator()?.readable(readable()));
  // A program that was started again draws from the beginning.
  createEffect(
    on(
      () => status()?.kind === "ended",
      (now, was) => {
        if (was === true && !now) terminal.refresh();
      },
    ),
  );
  createEffect(
    on(
      () => view.dropped?.count,
      (count) => {
        if (count !== undefined && view.dropped) deck.toasts.say(visible(view.dropped.why));
      },
    ),
  );
  const restart = (): void => {
    props.host.replica
      .intend("session.resume", { session: props.session })
      .settled.catch((fault: unknown) =>
        deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
      );
  };
  const endWords = createMemo(() => {
    const row = props.open.view.value.rows.findLast((one) => one.kind === "mark" && one.fact.kind === "agent.ended");
    const fact = row?.kind === "mark" && row.fact.kind === "agent.ended" ? row.fact : undefined;
    if (fact?.detail !== undefined) return visible(fact.detail);
    if (typeof fact?.signal === "string") return t("The program was ended by {signal}.", { signal: fact.signal });
    if (typeof fact?.code === "number") return t("The program ended with exit {code}.", { code: fact.code });
    return t("The program has ended.");
  });
  const close = (): void => {
    setSheet();
    if (matchMedia("(pointer: fine)").matches) emulator()?.focus();
  };
  const of = <Kind extends "address" | "paste">(kind: Kind) => {
    const now = sheet();
    return typeof now === "object" && kind in now ? (now as Extract<Open, Record<Kind, unknown>>)[kind] : undefined;
  };

  return (
    <div class="terminal-page">
      <Portal mount={props.head}>
        <button
          type="button"
          class="icon-button"
          aria-label={t("Text to select and copy")}
          title={t("Text to select and copy")}
          onClick={() => setSheet("text")}
        >
          <Icon name="read" />
        </button>
        <Menu label={t("More of this terminal")} trigger={<Icon name="more" />}>
          <MenuItem onChoose={() => setSheet("choices")}>
            <Icon name="keyboard" />
            {t("Letters, keys, reading aloud")}
          </MenuItem>
          <Show when={types()}>
            <MenuItem onChoose={() => void pasteFromClipboard()}>
              <Icon name="paste" />
              {t("Paste")}
            </MenuItem>
          </Show>
          <Show when={!isGuest(props.host)}>
            <MenuItem onChoose={() => props.settings()}>
              <Icon name="settings" />
              {t("Name and end of this session")}
            </MenuItem>
          </Show>
        </Menu>
      </Portal>
      <Show when={!view.live && !offline() && view.drawn && view.staleSince}>
        {(at) => (
          <div class="session-banner">
            <p class="banner stale" role="status">
              {t("As of {time}; catching up", { time: clock(at()) })}
            </p>
          </div>
        )}
      </Show>
      <Show when={others() && types() && view.drawn && !ended()}>
        <div class="term-words" role="status">
          <Icon name="desktop" small />
          <p>{t("Shown at the size of another device")}</p>
          <button type="button" class="button" onClick={takeOver}>
            {t("Take over")}
          </button>
        </div>
      </Show>
      <Show when={wanted()}>
        {(text) => (
          <div class="term-words" role="status">
            <Icon name="copy" small />
            <p>
              {counted(
                text().length,
                "The program wants to copy {n} character",
                "The program wants to copy {n} characters",
              )}
            </p>
            <CopyButton worded text={text} copied={() => setWanted()} />
            <button type="button" class="icon-button" aria-label={t("Do not copy")} onClick={() => setWanted()}>
              <Icon name="close" />
            </button>
          </div>
        )}
      </Show>
      <div
        ref={area}
        class="term-area"
        classList={{ bell: bell(), ended: ended(), scaled: others() && zoom() > 1 }}
        data-whose={view.whose}
        data-live={view.live}
      >
        <div ref={holder} class="term-holder" />
        <Show when={view.gone !== undefined}>
          <div class="term-cover">
            <p>{visible(view.gone ?? "")}</p>
          </div>
        </Show>
        <Show when={!view.drawn && view.gone === undefined}>
          <div class="term-cover term-wait" role="status">
            <p>
              {offline()
                ? t("The screen is on {host}. It is drawn once the host is there.", {
                    host: visibleLine(props.host.known.name),
                  })
                : t("Connecting to the terminal")}
            </p>
          </div>
        </Show>
        <Show when={away()}>
          <button type="button" class="button term-bottom" onClick={() => emulator()?.toBottom()}>
            <Icon name="arrowDown" small />
            {t("To the newest")}
          </button>
        </Show>
        <Show when={selected()}>
          <div class="term-bottom term-selected">
            <CopyButton worded label={t("Copy selection")} text={() => emulator()?.selection ?? ""} />
          </div>
        </Show>
      </div>
      <div ref={dock} class="term-dock">
        <div class="term-asks">{props.asks}</div>
        <Show
          when={!ended()}
          fallback={
            <div ref={(one) => (keys = one)} class="term-ended" role="status">
              <p>{endWords()}</p>
              <Show when={!isGuest(props.host)}>
                <button type="button" class="button" onClick={restart}>
                  <Icon name="play" />
                  {t("Start again")}
                </button>
              </Show>
            </div>
          }
        >
          <Show when={keysShown() && types() && view.gone === undefined}>
            <KeyRow
              row={(one) => (keys = one)}
              type={(text) => {
                emulator()?.toBottom();
                type(text);
              }}
              arrow={arrow}
              paste={() => void pasteFromClipboard()}
              ctrl={ctrl()}
              alt={alt()}
              setCtrl={setCtrl}
              setAlt={setAlt}
            />
          </Show>
        </Show>
      </div>
      <Show when={sheet() === "text" && emulator()}>
        {(now) => <TextSheet host={props.host} session={props.session} emulator={now()} onClose={close} />}
      </Show>
      <Show when={sheet() === "choices"}>
        <ChoicesSheet onClose={close} />
      </Show>
      <Show when={of("address")}>{(target) => <LinkSheet target={target()} onClose={close} />}</Show>
      <Show when={of("paste")}>
        {(made) => (
          <PasteSheet
            paste={made()}
            type={() => {
              typePaste(made());
              close();
            }}
            onClose={close}
          />
        )}
      </Show>
      <Show when={sheet() === "paste by hand"}>
        <PasteSheet
          byHand={(text) => {
            setSheet();
            paste(text);
          }}
          onClose={close}
        />
      </Show>
    </div>
  );
}
