/** The code of this machine: hidden until revealed, handled like a password, gone when the time is up or it was used. */
import type { OfferMade } from "@flybridge/protocol/offer.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createEffect, createSignal, on, onCleanup, onMount, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Fault } from "../design/fault.tsx";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { Sheet } from "../design/sheet.tsx";
import { now } from "../design/time.ts";
import { t } from "../words.ts";
import { Invitation } from "./invitation.tsx";

export default function OfferSheet(props: { host: HostHere; onClose: () => void }) {
  const [offer, setOffer] = createSignal<OfferMade>();
  const [fault, setFault] = createSignal<string>();
  const [used, setUsed] = createSignal<string>();
  const left = (): number => (offer()?.expires ?? 0) - now();
  const known = new Set(Object.keys(props.host.view.devices));

  const make = (): void => {
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
      () =>
        Object.values(props.host.view.devices).find(
          ({ device, grant }) => grant.kind === "owner" && !known.has(device),
        ),
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
          <Fault why={fault()} />
          <Show
            when={offer()}
            fallback={
              <Show when={!fault()}>
                <Loading />
              </Show>
            }
          >
            {(made) => (
              <Invitation
                made={made()}
                how={t("Scan it with the phone's camera, or in Flybridge under Pair.")}
                line={{ text: made().connection, label: t("Connection string"), copy: t("Copy string") }}
                again={make}
                withdraw={() => props.onClose()}
              />
            )}
          </Show>
        </Show>
      </div>
    </Sheet>
  );
}
