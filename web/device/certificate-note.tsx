/** What a certificate that this browser does not trust costs here, and how to come by one that it does. */
import { createResource, Show } from "solid-js";
import { Icon } from "../design/icon.tsx";
import { registerWorker } from "../trusted.ts";
import { t } from "../words.ts";
import "./certificate-note.css";

/** The page is not told whether its certificate is trusted; that it may have no service worker shows that it is not. */
export function CertificateNote() {
  const [trusted] = createResource(() => location.protocol !== "https:" || registerWorker());
  return (
    <Show when={trusted() === false}>
      <p class="certificate-note" role="note">
        <Icon name="alert" small />
        <span>
          {t(
            "This browser does not trust the host's certificate, which the host made itself. So the app can neither be installed here nor notify you. What you and the host say is sealed all the same. To have both, start the host with a certificate that this device trusts:",
          )}{" "}
          <code>flybridge up --bind 0.0.0.0 --tailscale</code> {t("or")} <code>--cert FILE --key FILE</code>
        </span>
      </p>
    </Show>
  );
}
