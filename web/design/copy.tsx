/** Copies text, and says so where the button is. */
import { createSignal } from "solid-js";
import { t } from "../words.ts";
import { Icon } from "./icon.tsx";

const SAID_MS = 1_600;

export function CopyButton(props: { text: () => string; label?: string; worded?: boolean; copied?: () => void }) {
  const [copied, setCopied] = createSignal(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text());
    setCopied(true);
    setTimeout(() => {
      setCopied(false);
      props.copied?.();
    }, SAID_MS);
  };
  const label = (): string => (copied() ? t("Copied") : (props.label ?? t("Copy")));
  return (
    <button
      type="button"
      class={props.worded ? "button" : "icon-button"}
      aria-label={label()}
      title={label()}
      onClick={(event) => {
        event.stopPropagation();
        void copy();
      }}
    >
      <Icon name={copied() ? "check" : "copy"} />
      {props.worded ? label() : null}
    </button>
  );
}
