/** An invitation as it is shown: hidden until revealed, handled like a password, gone when the time is up. */
import type { OfferMade } from "@flybridge/protocol/offer.ts";
import { createSignal, type JSX, Show } from "solid-js";
import { CopyButton } from "../design/copy.tsx";
import { Icon } from "../design/icon.tsx";
import { lasted, now } from "../design/time.ts";
import { t } from "../words.ts";
import { QrCode } from "./qr-code.tsx";

export function Invitation(props: {
  made: OfferMade;
  /** What to do with the code. */
  how: string;
  /** The line for those who cannot scan; a link for a session needs none beside it. */
  line?: { readonly text: string; readonly label: string; readonly copy: string };
  again: () => void;
  withdraw: () => void;
}) {
  const [revealed, setRevealed] = createSignal(false);
  const left = (): number => props.made.expires - now();
  return (
    <Show when={left() > 0} fallback={<Over again={props.again} />}>
      <div class="offer-code" classList={{ hidden: !revealed() }}>
        <Show
          when={revealed()}
          fallback={
            <button type="button" class="offer-reveal" onClick={() => setRevealed(true)}>
              <Icon name="eye" />
              {t("Reveal the code")}
            </button>
          }
        >
          <QrCode text={props.made.link} />
        </Show>
      </div>
      <p class="offer-left num" role="timer">
        <Icon name="clock" small />
        {t("works for {time} more", { time: lasted(left() + 999) })}
      </p>
      <Show when={revealed()}>
        <p class="offer-how dim">{props.how}</p>
        <Show when={props.line} fallback={<Line text={props.made.link} label={t("Link")} />}>
          {(line) => <Line text={line().text} label={line().label} />}
        </Show>
        <div class="form-pair">
          <CopyButton worded text={() => props.made.link} label={t("Copy link")} />
          <Show when={props.line}>{(line) => <CopyButton worded text={() => line().text} label={line().copy} />}</Show>
        </div>
      </Show>
      <button type="button" class="button plain wide" onClick={() => props.withdraw()}>
        {t("Withdraw the code")}
      </button>
    </Show>
  );
}

function Line(props: { text: string; label: string }): JSX.Element {
  return (
    <pre class="offer-string" tabindex="0" dir="ltr" aria-label={props.label}>
      {props.text}
    </pre>
  );
}

function Over(props: { again: () => void }) {
  return (
    <div class="offer-over" role="status">
      <p>{t("The code has expired. It was not used.")}</p>
      <button type="button" class="button strong" onClick={() => props.again()}>
        {t("New code")}
      </button>
    </div>
  );
}
