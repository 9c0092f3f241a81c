/** The keys, listed. */
import { For } from "solid-js";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import "./keys.css";

export default function KeysSheet(props: { onClose: () => void }) {
  const keys = (): [string[], string][] => [
    [["⌘ K"], t("Go to a session or do something")],
    [["i"], t("Inbox")],
    [["s"], t("Sessions")],
    [["d"], t("Devices")],
    [["r"], t("Remote")],
    [["n"], t("New session")],
    [["t"], t("New terminal")],
    [["j", "k"], t("Next, previous in a list")],
    [["a"], t("To the decision of an ask")],
    [["p"], t("To the composer")],
    [["/"], t("Search sessions")],
    [["Enter"], t("Send the prompt")],
    [["Shift Enter"], t("New line in a prompt")],
    [["Esc"], t("Close what is open")],
    [["Ctrl Shift ."], t("Out of a terminal, which has every other key")],
    [["Ctrl Shift C"], t("Copy what is selected in a terminal")],
    [["?"], t("These keys")],
  ];
  return (
    <Sheet title={t("Keys")} onClose={props.onClose}>
      <dl class="keys">
        <For each={keys()}>
          {([names, what]) => (
            <div>
              <dt>
                <For each={names}>{(name) => <kbd>{name}</kbd>}</For>
              </dt>
              <dd>{what}</dd>
            </div>
          )}
        </For>
      </dl>
    </Sheet>
  );
}
