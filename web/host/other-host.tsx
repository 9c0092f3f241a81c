/** Another host answers where one of ours did: both by their ids, and one way on. */
import { visibleLine } from "@flybridge/protocol/text.ts";
import { A, Navigate, useParams } from "@solidjs/router";
import { createMemo, Show } from "solid-js";
import { type HostHere, hostOf, useDeck } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";
import "../design/over.css";
import { isChanged } from "./changed.ts";
import "./other-host.css";

export default function OtherHost() {
  const deck = useDeck();
  const params = useParams<{ host: string }>();
  const changed = createMemo(() => {
    const host = hostOf(deck, params.host);
    return host && isChanged(host) ? host : undefined;
  });
  return (
    <Show when={changed()} fallback={<Navigate href="/" />}>
      {(host) => <Changed host={host()} />}
    </Show>
  );
}

function Changed(props: { host: HostHere }) {
  const found = (): string | undefined => {
    const { connection } = props.host.view;
    return connection.kind === "refused" ? connection.found : undefined;
  };
  const name = (): string => visibleLine(props.host.known.name);
  return (
    <div class="over" role="alert">
      <span class="over-icon bad">
        <Icon name="shield" />
      </span>
      <h1>{t("This is not {host}", { host: name() })}</h1>
      <p>{t("Another host answers at its address. Nothing was sent to it.")}</p>
      <dl class="fingerprints card">
        <div>
          <dt>{t("{host}, as this device knows it", { host: name() })}</dt>
          <dd class="mono" dir="ltr">
            {grouped(props.host.known.host)}
          </dd>
        </div>
        <div>
          <dt>{t("What answers now")}</dt>
          <dd class="mono" dir="ltr">
            <Show when={found()} fallback={t("did not say")}>
              {(id) => grouped(id())}
            </Show>
          </dd>
        </div>
      </dl>
      <p class="dim">
        {t(
          "If {host} was set up anew, pair again with a code from it. If it was not, somebody else may be in its place: do not pair until you know.",
          { host: name() },
        )}
      </p>
      <div class="over-acts">
        <A href="/pair" class="button strong wide">
          {t("Pair again")}
        </A>
      </div>
    </div>
  );
}

/** Eight groups of seven, as everywhere that a person reads one. */
function grouped(id: string): string {
  return id.match(/.{1,7}/gu)?.join(" ") ?? id;
}
