/** One more relay, by its address alone: what else it wants, it says itself. */
import { OriginError, relayOriginFrom } from "@flybridge/protocol/relay/origin.ts";
import { MAX_RELAYS } from "@flybridge/protocol/relays.ts";
import { createSignal, createUniqueId, Show } from "solid-js";
import type { HostHere } from "../deck.ts";
import { Icon } from "../design/icon.tsx";
import { t } from "../words.ts";

export function AddRelay(props: { host: HostHere; known: readonly string[]; added: (origin: string) => void }) {
  const id = createUniqueId();
  const [text, setText] = createSignal("");
  const [fault, setFault] = createSignal<string>();
  const [busy, setBusy] = createSignal(false);
  let field!: HTMLInputElement;

  const refuse = (why: string): void => {
    setFault(why);
    field.focus();
  };
  const add = (): void => {
    setFault();
    let origin: string;
    try {
      origin = relayOriginFrom(text());
    } catch (error) {
      if (!(error instanceof OriginError)) throw error;
      return refuse(error.message);
    }
    if (props.known.includes(origin)) return refuse(t("This host uses that relay already."));
    setBusy(true);
    props.host.replica
      .intend("relay.add", { origin })
      .settled.then(
        () => {
          setText("");
          props.added(origin);
        },
        (reason: unknown) => refuse(reason instanceof Error ? reason.message : t("The host refused it.")),
      )
      .finally(() => setBusy(false));
  };

  return (
    <Show
      when={props.known.length < MAX_RELAYS}
      fallback={<p class="dim remote-about">{t("A host has at most {n} relays.", { n: MAX_RELAYS })}</p>}
    >
      <form
        class="add-relay"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <label class="label" for={id}>
          {props.known.length === 0 ? t("Address of a relay") : t("Another relay")}
        </label>
        <div class="form-row">
          <input
            id={id}
            ref={field}
            class="field"
            type="url"
            inputmode="url"
            dir="ltr"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            placeholder="https://relay.example"
            value={text()}
            aria-invalid={fault() !== undefined}
            aria-describedby={fault() === undefined ? undefined : `${id}-fault`}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <button type="submit" class="button" classList={{ strong: props.known.length === 0 }} disabled={busy()}>
            {busy() ? t("Adding") : t("Add")}
          </button>
        </div>
        <Show when={fault()}>
          {(why) => (
            <p class="fault" role="alert" id={`${id}-fault`}>
              <Icon name="alert" small />
              {why()}
            </p>
          )}
        </Show>
        <details class="own-relay">
          <summary>
            <Icon name="chevron" small />
            {t("Run one yourself")}
          </summary>
          <p>
            {t(
              "Any small server with a name on the internet will do. There, with Flybridge installed, this runs a relay and prints the first invitation:",
            )}
          </p>
          <code class="own-command" dir="ltr">
            FLYBRIDGE_RELAY_ORIGIN=https://relay.example flybridge relay
          </code>
          <p>
            {t("Certificates, Docker and several nodes:")} <code>docs/relay.md</code>. {t("All of its settings:")}{" "}
            <code>flybridge relay --help</code>
          </p>
        </details>
      </form>
    </Show>
  );
}
