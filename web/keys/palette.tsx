/** ⌘K: sessions and actions by a few letters of their name. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { useNavigate } from "@solidjs/router";
import { createMemo, createSignal, createUniqueId, For, Show } from "solid-js";
import { hostsOf, sessionPath, useDeck } from "../deck.ts";
import { Icon, type IconName } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { folderName, groupsOf } from "../sessions/grouping.ts";
import { statusWords } from "../sessions/status.tsx";
import { t } from "../words.ts";
import "./keys.css";

/** Rows that are offered at once. */
const MAX_OFFERED = 40;

interface Offer {
  icon: IconName;
  label: string;
  detail: string;
  act: () => void;
}

export default function Palette(props: { onClose: () => void; open: (what: "new" | "terminal" | "keys") => void }) {
  const deck = useDeck();
  const navigate = useNavigate();
  const id = createUniqueId();
  const [search, setSearch] = createSignal("");
  const [at, setAt] = createSignal(0);
  const go = (path: string) => () => {
    props.onClose();
    navigate(path);
  };
  const actions: Offer[] = [
    { icon: "plus", label: t("New session"), detail: "n", act: () => props.open("new") },
    { icon: "terminal", label: t("New terminal"), detail: "t", act: () => props.open("terminal") },
    { icon: "inbox", label: t("Inbox"), detail: "i", act: go("/") },
    { icon: "phone", label: t("Devices"), detail: "d", act: go("/devices") },
    { icon: "relay", label: t("Remote"), detail: "r", act: go("/remote") },
    { icon: "person", label: t("Account"), detail: "", act: go("/account") },
    { icon: "link", label: t("Pair with another host"), detail: "", act: go("/pair") },
    { icon: "keyboard", label: t("Keys"), detail: "?", act: () => props.open("keys") },
  ];
  const offers = createMemo<Offer[]>(() => {
    const words = search().toLowerCase().split(/\s+/u).filter(Boolean);
    const sessions = groupsOf(hostsOf(deck), search()).flatMap((group) =>
      group.sessions.map((summary) => ({
        icon: "sessions" as const,
        label: visibleLine(summary.title),
        detail: `${visibleLine(folderName(summary.workspace))} · ${statusWords(summary.status)}`,
        act: go(sessionPath(group.host.known.host, summary.session)),
      })),
    );
    const titled = (offer: Offer): number => (words.every((word) => offer.label.toLowerCase().includes(word)) ? 0 : 1);
    sessions.sort((a, b) => titled(a) - titled(b));
    const fitting = actions.filter((offer) => words.every((word) => offer.label.toLowerCase().includes(word)));
    return [...(words.length === 0 ? sessions.slice(0, 8) : sessions), ...fitting].slice(0, MAX_OFFERED);
  });
  const move = (by: number): void => {
    setAt((at() + by + offers().length) % Math.max(1, offers().length));
    document.getElementById(`${id}-${at()}`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <Sheet title={t("Go to")} class="palette" onClose={props.onClose}>
      <input
        class="field"
        type="text"
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={`${id}-${at()}`}
        aria-label={t("Session or action")}
        placeholder={t("Session or action")}
        value={search()}
        onInput={(event) => {
          setSearch(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") move(1);
          else if (event.key === "ArrowUp") move(-1);
          else if (event.key === "Enter") offers()[at()]?.act();
          else return;
          event.preventDefault();
        }}
      />
      <Show when={offers().length > 0} fallback={<p class="dim palette-none">{t("Nothing by this name.")}</p>}>
        <ul id={id} role="listbox" aria-label={t("Go to")}>
          <For each={offers()}>
            {(offer, index) => (
              <li
                id={`${id}-${index()}`}
                role="option"
                aria-selected={index() === at()}
                onClick={() => offer.act()}
                onPointerMove={() => setAt(index())}
              >
                <Icon name={offer.icon} />
                <span class="cut" dir="auto">
                  {offer.label}
                </span>
                <span class="dim cut">{offer.detail}</span>
              </li>
            )}
          </For>
        </ul>
      </Show>
    </Sheet>
  );
}
