/** Before an address is opened: all of it, as it is. */
import { visible } from "@flybridge/protocol/text.ts";
import { CopyButton } from "../design/copy.tsx";
import { Icon } from "../design/icon.tsx";
import { Sheet } from "../design/sheet.tsx";
import { t } from "../words.ts";

export default function LinkSheet(props: { target: string; onClose: () => void }) {
  return (
    <Sheet title={t("Open this address?")} onClose={props.onClose}>
      <p>
        {t("A program in the terminal printed it. It opens in your browser, on {host}.", {
          host: hostOf(props.target),
        })}
      </p>
      <p class="term-target" dir="ltr">
        {visible(props.target)}
      </p>
      <div class="form-end">
        <a
          class="button strong wide"
          href={props.target}
          target="_blank"
          rel="noopener noreferrer"
          onClick={() => props.onClose()}
        >
          <Icon name="link" />
          {t("Open")}
        </a>
        <CopyButton worded text={() => props.target} />
      </div>
    </Sheet>
  );
}

function hostOf(target: string): string {
  return new URL(target).host;
}
