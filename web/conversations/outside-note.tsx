/** Where a session's prompts would be written: it runs in a terminal of its own, or did, and goes on here. */
import type { Summary } from "@flybridge/protocol/session.ts";
import { Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { agentTitle } from "../host/agents.ts";
import { t } from "../words.ts";
import HookOffer from "./hook-offer.tsx";
import "./conversations.css";

export default function OutsideNote(props: { host: HostHere; summary: Summary; resume: () => void }) {
  return (
    <section class="outside-note" aria-label={t("In another terminal")}>
      <Show
        when={props.summary.status.kind === "ended"}
        fallback={
          <>
            <p>
              <Icon name="terminal" small />
              {t("{agent} runs in a terminal of its own. End it there to continue here.", {
                agent: agentTitle(props.host, props.summary.agent),
              })}
            </p>
            <HookOffer host={props.host} only={props.summary.agent} />
          </>
        }
      >
        <p>
          <Icon name="terminal" small />
          {t("It has ended in its own terminal.")}
        </p>
        <button type="button" class="button strong" onClick={() => props.resume()}>
          <Icon name="play" />
          {t("Continue here")}
        </button>
      </Show>
    </section>
  );
}
