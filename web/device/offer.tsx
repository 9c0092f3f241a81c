/** The code of this machine: hidden until revealed, handled like a password, gone when the time is up or it was used. */
import type { OfferMade } from "@flybridge/protocol/offer.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createEffect, createSignal, on, onCleanup, onMount, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { CopyButton } from "../design/copy.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { Sheet } from "../design/sheet.tsx";
import { lasted, now } from "../design/time.ts";
import { t } from "../words.ts";
import { QrCode } from "./qr-code.tsx";

export default function OfferSheet(props: { host: HostHere; onClose: () => void }) {
  const [offer, setOffer] = createSignal<OfferMade>();
  const [fault, setFault] = createSignal<string>();
  const [revealed, setRevealed] = createSignal(false);
  const [used, setUsed] = createSignal<string>();
  const left = (): number => (offer()?.expires ?? 0) - now();
  const known = new Set(Object.keys(props.host.view.devices));

  const make = (): void => {
    setRevealed(false);
    setOffer(undefined);
    setFault(undefined);
    props.host.replica
      .intend("offer.make", {})
      .settled.then(setOffer, (reason: unknown) =>
        setFault(reason instanceof Error ? reason.message : t("The host could not make a code.")),
      );
  };
  const withdraw = (): void => {
    const made = offer();
    if (made && used() === undefined && left() > 0)
      props.host.replica.intend("offer.withdraw", { offer: made.offer }).settled.catch(() => undefined);
    setOffer(undefined);
  };
  onMount(make);
  onCleanup(withdraw);
  createEffect(
    on(
      () => Object.values(props.host.view.devices).find((device) => !known.has(device.device)),
      (device) => device && setUsed(device.name),
    ),
  );

  return (
    <Sheet title={t("Let a new device in")} onClose={props.onClose}>
      <div class="offer">
        <Show
          when={used() === undefined}
          fallback={
            <div class="empty offer-used" role="status">
              <Icon name="checks" />
              <h2>{t("{device} is in", { device: visibleLine(used() ?? "") })}</h2>
              <p>{t("The code is used up. You can rename the device or cut it off in the list.")}</p>
              <button type="button" class="button strong" onClick={() => props.onClose()}>
                {t("Good")}
              </button>
            </div>
          }
        >
          <p class="offer-warning">
            <Icon name="key" />
            <span>
              {t(
                "Like a password: whoever has this code can control {host} once they use it. It works for one device.",
                { host: visibleLine(props.host.known.name) },
              )}
            </span>
          </p>
          <Show when={fault()}>
            {(message) => (
              <p class="fault" role="alert">
                <Icon name="alert" small />
                {message()}
              </p>
            )}
          </Show>
          <Show
            when={offer()}
            fallback={
              <Show when={!fault()}>
                <Loading />
              </Show>
            }
          >
            {(made) => (
              <Show
                when={left() > 0}
                fallback={
                  <div class="offer-over" role="status">
                    <p>{t("The code has expired. It was not used.")}</p>
                    <button type="button" class="button strong" onClick={make}>
                      {t("New code")}
                    </button>
                  </div>
                }
              >
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
                    <QrCode text={made().link} />
                  </Show>
                </div>
                <p class="offer-left num" role="timer">
                  <Icon name="clock" small />
                  {t("works for {time} more", { time: lasted(left() + 999) })}
                </p>
                <Show when={revealed()}>
                  <p class="offer-how dim">{t("Scan it with the phone's camera, or in Flybridge under Pair.")}</p>
                  <pre class="offer-string" tabindex="0" dir="ltr" aria-label={t("Connection string")}>
                    {made().connection}
                  </pre>
                  <div class="form-pair">
                    <CopyButton worded text={() => made().link} label={t("Copy link")} />
                    <CopyButton worded text={() => made().connection} label={t("Copy string")} />
                  </div>
                </Show>
                <button type="button" class="button plain wide" onClick={() => props.onClose()}>
                  {t("Withdraw the code")}
                </button>
              </Show>
            )}
          </Show>
        </Show>
      </div>
    </Sheet>
  );
}
