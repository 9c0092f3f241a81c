/** Invitations that can still be used: for what, by whom, how long yet; and the way to withdraw one. */
import type { OpenOffer } from "@flybridge/protocol/offer-made.ts";
import { createEffect, createResource, For, on, Show } from "solid-js";
import { type HostHere, useDeck } from "../deck.ts";
import "../design/form.css";
import { Icon } from "../design/icon.tsx";
import { lasted, now } from "../design/time.ts";
import { deviceName, sessionTitle, verbsWords } from "../grant/grant.ts";
import { t } from "../words.ts";

export function OpenOffers(props: {
  host: HostHere;
  only?: (offer: OpenOffer) => boolean;
  /** When it changes, they are asked for again; so they are when a device comes or goes. */
  again?: unknown;
}) {
  const deck = useDeck();
  const live = (): boolean => props.host.view.connection.kind === "live";
  const [answer, { refetch }] = createResource(live, async (isLive) =>
    isLive ? (await props.host.replica.call("offer.list", {}).catch(() => undefined))?.offers : undefined,
  );
  createEffect(
    on([() => props.again, () => Object.keys(props.host.view.devices).length], () => void refetch(), { defer: true }),
  );
  const open = (): readonly OpenOffer[] =>
    (answer.latest ?? []).filter((one) => one.expires > now() && props.only?.(one) !== false);
  const withdraw = (offer: string): void => {
    props.host.replica.intend("offer.withdraw", { offer }).settled.then(
      () => {
        deck.toasts.say(t("Withdrawn. The code works no more."));
        void refetch();
      },
      (fault: unknown) => deck.toasts.say(fault instanceof Error ? fault.message : t("The host refused it.")),
    );
  };
  return (
    <Show when={open().length > 0}>
      <section class="open-offers">
        <h3 class="label">{t("Open invitations")}</h3>
        <ul class="card rows">
          <For each={open()}>
            {(one) => (
              <li class="row">
                <Icon name="qr" />
                <span class="row-text">
                  <span class="row-title cut" dir="auto">
                    {one.grant.kind === "owner" ? t("A device of yours") : sessionTitle(props.host, one.grant.session)}
                  </span>
                  <span class="dim">
                    {one.grant.kind === "owner"
                      ? t("may do everything")
                      : t("may {verbs}", { verbs: verbsWords(one.grant.verbs) })}
                    {" · "}
                    {t("from {device}", { device: deviceName(props.host, one.by) })}
                  </span>
                  <span class="dim num">{t("works for {time} more", { time: lasted(one.expires - now() + 999) })}</span>
                </span>
                <button type="button" class="button" onClick={() => withdraw(one.offer)}>
                  {t("Withdraw")}
                </button>
              </li>
            )}
          </For>
        </ul>
      </section>
    </Show>
  );
}
