/** The terminal as text: to select with the hand, to copy, to read from its beginning. */
import type { SessionId } from "@flybridge/protocol/ids.ts";
import { visible } from "@flybridge/protocol/text.ts";
import { createMemo, createSignal, onMount, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { CopyButton } from "../design/copy.tsx";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import type { Emulator } from "./emulator.ts";

export default function TextSheet(props: {
  host: HostHere;
  session: SessionId;
  emulator: Emulator;
  onClose: () => void;
}) {
  let shown!: HTMLPreElement;
  // As it is now: what a program goes on printing must not move what is being selected.
  const whole = props.emulator.text();
  const screen = props.emulator.screenText;
  const [earlier, setEarlier] = createSignal<{ first: number; lines: string[] }>();
  const [loading, setLoading] = createSignal(false);
  const [fault, setFault] = createSignal<string>();
  const text = createMemo(() => {
    const above = earlier();
    return above ? [...above.lines, screen].join("\n") : whole;
  });

  const bottom = (): void => shown.closest(".sheet-body")?.scrollTo({ top: shown.scrollHeight });
  onMount(() => requestAnimationFrame(bottom));
  const load = async (): Promise<void> => {
    setLoading(true);
    setFault();
    try {
      const before = earlier();
      const page = await props.host.replica.call("terminal.page", {
        session: props.session,
        ...(before ? { before: before.first } : {}),
      });
      setEarlier({ first: page.first, lines: [...page.lines, ...(before?.lines ?? [])] });
    } catch (error) {
      setFault(error instanceof Error ? error.message : t("The host did not answer."));
    } finally {
      setLoading(false);
    }
  };

  return (
    <Sheet title={t("Text of this terminal")} onClose={props.onClose} class="wide">
      <div class="term-text-head">
        <CopyButton worded label={t("Copy all")} text={text} />
        <Show when={earlier()?.first !== 0}>
          <button type="button" class="button" disabled={loading()} onClick={() => void load()}>
            <Icon name="arrowUp" />
            {loading() ? t("Loading") : t("Earlier output")}
          </button>
        </Show>
      </div>
      <Fault why={fault()} />
      <pre ref={shown} class="term-text" tabindex="0" role="region" aria-label={t("Text of this terminal")} dir="ltr">
        {visible(text()) || t("Nothing was printed yet.")}
      </pre>
    </Sheet>
  );
}
