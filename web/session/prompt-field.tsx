/**
 * The field in which a prompt is written: it offers files after `@` and the agent's commands after `/`, by keyboard or
 * finger, and takes pictures from the clipboard.
 */
import type { AgentCommand, AgentInfo } from "@flybridge/protocol/agent.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createEffect, createMemo, createSignal, createUniqueId, For, type JSX, on, onCleanup, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import type { Tray } from "./attachments.tsx";
import { commandsLike, mentionOf, type Typed, typedAt } from "./mention.ts";
import "./prompt-field.css";

/** A pause in typing after which files are looked for, in milliseconds. */
const PAUSE_MS = 120;

interface Offer {
  readonly insert: string;
  readonly label: string;
  readonly detail?: string | undefined;
  readonly icon: "file" | "folder" | "command";
}

export function PromptField(props: {
  id?: string;
  class?: string;
  rows?: string;
  value: string;
  set: (text: string) => void;
  placeholder: string;
  enterkeyhint?: "send" | "enter";
  autofocus?: boolean;
  /** Finds files to mention; absent where the agent or the folder has none. */
  find?: ((text: string) => Promise<readonly string[]>) | undefined;
  commands?: readonly AgentCommand[] | undefined;
  tray: Tray;
  takes: AgentInfo["attaches"];
  /** Keys that no list took. */
  onKeyDown: (event: KeyboardEvent) => void;
  ref?: (field: HTMLTextAreaElement) => void;
}) {
  const own = createUniqueId();
  const listId = `${own}-offers`;
  let field!: HTMLTextAreaElement;
  const [typed, setTyped] = createSignal<Typed>();
  const [files, setFiles] = createSignal<{ query: string; paths: readonly string[] }>();
  const [at, setAt] = createSignal(0);
  /** What was typed when the list was closed by hand: it stays closed for that. */
  const [closed, setClosed] = createSignal<number>();

  const look = (): void => {
    const isCaret = field.selectionStart === field.selectionEnd;
    const now = isCaret ? typedAt(field.value, field.selectionStart) : undefined;
    if (now?.from !== typed()?.from) setClosed(undefined);
    setTyped(now);
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  onCleanup(() => clearTimeout(timer));
  createEffect(
    on(
      () => (typed()?.kind === "file" ? typed()?.query : undefined),
      (query) => {
        clearTimeout(timer);
        const { find } = props;
        if (query === undefined || !find) return setFiles(undefined);
        timer = setTimeout(
          () => {
            const number = ++asked;
            find(query).then(
              (paths) => number === asked && setFiles({ query, paths }),
              () => number === asked && setFiles(undefined),
            );
          },
          files() === undefined ? 0 : PAUSE_MS,
        );
      },
    ),
  );

  const offers = createMemo<readonly Offer[]>(() => {
    const now = typed();
    if (!now || closed() === now.from) return [];
    if (now.kind === "command")
      return commandsLike(props.commands ?? [], now.query).map(({ name, detail }) => ({
        insert: `/${name} `,
        label: `/${name}`,
        detail,
        icon: "command",
      }));
    return (files()?.paths ?? []).map((path) => ({
      insert: mentionOf(path),
      label: path,
      icon: path.endsWith("/") ? "folder" : "file",
    }));
  });
  const isOpen = (): boolean => offers().length > 0;
  /** Nothing like it: said once, quietly. */
  const isVain = (): boolean =>
    typed()?.kind === "file" &&
    typed()?.query !== "" &&
    files()?.query === typed()?.query &&
    files()?.paths.length === 0;
  createEffect(on(offers, () => setAt(0)));

  const take = (offer: Offer | undefined): void => {
    const now = typed();
    if (!offer || !now) return;
    const end = field.selectionStart;
    const rest = field.value.slice(end);
    const insert = offer.insert.endsWith(" ") && rest.startsWith(" ") ? offer.insert.slice(0, -1) : offer.insert;
    const text = field.value.slice(0, now.from) + insert + rest;
    props.set(text);
    field.value = text;
    const caret = now.from + insert.length + (insert === offer.insert ? 0 : 1);
    field.setSelectionRange(caret, caret);
    field.focus();
    look();
  };

  const move = (by: number): void => {
    const to = (at() + by + offers().length) % offers().length;
    setAt(to);
    document.getElementById(`${listId}-${to}`)?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown: JSX.EventHandler<HTMLTextAreaElement, KeyboardEvent> = (event) => {
    const isPlain = !event.isComposing && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isOpen() && isPlain) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        return move(event.key === "ArrowDown" ? 1 : -1);
      }
      // What is written out needs no more taking: Enter does then what it does otherwise.
      const isWritten = offers()[at()]?.insert.trim().slice(1) === typed()?.query;
      if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && !isWritten)) {
        event.preventDefault();
        return take(offers()[at()]);
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        return void setClosed(typed()?.from);
      }
    }
    props.onKeyDown(event);
  };

  return (
    <div class="prompt-field">
      <Show when={isOpen()}>
        <ul
          class="offers"
          id={listId}
          role="listbox"
          aria-label={typed()?.kind === "command" ? t("Commands") : t("Files")}
        >
          <For each={offers()}>
            {(offer, place) => (
              <li
                id={`${listId}-${place()}`}
                role="option"
                aria-selected={place() === at()}
                aria-label={offer.icon === "command" ? undefined : visibleLine(offer.label)}
                // The field keeps the keyboard.
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => take(offer)}
              >
                <Icon name={offer.icon} small />
                <Show
                  when={offer.icon !== "command"}
                  fallback={
                    <span class="offer-command">
                      <span class="mono">{visibleLine(offer.label)}</span>
                      <Show when={offer.detail}>{(detail) => <small dir="auto">{visibleLine(detail())}</small>}</Show>
                    </span>
                  }
                >
                  <Path path={offer.label} />
                </Show>
              </li>
            )}
          </For>
        </ul>
      </Show>
      <Show when={isVain()}>
        <p class="offers offers-none" role="status">
          {t("No file like this in the folder")}
        </p>
      </Show>
      <textarea
        id={props.id}
        ref={(element) => {
          field = element;
          props.ref?.(element);
        }}
        class={props.class}
        data-composer={props.class === undefined ? "" : undefined}
        rows={props.rows ?? "1"}
        dir="auto"
        autofocus={props.autofocus}
        enterkeyhint={props.enterkeyhint}
        placeholder={props.placeholder}
        aria-autocomplete="list"
        aria-controls={isOpen() ? listId : undefined}
        aria-activedescendant={isOpen() ? `${listId}-${at()}` : undefined}
        value={props.value}
        onInput={(event) => {
          props.set(event.currentTarget.value);
          look();
        }}
        onClick={look}
        onKeyUp={(event) => {
          if (/^(?:Arrow(?:Left|Right)|Home|End)$/u.test(event.key)) look();
        }}
        onBlur={() => setTyped(undefined)}
        onKeyDown={onKeyDown}
        onPaste={(event) => {
          const pasted = [...(event.clipboardData?.files ?? [])];
          if (props.takes === undefined || pasted.length === 0) return;
          event.preventDefault();
          props.tray.add(pasted, props.takes);
        }}
      />
    </div>
  );
}

/** The name in full; of the folders before it the end, where there is no room for all. */
function Path(props: { path: string }) {
  const bare = (): string => props.path.replace(/\/$/u, "");
  const cut = (): number => bare().lastIndexOf("/") + 1;
  return (
    <span class="offer-path mono" dir="ltr">
      <span class="offer-folders cut">{visibleLine(bare().slice(0, cut()))}</span>
      <bdi class="offer-name">
        {visibleLine(bare().slice(cut()))}
        {props.path.endsWith("/") ? "/" : ""}
      </bdi>
    </span>
  );
}
