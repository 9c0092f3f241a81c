/** The six digits that a person types at the host, as large as they are read across a room. */
import { CONFIRM_MS } from "@flybridge/protocol/limits.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { lasted, now } from "../design/time.ts";
import { t } from "../words.ts";

export function Digits(props: { digits: string; host: string | undefined; since: number }) {
  const left = (): number => Math.max(0, props.since + CONFIRM_MS - now());
  return (
    <div class="digits">
      <h2>{t("Type these at the host")}</h2>
      <p class="digits-shown num" dir="ltr" aria-label={props.digits.split("").join(" ")} role="img">
        <span>{props.digits.slice(0, 3)}</span>
        <span>{props.digits.slice(3)}</span>
      </p>
      <p>
        {t("Whoever is at {host} is asked for them now: in the app there, or with “flybridge confirm”.", {
          host: visibleLine(props.host ?? t("the host")),
        })}
      </p>
      <p class="dim num" role="timer">
        {t("Waits for {time} more. Nothing of this device is let in before.", { time: lasted(left() + 999) })}
      </p>
    </div>
  );
}
