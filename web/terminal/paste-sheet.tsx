/** A paste that is looked at first: because each of its lines would run, or because it comes by hand. */
import { visible } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import { Sheet } from "../design/sheet.tsx";
import { counted, t } from "../words.ts";
import type { Paste } from "./paste.ts";

/** Characters of a paste that are shown. */
const SHOWN_CHARS = 20_000;

export default function PasteSheet(props: {
  paste?: Paste;
  type?: () => void;
  /** The browser does not let this page read the clipboard: the person puts it here. */
  byHand?: (text: string) => void;
  onClose: () => void;
}) {
  const id = createUniqueId();
  const [text, setText] = createSignal("");
  const shown = (): string => visible((props.paste?.text ?? "").slice(0, SHOWN_CHARS));
  return (
    <Sheet title={props.paste ? t("Paste this?") : t("Paste")} onClose={props.onClose}>
      <Show
        when={props.paste}
        fallback={
          <form
            onSubmit={(event) => {
              event.preventDefault();
              props.byHand?.(text());
            }}
          >
            <label class="label" for={id}>
              {t("This browser does not let the page read the clipboard. Paste here instead.")}
            </label>
            <textarea
              id={id}
              class="field mono"
              rows="4"
              autofocus
              autocapitalize="off"
              spellcheck={false}
              value={text()}
              onInput={(event) => setText(event.currentTarget.value)}
            />
            <div class="form-end">
              <button type="submit" class="button strong wide" disabled={text() === ""}>
                {t("Type it")}
              </button>
            </div>
          </form>
        }
      >
        {(made) => (
          <>
            <p>
              {made().lines > 1
                ? counted(
                    made().lines,
                    "{n} line. The program may run each as it arrives.",
                    "{n} lines. The program may run each as it arrives.",
                  )
                : t("It ends its line, or is long: the program may run it at once.")}
            </p>
            <pre class="term-paste" tabindex="0" role="region" aria-label={t("What would be typed")} dir="ltr">
              {shown()}
            </pre>
            <div class="form-end">
              <button type="button" class="button strong wide" autofocus onClick={() => props.type?.()}>
                {t("Paste")}
              </button>
            </div>
          </>
        )}
      </Show>
    </Sheet>
  );
}
