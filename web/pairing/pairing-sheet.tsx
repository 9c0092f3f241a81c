/** A device waits to be let in: who it says it is, how it came, and the six digits that it shows. One attempt. */
import { CONFIRMATION_DIGITS } from "@flybridge/protocol/pairing.ts";
import { visible, visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import { useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { lasted, now } from "../design/time.ts";
import "../device/devices.css";
import { KIND_ICONS, kindWords, wayWords } from "../device/kind.ts";
import { t } from "../words.ts";
import "./pairing.css";
import type { Candidate } from "./waiting.ts";

type Stage = { kind: "asking" } | { kind: "sending" } | { kind: "over"; fault: string };

export default function PairingSheet(props: {
  candidate: Candidate;
  /** It waits no more, and not because of this device. */
  gone: boolean;
  onClose: () => void;
}) {
  const deck = useDeck();
  const id = createUniqueId();
  const { host, pairing } = props.candidate;
  const name = visibleLine(pairing.name);
  const [typed, setTyped] = createSignal("");
  const [stage, setStage] = createSignal<Stage>({ kind: "asking" });
  const digits = (): string => typed().replaceAll(/\D/gu, "");
  const failed = (fault: unknown): void =>
    void setStage({
      kind: "over",
      fault: fault instanceof Error ? visible(fault.message) : t("The host refused it."),
    });
  const over = (): string | undefined => {
    const at = stage();
    if (at.kind === "over") return at.fault;
    return props.gone && at.kind === "asking"
      ? t("It does not wait any more: it was let in or turned away on another device, or it gave up.")
      : undefined;
  };
  const confirm = (): void => {
    setStage({ kind: "sending" });
    host.replica.intend("pairing.confirm", { pairing: pairing.pairing, digits: digits() }).settled.then(() => {
      deck.toasts.say(t("{device} is in", { device: name }));
      props.onClose();
    }, failed);
  };
  const refuse = (): void => {
    setStage({ kind: "sending" });
    host.replica.intend("pairing.refuse", { pairing: pairing.pairing }).settled.then(() => {
      deck.toasts.say(t("{device} was turned away", { device: name }));
      props.onClose();
    }, failed);
  };
  return (
    <Sheet title={t("Let this device in?")} onClose={props.onClose}>
      <form
        class="form pairing"
        onSubmit={(event) => {
          event.preventDefault();
          if (digits().length === CONFIRMATION_DIGITS && over() === undefined) confirm();
        }}
      >
        <div class="pairing-who">
          <span class="offer-icon">
            <Icon name={KIND_ICONS[pairing.kind]} />
          </span>
          <p>
            <bdi class="row-title">{name}</bdi>
            <span class="dim">
              {kindWords(pairing.kind)} · {wayWords(pairing.way)}
            </span>
          </p>
        </div>
        <Show
          when={over()}
          fallback={
            <>
              <p>
                {t(
                  "It used a code of {host}, and will be able to do everything there. Let it in only if it is yours.",
                  {
                    host: visibleLine(host.known.name),
                  },
                )}
              </p>
              <div>
                <label class="label" for={id}>
                  {t("The six digits that it shows")}
                </label>
                <input
                  autofocus
                  id={id}
                  class="field mono pairing-digits"
                  inputmode="numeric"
                  autocomplete="off"
                  maxlength="9"
                  placeholder="000 000"
                  value={typed()}
                  disabled={stage().kind === "sending"}
                  aria-describedby={`${id}-once`}
                  onInput={(event) => setTyped(event.currentTarget.value)}
                />
                <p class="dim pairing-once" id={`${id}-once`}>
                  {t("There is one attempt. Without an answer it is turned away in {time}.", {
                    time: lasted(pairing.expires - now() + 999),
                  })}
                </p>
              </div>
              <div class="form-pair">
                <button type="button" class="button" disabled={stage().kind === "sending"} onClick={refuse}>
                  {t("Refuse")}
                </button>
                <button
                  type="submit"
                  class="button strong"
                  disabled={stage().kind === "sending" || digits().length !== CONFIRMATION_DIGITS}
                >
                  {t("Let it in")}
                </button>
              </div>
            </>
          }
        >
          {(fault) => (
            <>
              <p class="fault" role="alert">
                <Icon name="alert" small />
                {fault()}
              </p>
              <button type="button" class="button strong wide" onClick={() => props.onClose()}>
                {t("Close")}
              </button>
            </>
          )}
        </Show>
      </form>
    </Sheet>
  );
}
