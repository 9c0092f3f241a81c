/** Whose link it is, shown before anything is sent: the tap on "Pair" or "Join session" is what acts. */
import { type Connection, formatAddress, type LinkPurpose, toBase64Url } from "@flybridge/protocol/offer.ts";
import { visibleLine } from "@flybridge/protocol/text.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import "../design/facts.css";
import { Fault } from "../design/fault.tsx";
import "../design/form.css";
import { thisDevice } from "../device/self.ts";
import { ServedNote } from "../remote/served-note.tsx";
import { t } from "../words.ts";

export interface Link {
  readonly connection: Connection;
  readonly purpose: LinkPurpose;
}

export function PairAsk(props: {
  link: Link;
  fault: string | undefined;
  busy: boolean;
  pair: (name: string) => void;
  cancel: () => void;
}) {
  const self = thisDevice();
  const id = createUniqueId();
  const [name, setName] = createSignal(self.name);
  const connection = (): Connection => props.link.connection;
  const joins = (): boolean => props.link.purpose === "join";
  /** The page came from the relay that it is paired through, and can go no other way. */
  const onlyThrough = (): boolean => connection().relay === location.origin;
  return (
    <div class="pair-ask">
      <Show when={!joins()} fallback={<Joining />}>
        <h2>{t("Pair with this host?")}</h2>
      </Show>
      <dl class="facts card">
        <div>
          <dt>{t("Name")}</dt>
          <dd dir="auto">{visibleLine(connection().name ?? t("not told"))}</dd>
        </div>
        <Show when={!onlyThrough()}>
          <div>
            <dt>{t("Address")}</dt>
            <dd class="mono" dir="ltr">
              {visibleLine(formatAddress(connection().addresses[0]))}
            </dd>
          </div>
        </Show>
        <Show when={connection().relay}>
          {(relay) => (
            <div>
              <dt>{onlyThrough() ? t("Through") : t("Or through")}</dt>
              <dd class="mono" dir="ltr">
                {visibleLine(relay())}
              </dd>
            </div>
          )}
        </Show>
        <div>
          <dt>{t("Key")}</dt>
          <dd class="mono" dir="ltr">
            {grouped(toBase64Url(connection().hostKey).slice(0, 16))}
          </dd>
        </div>
      </dl>
      <p class="dim pair-note">
        {t("It is sealed end to end: only a host that holds this key can read what you send.")}
      </p>
      <ServedNote />
      <Show when={!joins()}>
        <div>
          <label class="label" for={`${id}-name`}>
            {t("Name of this device")}
          </label>
          <input
            id={`${id}-name`}
            class="field"
            dir="auto"
            maxlength="80"
            value={name()}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </div>
      </Show>
      <Fault why={props.fault} />
      <div class="pair-acts">
        <button type="button" class="button" disabled={props.busy} onClick={() => props.cancel()}>
          {t("Cancel")}
        </button>
        <button
          type="button"
          class="button strong"
          disabled={props.busy}
          onClick={() => props.pair(name().trim() || self.name)}
        >
          {act(props.busy, joins(), props.fault !== undefined)}
        </button>
      </div>
    </div>
  );
}

function Joining() {
  return (
    <div>
      <h2>{t("Join this session?")}</h2>
      <p class="dim">{t("Somebody shares one session with you. You see that one and nothing else, for a while.")}</p>
    </div>
  );
}

function act(busy: boolean, joins: boolean, failed: boolean): string {
  if (busy) return joins ? t("Joining") : t("Pairing");
  if (failed) return t("Try again");
  return joins ? t("Join session") : t("Pair");
}

function grouped(key: string): string {
  return key.match(/.{1,4}/gu)?.join(" ") ?? key;
}
