/** "Share this session": what, for how long, then the code; and below who has it, and which invitations are open. */
import type { Verb } from "@flybridge/protocol/grant.ts";
import type { OfferMade } from "@flybridge/protocol/offer.ts";
import type { Summary } from "@flybridge/protocol/session.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createEffect, createSignal, on, Show } from "solid-js";
import { type HostHere, isGuest } from "../deck.ts";
import { Invitation } from "../device/invitation.tsx";
import { OpenOffers } from "../device/open-offers.tsx";
import "../device/devices.css";
import { Icon } from "../design/icon.tsx";
import { Loading } from "../design/loading.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";
import { isOf, verbsWords } from "./grant.ts";
import { ShareChoice } from "./share-choice.tsx";
import { SharedWith } from "./shared-with.tsx";
import "./grant.css";

type Stage =
  | { kind: "choosing"; fault?: string }
  | { kind: "making" }
  | { kind: "made"; made: OfferMade; verbs: readonly Verb[] }
  | { kind: "used"; by: string };

export default function ShareSheet(props: {
  host: HostHere;
  summary: Pick<Summary, "session" | "title" | "terminal">;
  onClose: () => void;
}) {
  const [stage, setStage] = createSignal<Stage>({ kind: "choosing" });
  const session = props.summary.session;
  const guests = (): string[] =>
    Object.values(props.host.view.devices).flatMap(({ device, grant }) => (isOf(grant, session) ? [device] : []));
  const made = () => {
    const now = stage();
    return now.kind === "made" ? now : undefined;
  };

  const make = (verbs: readonly Verb[], life: number): void => {
    setStage({ kind: "making" });
    props.host.replica.intend("session.share", { session, verbs: [...verbs], life }).settled.then(
      (offer) => setStage({ kind: "made", made: offer, verbs }),
      (fault: unknown) =>
        setStage({
          kind: "choosing",
          fault: fault instanceof Error ? visible(fault.message) : t("The host could not make a code."),
        }),
    );
  };
  const withdraw = (offer: string): void => {
    setStage({ kind: "choosing" });
    props.host.replica.intend("offer.withdraw", { offer }).settled.catch(() => undefined);
  };
  createEffect(
    on(guests, (now, before) => {
      const joined = now.find((device) => before?.includes(device) === false);
      const name = props.host.view.devices[joined as never]?.name;
      if (name !== undefined && made()) setStage({ kind: "used", by: name });
    }),
  );

  return (
    <Sheet title={t("Share this session")} onClose={props.onClose}>
      <div class="offer share">
        <p class="share-what">
          <bdi class="cut">{visibleLine(props.summary.title)}</bdi>
          <span class="dim">
            {t("Only this session: nothing else of {host} is seen.", { host: visibleLine(props.host.known.name) })}
          </span>
        </p>
        <Show when={stage().kind === "choosing"}>
          <ShareChoice
            host={props.host}
            isTerminal={props.summary.terminal === true}
            fault={(stage() as { fault?: string }).fault}
            make={make}
          />
        </Show>
        <Show when={stage().kind === "making"}>
          <Loading />
        </Show>
        <Show when={made()}>
          {(now) => (
            <>
              <p class="offer-warning">
                <Icon name="key" />
                <span>
                  {t(
                    "Treat it like a password: who opens it first may {verbs}. It works once; closing this does not withdraw it.",
                    { verbs: verbsWords(now().verbs) },
                  )}
                </span>
              </p>
              <Invitation
                made={now().made}
                how={t("Scan it with the other device's camera, or send the link to it.")}
                again={() => setStage({ kind: "choosing" })}
                withdraw={() => (isGuest(props.host) ? setStage({ kind: "choosing" }) : withdraw(now().made.offer))}
              />
            </>
          )}
        </Show>
        <Show when={stage().kind === "used"}>
          <div class="empty offer-used" role="status">
            <Icon name="checks" />
            <h2>{t("{device} has joined", { device: visibleLine((stage() as { by: string }).by) })}</h2>
            <p>{t("The code is used up. What the device may do ends when you cut it off, or by itself.")}</p>
            <button type="button" class="button" onClick={() => setStage({ kind: "choosing" })}>
              {t("Share with another")}
            </button>
          </div>
        </Show>
        <Show when={!isGuest(props.host)}>
          <SharedWith host={props.host} session={session} />
          <OpenOffers
            host={props.host}
            only={({ grant, offer }) => isOf(grant, session) && offer !== made()?.made.offer}
            again={stage().kind}
          />
        </Show>
      </div>
    </Sheet>
  );
}
