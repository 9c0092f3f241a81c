/** Grey lines where something comes; shown only when it takes longer than a blink (the delay is in the style). */
import { t } from "../words.ts";

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="unseen">{t("Loading")}</span>
      <i />
      <i />
      <i />
    </div>
  );
}
