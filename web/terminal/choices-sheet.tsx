/** How terminals look and are read on this device. */
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import {
  chooseLetters,
  keysShown,
  letters,
  makeReadable,
  MAX_LETTERS,
  MIN_LETTERS,
  readable,
  showKeys,
} from "./choices.ts";

export default function ChoicesSheet(props: { onClose: () => void }) {
  return (
    <Sheet title={t("Terminals on this device")} onClose={props.onClose}>
      <div class="term-choices">
        <div>
          <p class="label">{t("Size of letters")}</p>
          <div class="term-size">
            <button
              type="button"
              class="button"
              aria-label={t("Smaller")}
              disabled={letters() <= MIN_LETTERS}
              onClick={() => chooseLetters(letters() - 1)}
            >
              −
            </button>
            <output class="num" aria-live="polite">
              {t("{n} px", { n: letters() })}
            </output>
            <button
              type="button"
              class="button"
              aria-label={t("Larger")}
              disabled={letters() >= MAX_LETTERS}
              onClick={() => chooseLetters(letters() + 1)}
            >
              +
            </button>
          </div>
        </div>
        <label class="option" classList={{ chosen: keysShown() }}>
          <input type="checkbox" checked={keysShown()} onChange={(event) => showKeys(event.currentTarget.checked)} />
          <span>
            <span class="option-label">{t("Show the keys")}</span>
            <small>{t("Esc, Tab, Ctrl, arrows and others, below the screen.")}</small>
          </span>
        </label>
        <label class="option" classList={{ chosen: readable() }}>
          <input type="checkbox" checked={readable()} onChange={(event) => makeReadable(event.currentTarget.checked)} />
          <span>
            <span class="option-label">{t("For a screen reader")}</span>
            <small>{t("The lines of the screen are there to be read, and new ones are said.")}</small>
          </span>
        </label>
        <p class="dim">{t("Ctrl Shift . leads out of the terminal; every other key goes to the program.")}</p>
      </div>
    </Sheet>
  );
}
